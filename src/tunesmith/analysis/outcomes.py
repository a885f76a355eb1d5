"""Complete trials that violate a constraint on outcomes, and those that meet all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.analysis.ranking import Ranked, as_ranked
from tunesmith.history import History, Metric, Trial, shortfall, std_of
from tunesmith.types import OutcomeConstraint

DIGITS = (4, 6, 9)


@dataclass(frozen=True, kw_only=True)
class ConstrainedOutcome:
    """Mean of a constrained metric over the folds of a trial."""

    constraint: str
    """As in ``precision >= 0.8``."""
    metric: str
    bound: float
    mean: float
    """NaN if it is not known."""
    error: float
    """Standard error of the mean over folds; NaN for a single fold."""
    is_met: bool

    @property
    def is_close(self) -> bool:
        """True if the distance from the bound is smaller than the standard error."""
        return abs(self.mean - self.bound) < self.error

    @property
    def text(self) -> str:
        """The mean, with as many digits as show on which side of the bound it lies.

        >>> recall = {"constraint": "recall >= 0.8", "metric": "recall", "bound": 0.8}
        >>> ConstrainedOutcome(**recall, mean=0.79999, error=0.01, is_met=False).text
        '0.79999'
        """
        if math.isnan(self.mean):
            return "not known"
        texts = (f"{self.mean:.{digits}g}" for digits in DIGITS)
        return next(filter(self._is_on_its_side, texts), repr(self.mean))

    def _is_on_its_side(self, text: str) -> bool:
        shown = float(text)
        return (shown < self.bound, shown > self.bound) == (
            self.mean < self.bound,
            self.mean > self.bound,
        )


@dataclass(frozen=True)
class ViolatingTrial:
    """A complete trial that cannot win."""

    trial: Ranked
    outcomes: tuple[ConstrainedOutcome, ...]
    """By constraint."""


@dataclass(frozen=True)
class Outcomes:
    """Constraints on outcomes of a study, and the trials that violate them."""

    constraints: tuple[str, ...] = ()
    chosen: tuple[ConstrainedOutcome, ...] = ()
    """Outcomes of the winner."""
    violating: tuple[ViolatingTrial, ...] = ()
    """Complete trials that violate a constraint, the closest first."""

    @property
    def trials(self) -> list[Ranked]:
        """The trials that violate a constraint."""
        return [violation.trial for violation in self.violating]


def outcomes(history: History, metrics: Sequence[Metric], chosen: int | None) -> Outcomes:
    """Collect what the constraints on outcomes have decided.

    Args:
        history: of the study.
        metrics: what was recorded.
        chosen: number of the winner; ``None`` if there is none.
    """
    if not history.subject_to:
        return Outcomes()
    trials = sorted(
        (trial for trial in history.successful if history.violated(trial)),
        key=lambda trial: (shortfall(trial, history.subject_to), trial.number),
    )
    # A rank behind all trials that can win: these share it.
    rank = 1 + sum(1 for _ in history.admissible)
    return Outcomes(
        tuple(map(str, history.subject_to)),
        () if chosen is None else outcomes_of(history[chosen], history),
        tuple(ViolatingTrial(as_ranked(t, rank, metrics), outcomes_of(t, history)) for t in trials),
    )


def outcomes_of(trial: Trial, history: History) -> tuple[ConstrainedOutcome, ...]:
    """Outcomes of a trial, by constraint."""
    return tuple(_outcome(trial, constraint) for constraint in history.subject_to)


def _outcome(trial: Trial, constraint: OutcomeConstraint) -> ConstrainedOutcome:
    values = [fold.outcome(constraint.metric) for fold in trial.folds]
    n, mean = len(values), trial.outcome(constraint.metric)
    error = std_of(values, 1) / math.sqrt(n) if n > 1 else math.nan
    return ConstrainedOutcome(
        constraint=str(constraint),
        metric=constraint.metric,
        bound=constraint.bound,
        mean=mean,
        error=error,
        is_met=constraint.allows(mean),
    )


def winning(history: History, metric: Metric) -> list[float]:
    """Mean score by completed trial; NaN for those that cannot win."""
    return [math.nan if history.violated(t) else t.mean(metric.name) for t in history.completed]


def violation_text(trial: Trial, history: History) -> str:
    """Name the constraints that a trial violates, with its outcomes; empty if it meets all."""
    return "; ".join(map(described, (o for o in outcomes_of(trial, history) if not o.is_met)))


def described(outcome: ConstrainedOutcome) -> str:
    """An outcome beside its constraint.

    >>> recall = {"constraint": "recall >= 0.8", "metric": "recall", "bound": 0.8}
    >>> described(ConstrainedOutcome(**recall, mean=0.75, error=0.01, is_met=False))
    'recall >= 0.8 (0.75)'
    """
    return f"{outcome.constraint} ({outcome.text})"
