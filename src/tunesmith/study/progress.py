"""Progress of a running study: plain numbers for observers, no text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tunesmith.history import Metric, Trial


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A study at one moment."""

    objectives: tuple[Metric, ...]
    n_completed: int
    """Trials with results."""
    n_trials: int | None
    """Number of trials of the study, if it is known."""
    n_folds: int
    """Number of evaluations per trial."""
    n_evaluated: int
    """Evaluations made by this run."""
    n_reused: int
    """Evaluations that the ledger already knew."""
    n_fits: int
    """Fits made by this run; fewer than evaluations if several candidates shared one."""
    n_along: int
    """Evaluations of extra candidates, which came free with the fit of another one."""
    n_failed: int
    """Failed trials."""
    n_pruned: int
    """Trials that ended before the full budget."""
    n_workers: int
    """Number of fits at the same time."""
    elapsed_s: float
    """Seconds since this run began."""
    n_before: int = 0
    """Trials that were completed before this run."""
    n_running: int = 0
    """Evaluations under way."""
    folds_per_trial: float
    """Mean number of evaluations of this run's trials; fewer than ``n_folds`` with a race."""
    seconds_each: float | None
    """Seconds by the clock from one evaluation to the next, of late; ``None`` before the first."""
    newest: Trial | None = None
    """The trial completed last."""
    best: Trial | None = None
    """The best trial by the first objective."""

    def eta_s(self) -> float | None:
        """Seconds until the last trial, from the pace of the evaluations that were really made.

        The pace is that of the clock, so that proposals, dispatch and waiting count. Evaluations
        that the ledger knew count as done, not as fast: they do not tell the cost of the next one.
        """
        if self.n_trials is None or self.seconds_each is None:
            return None
        n_needed = (self.n_trials - self.n_before) * self.folds_per_trial
        n_done = self.n_evaluated - self.n_along + self.n_reused + self.n_running / 2
        # Results that a race needs no more are among those that are done.
        is_over = self.n_completed >= self.n_trials
        return 0.0 if is_over else max(n_needed - n_done, 0.5) * self.seconds_each


Observer: TypeAlias = Callable[[Progress], None]
"""Called when a trial is completed, and about twice a second in between."""


def silent(_progress: Progress) -> None:
    """Watch nothing."""
