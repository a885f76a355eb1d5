"""Reason for which a study has no comparison with its current parameters."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tunesmith.analysis.importance.declared import declared_space
from tunesmith.ledger.records import StudyRecord
from tunesmith.space import Box, SearchSpace
from tunesmith.types import Params, State

Kind: TypeAlias = Literal["failed", "stopped", "unknown", "lacking", "value", "outside", "untried"]


@dataclass(frozen=True)
class NotCompared:
    """Reason for which the current parameters have no score.

    Args:
        kind: what happened: their trial ``failed`` or was ``stopped``; the space does not have one
            of their parameters (``unknown``), they lack one of its own (``lacking``), or one has a
            ``value`` that it does not hold; they lie ``outside`` in another way; or they were not
            tried.
        name: kind of the failure, or the parameter; text of the user.
        number: of their trial.
    """

    kind: Kind
    name: str = ""
    number: int | None = None


def not_compared(record: StudyRecord, current: Params) -> NotCompared:
    """Find the reason in the trials, or else in the space.

    Args:
        record: of a study in which they are no trial of the ranking.
        current: the current parameters when the study began.
    """
    # With a budget, the trial has a parameter more than the file.
    tried = record.history.tried(current, "current")
    if tried is not None and tried.state is State.FAILED:
        failure = next((fold.failure for fold in tried.folds if fold.failure is not None), None)
        return NotCompared("failed", "" if failure is None else failure.kind, tried.number)
    if tried is not None and tried.state is State.PRUNED:
        return NotCompared("stopped", number=tried.number)
    # A large history is read only if its definition does not have the space.
    trials = (trial for history in (record.history,) for trial in history.completed)
    space, is_declared = declared_space(record.recorded.space, trials)
    if not is_declared or current in space:
        return NotCompared("untried")
    return _outside(space, current)


def _outside(space: SearchSpace, current: Params) -> NotCompared:
    if len(space.boxes) > 1:
        # Each box has a reason of its own.
        return NotCompared("outside")
    (box,) = space.boxes
    unknown = sorted(current.keys() - box.parameters.keys())
    if unknown:
        return NotCompared("unknown", unknown[0])
    return _misfit(box, current)


def _misfit(box: Box, current: Params) -> NotCompared:
    """First parameter that does not fit, those that others depend on before them."""
    active = [name for name in box.order if box.is_active(name, current)]
    for name in active:
        if name not in current:
            return NotCompared("lacking", name)
        try:
            box.parameters[name].canonical(current[name])
        except ValueError:
            return NotCompared("value", name)
    # Constraints between parameters.
    return NotCompared("outside")
