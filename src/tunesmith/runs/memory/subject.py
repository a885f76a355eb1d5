"""Parts of a study of objects in memory, whichever they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.objective.identity.content import doubts_in_words
from tunesmith.objective.identity.context import MemoryContext
from tunesmith.objective.objective import Objective
from tunesmith.objective.objects import Objects
from tunesmith.runs.memory.request import MemoryRequest
from tunesmith.space import SearchSpace
from tunesmith.types import Params


@dataclass(frozen=True, kw_only=True)
class MemorySubject:
    """Parts that depend on what is tuned."""

    objective: Objective
    objects: Objects
    """Values of parameters that JSON cannot hold."""
    space: SearchSpace
    current: Params | None
    """The current parameters, for the gate."""
    section: Mapping[str, Any]
    """Section of the objective, as the ledger records it."""
    name: str
    """Name of the class or function."""
    workers: int | None = None
    """Number of worker processes, unless another one is asked for."""
    race: str | None = None
    """Setting of the race over the folds, unless another one is asked for."""


def identified(
    context: MemoryContext, request: MemoryRequest
) -> tuple[tuple[str, ...], MemoryContext]:
    """Return the notes on what is not recognised later, and the context that follows from it.

    Args:
        context: of the scores.
        request: of the caller; its ``version`` stands for what is not proved.
    """
    if request.version is not None:
        return (), context.vouched(request.version)
    if not context.doubts:
        return (), context
    # A temporary ledger is read by nobody else.
    if request.ledger is None:
        return (), context.never_again()
    words = doubts_in_words(context.doubts)
    note = (
        f"scores in the ledger will not be reused by later runs: {words}."
        " Give version='1' if you will change it whenever a result may change"
    )
    return (note,), context.never_again()
