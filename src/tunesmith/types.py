"""Names of types that all rooms share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Fit:
    """One training on one fold, which may score several candidates at once."""

    fold: int
    candidates: tuple[Params, ...]
    extra_candidates: tuple[Params, ...] = ()
    """Extra candidates, scored only if the same fit gives them: they are worth no own fit."""
    bounds: Mapping[int, float] = field(default_factory=dict)
    """Pruning thresholds, for a single candidate.

    Step -> the least gain (score times the metric's sign) with which a fit that streams its
    progress continues.
    """

    @property
    def all_candidates(self) -> tuple[Params, ...]:
        """All params that may be scored, candidates first."""
        return (*self.candidates, *self.extra_candidates)
