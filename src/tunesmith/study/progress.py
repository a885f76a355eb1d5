"""What a study tells its watchers while it runs: plain numbers, no text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tunesmith.history import Metric, Trial


@dataclass(frozen=True)
class Progress:
    """A study at one moment."""

    objectives: tuple[Metric, ...]
    n_told: int
    """Trials with results."""
    n_trials: int | None
    """Where the trials end, if that is known."""
    n_folds: int
    """Evaluations a trial."""
    n_evaluated: int
    """Evaluations made by this run."""
    n_reused: int
    """Evaluations that the ledger already knew."""
    n_fits: int
    """Fits made by this run; fewer than evaluations where several candidates shared one."""
    n_along: int
    """Evaluations among those made that no trial had asked for: they came along with a fit."""
    n_failed: int
    """Failed trials."""
    n_pruned: int
    """Trials that ended before the full budget."""
    n_workers: int
    """Fits at a time."""
    elapsed_s: float
    """Since this run began."""
    fit_s: float
    """Time spent in the evaluations made by this run, all workers together."""
    newest: Trial | None = None
    """The trial told last."""
    best: Trial | None = None
    """The best trial by the first objective."""

    def eta_s(self) -> float | None:
        """Seconds until the last trial, from the mean cost of the fits that were really made.

        Trials that the ledger answered count as done, not as fast: they say nothing about the
        cost of the next fit.
        """
        n_asked = self.n_evaluated - self.n_along
        if self.n_trials is None or not n_asked:
            return None
        n_left = max(self.n_trials - self.n_told, 0) * self.n_folds
        return n_left * self.fit_s / n_asked / self.n_workers


Observer: TypeAlias = Callable[[Progress], None]
"""Called whenever a trial is told, and about twice a second in between."""


def silent(_progress: Progress) -> None:
    """Watch nothing."""
