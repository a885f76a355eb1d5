"""The plan of a run (dry run): plain numbers and sentences, for commands to show."""

from dataclasses import dataclass

from tunesmith.config.model import Definition
from tunesmith.data.leaks.sign import Sign
from tunesmith.runs.plan.confirming import ConfirmPlan
from tunesmith.runs.plan.forecast import BudgetForecast
from tunesmith.types import Params


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """Evaluations that a run would make, and those that are known already."""

    definition: Definition
    n_points: int | None
    """Points of the space; ``None`` for a continuum."""
    n_trials: int | None
    """Trials at most; ``None`` if only time or progress ends the study."""
    n_folds: int | None
    """Folds; ``None`` if they depend on project code."""
    n_scored: int | None
    """Different points that will be scored at most; ``None`` if this cannot be foreseen."""
    n_groups: int | None
    """Groups of candidates that share a fit; ``None`` if this cannot be foreseen."""
    n_curve: int
    """Most submodel candidates of a trial, which is the best of them; 1 without any."""
    n_completed: int | None
    """Trials of this very study that are completed; ``None`` if that depends on project code."""
    n_known: int | None
    """Evaluations that the ledger knows; ``None`` if this cannot be foreseen."""
    n_known_first: int = 0
    """Evaluations of the points to be tried first that the ledger knows."""
    project_code: tuple[str, ...]
    """Import paths that lead into the project and were left alone."""
    budgets: tuple[int, ...] = ()
    """Budgets of trials, smallest first; empty without budgets."""
    notes: tuple[str, ...] = ()
    """Sentences on the objective that a user should read."""
    leaks: tuple[Sign, ...] = ()
    """Signs of a leak in the table; none are looked for if code of the project makes the folds."""
    not_shared: tuple[str, ...] = ()
    """Reasons why fits are not shared that might be expected to be."""
    window: int | None = None
    """Look-ahead; ``None`` if results are not read, or if the number of folds is not known."""
    n_workers: int = 1
    """Number of workers that the run would have."""
    read_off: tuple[str, ...] = ()
    """Submodel parameters that are read off each fit and not searched."""
    forecast: BudgetForecast | None = None
    """Budgets that trials reach; ``None`` without them, or if it cannot be foreseen."""
    ends: str = ""
    """Events of which the first ends the study; empty if only the end of the space does."""
    confirm: ConfirmPlan | None = None
    """Evaluations on further splits after the search; ``None`` if none are asked for."""
    predictions: str = ""
    """Sentence on the out-of-fold predictions and their fits; empty if none are asked for."""
    race: str = ""
    """Sentence on the race over the folds, or on the reason why there is none although it was asked
    for; empty if nothing is to be said."""

    start: tuple[tuple[str, Params], ...] = ()
    """(origin, params) of the points to be tried first, in order."""

    @property
    def n_idle(self) -> int:
        """Number of workers that would wait for results most of the time."""
        if self.window is None or self.n_folds is None:
            return 0
        return max(0, self.n_workers - self.window * self.n_folds)

    @property
    def is_shared(self) -> bool:
        """True if some fits are foreseen to score several candidates."""
        is_joint = None not in (self.n_scores, self.n_fits) and self.n_scores != self.n_fits
        return is_joint or self.n_curve > 1

    @property
    def n_scores(self) -> int | None:
        """Evaluations at most; ``None`` if this cannot be foreseen."""
        return None if self.n_scored is None else _product(self.n_scored, self.n_folds)

    @property
    def n_fits(self) -> int | None:
        """Fits at most; one may score several candidates."""
        n = self.n_trials if self.n_groups is None else self.n_groups
        return None if n is None else _product(n, self.n_folds)


def _product(n: int, n_folds: int | None) -> int | None:
    return None if n_folds is None else n * n_folds
