"""Progress of a running study: plain numbers for observers, no text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tunesmith.history import Metric, Trial


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A study at one moment."""

    objectives: tuple[Metric, ...]
    n_told: int
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
    fit_s: float
    """Time spent in the evaluations made by this run, all workers together."""
    newest: Trial | None = None
    """The trial completed last."""
    best: Trial | None = None
    """The best trial by the first objective."""

    def eta_s(self) -> float | None:
        """Seconds until the last trial, from the mean cost of the fits that were really made.

        Trials whose results the ledger knew count as done, not as fast: they do not tell the cost
        of the next fit.
        """
        n_asked = self.n_evaluated - self.n_along
        if self.n_trials is None or not n_asked:
            return None
        n_left = max(self.n_trials - self.n_told, 0) * self.n_folds
        return n_left * self.fit_s / n_asked / self.n_workers


Observer: TypeAlias = Callable[[Progress], None]
"""Called when a trial is completed, and about twice a second in between."""


def silent(_progress: Progress) -> None:
    """Watch nothing."""
