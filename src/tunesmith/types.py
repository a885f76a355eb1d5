"""Names of types that all rooms share."""

import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf, isfinite, isnan
from sys import float_info
from types import TracebackType
from typing import Literal, Self, TypeAlias, TypeVar

R = TypeVar("R")

# As text, because it refers to itself.
Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
"""Value of one parameter: anything that JSON can hold."""

Params: TypeAlias = Mapping[str, Value]
"""One point of a search space: the active parameters only, in canonical form."""

Facts: TypeAlias = Mapping[str, int]
"""Numbers by name that describe a fitted model, such as the depth of its trees."""

Direction: TypeAlias = Literal["maximize", "minimize"]

OUTCOME = re.compile(r"\s*([^\s<>=!]+)\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class OutcomeConstraint:
    """A bound on the mean of a recorded metric over the folds of a trial.

    >>> recall = OutcomeConstraint.read("recall >= 0.8")
    >>> recall.allows(0.8), recall.allows(0.79), str(recall)
    (True, False, 'recall >= 0.8')
    """

    metric: str
    operator: Literal[">=", "<=", ">", "<"]
    bound: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``METRIC OPERATOR NUMBER``.

        Raises:
            ValueError: it is no such text, or the number is not finite.
        """
        match = OUTCOME.fullmatch(text)
        if match is None:
            raise ValueError(f"`{text}` is no comparison of a metric with a number")
        try:
            bound = float(match[3])
        except ValueError:
            raise ValueError(f"`{match[3]}` is no number") from None
        if not isfinite(bound):
            raise ValueError(f"`{match[3]}` is no finite number")
        return cls(match[1], match[2], bound)  # type: ignore[arg-type]

    @classmethod
    def never(cls, text: str) -> Self:
        """Build a constraint that nothing meets, for a recorded one that cannot be read."""
        return cls(text, ">=", inf)

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.bound:.12g}"

    @property
    def sign(self) -> int:
        """+1 if values above the bound are allowed, -1 if those below are."""
        return 1 if self.operator in (">=", ">") else -1

    def slack(self, value: float) -> float:
        """Distance of a value from the bound, positive on the allowed side; NaN if unknown."""
        return self.sign * (value - self.bound)

    def allows(self, value: float) -> bool:
        """True if a value meets the constraint; an unknown one (NaN) does not."""
        slack = self.slack(value)
        return slack >= 0 if "=" in self.operator else slack > 0

    def shortfall(self, value: float) -> float:
        """Distance from the allowed values, relative to the bound unless that is 0.

        It is 0 for values that meet the constraint, and infinite for an unknown one.
        """
        if self.allows(value):
            return 0.0
        slack = self.slack(value)
        if isnan(slack):
            return inf
        # On the bound of a strict comparison the distance is 0, and yet it is violated.
        return max(-slack / (abs(self.bound) or 1.0), float_info.min)


class State(StrEnum):
    """State of a trial."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


class StopKind(StrEnum):
    """Kind of event that ended a run."""

    CRITERION = "criterion"
    """A criterion of ``stop`` was met."""
    ALL_TRIED = "all tried"
    """The space is finite, and all its points were tried."""
    EXHAUSTED = "exhausted"
    """The search proposed no further point."""
    INTERRUPTED = "interrupted"
    """A signal came."""
    UNKNOWN = "unknown"
    """Not recorded, as for results that were imported."""


@dataclass(frozen=True, slots=True)
class StopReason:
    """Reason for which a run ended.

    The ledger and the histories of Git hold the text alone, so that ``read`` is the only place that
    takes the kind from a text.
    """

    kind: StopKind
    text: str
    """Words for people; without a period."""

    @classmethod
    def of_criterion(cls, text: str) -> Self:
        """Build the reason that a criterion gives.

        A criterion of an outside package may choose any words. If they are those of another kind,
        they are marked, so that the ledger gives back what it was given.
        """
        is_plain = _kind_of(text) is StopKind.CRITERION
        return cls(StopKind.CRITERION, text if is_plain else f"{BY_CRITERION} {text}".rstrip())

    @classmethod
    def of_signal(cls, signum: int) -> Self:
        """Build the reason of a run that a signal has interrupted.

        >>> StopReason.of_signal(15).text
        'interrupted by SIGTERM'
        """
        return cls(StopKind.INTERRUPTED, f"interrupted by {signal.Signals(signum).name}")

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Build the reason from its stored text, as every version has written it.

        Args:
            text: ``None`` if the run did not come to an end.
        """
        return None if text is None else cls(_kind_of(text), text)


BY_CRITERION = "criterion met:"
# A pattern, not the signals of this machine: a ledger may come from another system.
INTERRUPTED = re.compile(r"interrupted by SIG[A-Z0-9]+")
ALL_TRIED = StopReason(StopKind.ALL_TRIED, "all points of the space were tried")
EXHAUSTED = StopReason(StopKind.EXHAUSTED, "no further point of the space was found")
NOT_RECORDED = StopReason(StopKind.UNKNOWN, "")
STORED_TEXTS = {reason.text: reason.kind for reason in (ALL_TRIED, EXHAUSTED, NOT_RECORDED)}


def _kind_of(text: str) -> StopKind:
    """Take the kind of a reason from its stored text: nothing else is stored."""
    if INTERRUPTED.fullmatch(text):
        return StopKind.INTERRUPTED
    return STORED_TEXTS.get(text, StopKind.CRITERION)


@dataclass(frozen=True, slots=True)
class Fit:
    """One training on one fold, which may score several candidates at once."""

    fold: int
    candidates: tuple[Params, ...]
    extra_candidates: tuple[Params, ...] = ()
    """Extra candidates, scored only if the same fit gives them: they are worth no own fit."""
    thresholds: Mapping[int, float] = field(default_factory=dict)
    """Pruning thresholds, for a single candidate.

    Step -> the least gain (score times the metric's sign) with which a fit that streams its
    progress continues.
    """
    is_checked_elsewhere: bool = False
    """True if another process compares this kind of shared fit with fresh ones."""

    @property
    def all_candidates(self) -> tuple[Params, ...]:
        """All params that may be scored, candidates first."""
        return (*self.candidates, *self.extra_candidates)

    def results(
        self, together: Sequence[R | None], *, alone: Callable[[Params, int], R]
    ) -> list[R]:
        """Complete what one training gave.

        Args:
            together: a result for each of ``all_candidates``; None: the training did not give it.
            alone: (params, fold) -> the result of a training for them only.

        Returns:
            A result for each candidate, then one for each extra candidate or for none of them.
        """
        n = len(self.candidates)
        own = [
            one or alone(params, self.fold)
            for params, one in zip(self.candidates, together, strict=False)
        ]
        # Extra candidates count only if all are there: one result per point, or none.
        extra = [one for one in together[n:] if one is not None]
        return own + extra if len(extra) == len(self.extra_candidates) else own


SHARE = r"^[0-9]{1,4}(\.[0-9]{1,4})?%$"
"""Pattern of a share of the search's evaluations."""
MOST_REPEATS = 20
"""Further repeats beyond these take away too little chance to be worth their fits."""
USUAL_SHARE = "30%"
"""Share of the search's evaluations that may follow it."""


def allowed_fits(fits: str | int, n_scores: int, n_folds: int) -> int:
    """Return the most further fits.

    The usual share allows one repeat at least: where a fit scores many candidates, a few of them
    are a whole search, whose folds alone would then decide about the luckiest of all candidates.

    >>> allowed_fits("30%", 150, 5), allowed_fits(40, 150, 5)
    (45, 40)
    >>> allowed_fits("30%", 20, 5), allowed_fits("20%", 20, 5)
    (10, 4)

    Args:
        fits: a number, or a share of the search's evaluations.
        n_scores: evaluations of the search.
        n_folds: folds of a repeat.
    """
    if isinstance(fits, int):
        return fits
    share = int(float(fits[:-1]) * n_scores / 100 + 1e-9)
    return max(share, 2 * n_folds) if fits == USUAL_SHARE else share


class EndsWithBlock:
    """Something that ``close`` ends, also at the end of its block."""

    def close(self) -> None:
        """End it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
