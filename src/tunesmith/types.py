"""Names of types that all rooms share."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self, TypeAlias

# As text, because it refers to itself.
Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
"""Value of one parameter: anything that JSON can hold."""

Params: TypeAlias = Mapping[str, Value]
"""One point of a search space: the active parameters only, in canonical form."""

Direction: TypeAlias = Literal["maximize", "minimize"]


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

    @property
    def all_candidates(self) -> tuple[Params, ...]:
        """All params that may be scored, candidates first."""
        return (*self.candidates, *self.extra_candidates)
