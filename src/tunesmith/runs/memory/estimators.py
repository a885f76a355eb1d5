"""A study of an estimator with its data."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError

from tunesmith.errors import UsageError
from tunesmith.objective import memory
from tunesmith.objective.identity.context import MemoryContext, context_of
from tunesmith.objective.objects import Objects
from tunesmith.objective.outputs import FoldOutputs
from tunesmith.objective.row_parts import PartsNoter
from tunesmith.runs.memory.request import MemoryRequest
from tunesmith.runs.memory.subject import MemorySubject, identified
from tunesmith.sharing.prototype import Prototype, last_step
from tunesmith.sharing.randomness import is_certainly_random
from tunesmith.space import Categorical, SearchSpace
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params


def estimator_subject(estimator: Any, X: Any, y: Any, request: MemoryRequest) -> MemorySubject:
    """Return what a study of an estimator is made of.

    Args:
        estimator: unfitted; it stays as it is.
        X: rows, whatever the estimator takes.
        y: targets, or ``None``.
        request: of the caller.

    Raises:
        UsageError: an argument cannot be used; a DataError if it is rows, targets or folds.
    """
    X, y = memory.rows_of(memory.checked_estimator(estimator), X, y)
    space = _checked_space(estimator, request, objects := Objects())
    folds = memory.folds_of(request.cv, estimator, X, y, request.groups)
    scorers, n_deciding = memory.scorers_of(estimator, request.metric, request.also)
    fit_params = memory.fit_params_of(estimator, X, request.weights, request.fit_params)
    scorer, names = memory.combined(scorers), tuple(scorers)
    own = own_params(estimator, space, objects)
    context = context_of(estimator, (X, y), scorer, (fit_params, {}, False), objects.contents)
    notes, context = identified(context, request)
    objective = memory.MemoryObjective(
        estimator=_cloned(estimator),
        X=X,
        y=y,
        splits=folds.splits,
        scorer=scorer,
        objects=objects,
        outputs=_outputs(names, n_deciding),
        fit_params=fit_params,
        context=_with_folds(context, folds.splits),
        default_params=own,
        is_shared=request.shares,
        further=folds.further,
        parts=_parts(request),
        notes=notes + _unseeded(estimator) + request.cannot_confirm(folds.further),
    )
    return MemorySubject(
        objective=objective,
        objects=objects,
        space=space,
        current=_current(request, request.encoded_current(objects), own),
        section=_section(estimator, names, n_deciding, folds.section),
        name=type(last_step(estimator)[1]).__name__,
    )


def _checked_space(estimator: Any, request: MemoryRequest, objects: Objects) -> SearchSpace:
    space = request.read_space(objects)
    _check_names(estimator, space, request, objects)
    return space


def _parts(request: MemoryRequest) -> PartsNoter | None:
    # Rows of a group are alike: their parts would tell too little noise.
    return PartsNoter() if request.has_gate and request.groups is None else None


def _outputs(names: tuple[str, ...], n_deciding: int) -> FoldOutputs:
    nan = float("nan")
    return FoldOutputs(names, len(names) > 1, names[0], False, nan, n_deciding=n_deciding)


def _cloned(estimator: Any) -> Any:
    try:
        return clone(estimator)
    # Cloning copies the parameters, and so calls their own code, which may raise anything.
    except Exception as error:  # noqa: BLE001
        is_plain = isinstance(error, TypeError | RuntimeError | UnsetMetadataPassedError)
        kind = "" if is_plain else f"{type(error).__name__}: "
        raise UsageError(f"the estimator cannot be cloned: {kind}{error}") from None


def _with_folds(context: MemoryContext, splits: Any) -> Mapping[str, str]:
    """Digests with those of the folds: the same candidates on other folds are other trials."""
    import joblib

    folds = str(joblib.hash([tuple(split) for split in splits]))
    objective = digest([context.digests["objective"], folds])
    return {**context.digests, "objective": objective}


def _current(request: MemoryRequest, given: Params | None, own: Params) -> Params | None:
    """Current parameters: the given ones, or, for a gate, the estimator's own."""
    if given is not None or request.gate in (None, False):
        return given
    return own or None


def _check_names(
    estimator: Any, space: SearchSpace, request: MemoryRequest, objects: Objects
) -> None:
    def is_object(name: str) -> bool:
        return _is_replaced(space, name, objects)

    memory.check_names(estimator, space.names, is_object)
    # A name that is mistyped would make the gate keep parameters that nobody can evaluate.
    memory.check_names(estimator, map(str, request.current or ()), is_object, section="current")


def _is_replaced(space: SearchSpace, name: str, objects: Objects) -> bool:
    parameters = [box.parameters[name] for box in space if name in box.parameters]
    values = [v for p in parameters if isinstance(p, Categorical) for v in p.choices]
    return any(hasattr(objects.decode(value), "get_params") for value in values)


def own_params(estimator: Any, space: SearchSpace, objects: Objects) -> Params:
    """Return the estimator's own values, of the first box that has room for them."""
    own = estimator.get_params(deep=True)
    points = [{n: objects.encode(own[n]) for n in box.parameters if n in own} for box in space]
    return next((point for point in points if point in space), points[0])


def _unseeded(estimator: Any) -> tuple[str, ...]:
    # Most estimators with such a parameter draw nothing.
    if not is_certainly_random(estimator):
        return ()
    unseeded = sorted(Prototype(estimator).unseeded)
    listed = ", ".join(unseeded)
    return (f"{listed} is None: scores may not repeat, and reused scores are one draw",)


def _section(
    estimator: Any, names: tuple[str, ...], n_deciding: int, cv: dict[str, Any]
) -> dict[str, Any]:
    """Section of the objective, as the ledger records it."""
    cls = type(estimator)
    path = f"{cls.__module__}:{cls.__name__}"
    metrics = [{"name": name} for name in names]
    return {
        "estimator": path,
        "metric": metrics[:n_deciding],
        "also": metrics[n_deciding:],
        "cv": cv,
    }
