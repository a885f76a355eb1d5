"""Forecast of the evaluations on further splits that may follow a search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.analysis.confirmation import (
    folds_of_a_repeat,
    most_repeats,
    no_further,
    refusal,
    too_few,
)
from tunesmith.config.model import Definition
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.space import SearchSpace
from tunesmith.types import Params, allowed_fits


@dataclass(frozen=True)
class ConfirmPlan:
    """Evaluations on further splits that a run may make after its search."""

    n_fits: int | None
    """Most further fits; 0 if there are none, ``None`` if the trials are not foreseen."""
    text: str
    """Sentence on them."""


def plan_confirm(
    definition: Definition,
    current: Params | None,
    n_trials: int | None,
    n_folds: int | None,
    limits: Mapping[str, Any] | None = None,
) -> ConfirmPlan | None:
    """Foresee the further evaluations; ``None`` if the study has no gate, or turned them off.

    Args:
        definition: of the study.
        current: the current parameters, those of the series if one has begun.
        n_trials: most trials, if that is known.
        n_folds: folds of the search, if that is known.
        limits: of further splits, as a run would record them, if they are known.
    """
    wanted = definition.file.confirms
    if wanted is None:
        return None
    recorded = RecordedStudy.of({**definition.as_json(), **(limits or {})})
    if current is None:
        return ConfirmPlan(0, "no further fits: there are no current parameters yet")
    gate = definition.file.gate
    if obstacle := _outside(definition.space, current, keeps=gate is None or gate.keep):
        return ConfirmPlan(0, f"no further fits: {obstacle}")
    blocker = no_further(recorded)
    if not blocker and n_trials is not None and n_folds is not None:
        n_repeat = folds_of_a_repeat(recorded.folds, n_folds)
        allowed = allowed_fits(wanted.fits, n_trials * n_folds, n_repeat)
        blocker = too_few(allowed, n_repeat)
        # Before the search costs anything: its winner could not be adopted.
        if refused := refusal(allowed, n_repeat):
            return ConfirmPlan(0, f"nothing can be adopted: {refused}")
        if not blocker:
            n = min(most_repeats(allowed, n_repeat), recorded.n_further)
            return ConfirmPlan(2 * n * n_repeat, _most(n, n_repeat))
    if blocker:
        return ConfirmPlan(0, f"by the folds of the search alone: {blocker}")
    limit = f"{wanted.fits} of the search's" if isinstance(wanted.fits, str) else f"{wanted.fits:,}"
    return ConfirmPlan(None, f"at most {limit} fits on further splits")


def _outside(space: SearchSpace, current: Params, *, keeps: bool) -> str:
    """Reason why the current parameters cannot be tried; empty if they can."""
    try:
        space.canonical(current)
    except ValueError as error:
        if str(error).endswith(" is missing"):
            return _lacking(str(error).removesuffix(" is missing"), keeps=keeps)
        text = f"the current parameters lie outside the space ({error}) and are not tried"
        if not keeps:
            return text
        return (
            f"{text}, so that the winner cannot replace them. Widen the space, or set"
            " `gate: {keep: false}`"
        )
    return ""


def _lacking(name: str, *, keeps: bool) -> str:
    """Reason why current parameters without one of the space's cannot be tried, and a way out."""
    text = f"the current parameters lack {name} and are not tried"
    if not keeps:
        return text
    return (
        f"{text}, so that the winner cannot replace them. Add the value that your training uses"
        " now to the parameters in the best-parameters file, or set `gate: {keep: false}`"
    )


def _most(n: int, n_folds: int) -> str:
    repeats = "1 repeat" if n == 1 else f"{n} repeats"
    return (
        f"at most {2 * n * n_folds:,} further fits, of the winner and the current parameters"
        f" ({repeats} × {n_folds} folds × 2), unless the winner is the current one"
    )
