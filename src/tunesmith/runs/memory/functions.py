"""A study of a function."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.history import Metric, TrialLog
from tunesmith.ledger.ledger import Ledger
from tunesmith.objective.function import (
    WANTED,
    CalledObjective,
    FunctionAnswer,
    metrics_of,
    takes_fold,
)
from tunesmith.objective.identity.context import function_context
from tunesmith.objective.objects import Objects
from tunesmith.runs.factory import build_sampler
from tunesmith.runs.memory.request import MemoryRequest, slug
from tunesmith.runs.memory.subject import MemorySubject, identified
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.space.python import shown
from tunesmith.study.loop import unique_start
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params

UNUSED = ("groups", "weights", "fit_params", "models", "predictions")
"""Arguments that belong to an estimator with its data."""


def function_subject(function: Callable[..., Any], request: MemoryRequest) -> MemorySubject:
    """Return what a study of a function is made of.

    Args:
        function: from params, a dict, to a score or the scores of the folds.
        request: of the caller.

    Raises:
        UsageError: an argument cannot be used.
    """
    _refuse_unused(request)
    objects = Objects()
    space, has_fold = request.read_space(objects), takes_fold(function)
    current = request.encoded_current(objects)
    context = function_context(function, objects.contents)
    notes, context = identified(context, request)
    metrics = () if request.metric is None else metrics_of(request.metric)
    also = metrics_of(request.also) if request.also else ()
    objective = CalledObjective(
        function=function,
        takes_fold=has_fold,
        n_folds=_folds(request, has_fold=has_fold) or 1,
        metrics=(*(metrics or (Metric("score"),)), *also),
        n_deciding=len(metrics) or 1,
        objects=objects,
        context=context.digests,
    )
    if request.cv is None:
        objective = _probed(objective, request, space)
    is_joint = objective.n_folds > 1 and not has_fold
    objective.context = {**objective.context, "objective": _with_folds(objective)}
    objective.notes = notes  # type: ignore[assignment]
    return MemorySubject(
        objective=objective,
        objects=objects,
        space=space,
        current=current,
        section=_section(objective),
        name=_name(function),
        # In this process: a function may count, print and draw as in the notebook around it, and
        # one that scores all folds at once is called once for them.
        workers=1,
        race="off" if is_joint else None,
    )


def _refuse_unused(request: MemoryRequest) -> None:
    given = [name for name in UNUSED if getattr(request, name) not in (None, {})]
    if given:
        raise UsageError(
            f"{' and '.join(given)}: a function has its own data and models; leave {given[0]} out."
        )


def _folds(request: MemoryRequest, *, has_fold: bool) -> int | None:
    """Number of folds as it is asked for; ``None`` if the function has to show it."""
    cv = request.cv
    if cv is None:
        if has_fold:
            raise UsageError("cv: the function takes `fold`: say how many folds there are, cv=5.")
        return None
    if not isinstance(cv, int) or isinstance(cv, bool) or cv < 1:
        raise UsageError(f"cv: a function has a number of folds, not {shown(cv)}.")
    return cv


def _name(function: Any) -> str:
    inner = getattr(function, "func", function)
    name = getattr(inner, "__qualname__", type(inner).__name__)
    return slug(name.rpartition("<locals>.")[2])


def _section(objective: CalledObjective) -> dict[str, Any]:
    metrics = [{"name": m.name, "direction": m.direction} for m in objective.metrics]
    section: dict[str, Any] = {
        "metric": metrics[: objective.n_deciding],
        "also": metrics[objective.n_deciding :],
    }
    if objective.n_folds > 1:
        section["cv"] = {"folds": objective.n_folds}
    return section


def _with_folds(objective: CalledObjective) -> str:
    return digest([objective.context["objective"], objective.n_folds, objective.takes_fold])


# -- the number of folds -------------------------------------------------------------------------


def _probed(
    objective: CalledObjective, request: MemoryRequest, space: SearchSpace
) -> CalledObjective:
    """Return the objective with the folds that its first answer shows.

    The first point of the study is evaluated here, and not again.

    Raises:
        UsageError: the answer is no score.
    """
    known = _recorded(request, objective)
    if known is not None:
        return replace(objective, n_folds=known)
    point = first_point(request, space, objective.objects)
    if point is None:
        return objective
    answer = objective.call(point)
    _refuse(answer, request)
    answers = {canonical_json(dict(point)): answer}
    return replace(objective, n_folds=max(len(answer.scores), 1), answers=answers)


def _refuse(answer: FunctionAnswer, request: MemoryRequest) -> None:
    if answer.error is not None:
        return  # a failed trial, as any other
    if not answer.scores:
        raise UsageError(f"the function gave an empty list, which holds no score. {WANTED}")
    first = answer.scores[0]
    if isinstance(first, Mapping) and not first:
        raise UsageError(f"the function gave an empty dict, which holds no score. {WANTED}")
    if isinstance(first, Mapping) and request.metric is None:
        names = ", ".join(map(str, first))
        raise UsageError(
            f"metric: the function gave several metrics ({names}): name the one that decides, for"
            f" example metric={next(iter(first), 'loss')!r}."
        )
    if first is None or isinstance(first, str):
        raise UsageError(f"the function gave {shown(first)}, which is no score. {WANTED}")


def _recorded(request: MemoryRequest, objective: CalledObjective) -> int | None:
    """Number of folds of the same function in the ledger, so that nothing is evaluated twice."""
    place = request.place
    if place is None or ("://" not in place and not Path(place).is_file()):
        return None
    with Ledger.open(place if "://" in place else Path(place), create=False) as ledger:
        head = ledger.previous(request.study or _name(objective.function))
    if head is None or head.context.get("code") != objective.context["code"]:
        return None
    recorded = (head.recorded.section("objective") or {}).get("cv") or {}
    for n in (recorded.get("folds"), 1):
        probed = replace(objective, n_folds=n if isinstance(n, int) else 1)
        if head.context.get("objective") == _with_folds(probed):
            return probed.n_folds
    return None


def first_point(request: MemoryRequest, space: SearchSpace, objects: Objects) -> Params | None:
    """Return the first point that the study will try; ``None`` if it has none.

    Args:
        request: of the caller.
        space: of the study.
        objects: values that JSON cannot hold.
    """
    file = request.define(space, objects, {"metric": "score"}, name="probe", ledger="x.db").file
    current = request.encoded_current(objects)
    wanted: list[tuple[str, Params]] = []
    for item in file.starting_points:
        if isinstance(item, dict):
            wanted.append(("start_with", item))
        elif item == "current" and current is not None:
            wanted.append(("current", current))
    start, _ = unique_start(space, wanted)
    sampler, seed = build_sampler(file.search, space), file.search.seed
    strategy = SamplerStrategy(space, sampler, name=file.search.method, seed=seed, start=start)
    proposal = strategy.propose(TrialLog((Metric("score"),)))
    return None if proposal is None else proposal[1]
