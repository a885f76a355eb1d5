"""Names of types that all rooms share."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

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
