"""The few type names that every floor shares."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
"""One parameter's value: whatever JSON can hold."""

Params: TypeAlias = Mapping[str, Value]
"""One point of a search space: the active parameters only, in canonical form."""

Direction: TypeAlias = Literal["maximize", "minimize"]


class State(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
