"""Estimators and pipelines that are made by calls with constant arguments."""

import ast
from collections import Counter
from typing import Any

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.python.values import distinct, has_tuple, plain
from tunesmith.importers.refusal import Invalid, Place, Refused, place_of

PIPELINES = ("sklearn.pipeline.Pipeline", "sklearn.pipeline.make_pipeline")
MAX_NAMES = 10


def put_estimator(draft: Draft, module: PythonModule, node: ast.expr) -> None:
    """Set ``estimator`` and ``params``, or ``steps``, of the objective.

    Raises:
        Refused: the estimator cannot be told from the script.
    """
    call = resolved(module, node)
    if not isinstance(call, ast.Call):
        raise Refused(f"the estimator `{source(node)}` is not made by a call.", node)
    path = module.dotted(call.func) or ""
    if path in PIPELINES:
        put_steps(draft, module, call, path)
        return
    name, params, notes = _made(module, call)
    draft.put(("objective", "estimator"), name, *notes)
    if params:
        draft.put(("objective", "params"), params)


def put_steps(draft: Draft, module: PythonModule, call: ast.Call, path: str) -> None:
    """Set the steps of a pipeline."""
    pairs = _named_steps(module, call) if path.endswith("Pipeline") else _unnamed(call)
    steps, notes = [], []
    for name, node in pairs:
        made = resolved(module, node)
        if not isinstance(made, ast.Call):
            raise Refused(f"the step `{source(node)}` is not made by a call.", node)
        inner = module.dotted(made.func) or ""
        if inner in PIPELINES:
            raise Refused("a pipeline within a pipeline has no equal.", made)
        estimator, params, own = _made(module, made)
        step = {"name": name or estimator.rpartition(".")[2].lower(), "estimator": estimator}
        steps.append({**step, **({"params": params} if params else {})})
        notes += own
    twice = [name for name, n in Counter(step["name"] for step in steps).items() if n > 1]
    if twice:
        raise Invalid(f"two steps are called `{twice[0]}`.", call, "Name them with `Pipeline`.")
    draft.put(("objective", "steps"), steps, *notes)


def _named_steps(module: PythonModule, call: ast.Call) -> list[tuple[str | None, ast.expr]]:
    given = call.args[0] if call.args else _word(call, "steps")
    listed = resolved(module, given) if given is not None else None
    if not isinstance(listed, ast.List | ast.Tuple):
        raise Refused("the steps of the pipeline are no list in the script.", call)
    pairs: list[tuple[str | None, ast.expr]] = []
    for item in listed.elts:
        pair = resolved(module, item)
        if not (isinstance(pair, ast.Tuple | ast.List) and len(pair.elts) == 2):
            raise Refused(f"the step `{source(item)}` is no pair of name and estimator.", item)
        pairs.append((str(Constants(module).value(pair.elts[0])), pair.elts[1]))
    return pairs


def _unnamed(call: ast.Call) -> list[tuple[str | None, ast.expr]]:
    return [(None, argument) for argument in call.args]


def _word(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def _made(module: PythonModule, call: ast.Call) -> tuple[str, dict[str, Any], list[str]]:
    path = module.dotted(call.func)
    if path is None or "." not in path or path.startswith("."):
        raise Refused(f"no import of this file tells what `{source(call.func)}` is.", call)
    params, notes = {}, []
    for name, node in by_name(call, _positions(call, path)).items():
        value = Constants(module).value(node)
        params[name] = plain(value, place_of(node))
        if has_tuple(value):
            notes.append(f"the tuple `{name}` is written as a list")
    return path, params, notes


def _positions(call: ast.Call, path: str) -> list[str]:
    """Names of the arguments that a class takes by position; only scikit-learn's are imported."""
    if not call.args:
        return []
    if not path.startswith("sklearn."):
        raise Refused(
            f"the arguments of `{source(call)}` must all be named.",
            call,
            "Name them in the script, and import it again.",
        )
    from inspect import Parameter, signature

    from tunesmith.registry import import_path

    try:
        parameters = signature(import_path(path)).parameters.values()
    except (ImportError, AttributeError, ValueError, TypeError):
        raise Refused(f"scikit-learn has no `{path}` today.", call) from None
    return [p.name for p in parameters if p.kind == Parameter.POSITIONAL_OR_KEYWORD]


def vary_once(draft: Draft) -> None:
    """Take parameters that the grid varies out of the fixed ones, which it replaces."""
    params = draft.content["objective"].get("params", {})
    boxes = [box for _, box in _boxes(draft.content["space"])]
    for name in [name for name in params if any(name in box for box in boxes)]:
        value = params.pop(name)
        for box in boxes:
            # In the other grids of a list, it keeps its value.
            box.setdefault(name, [value])
    if not params:
        draft.content["objective"].pop("params", None)


def resolved(module: PythonModule, node: ast.expr) -> ast.expr:
    """Return the expression behind a name, or behind a call of a function of the script.

    Raises:
        Refused: it is not certain, or is changed in place afterwards.
    """
    for _ in range(MAX_NAMES):
        returned = module.returned(node)
        if returned is not None:
            node = returned
            continue
        if not isinstance(node, ast.Name):
            return node
        value, changes = module.value(node)
        if changes:
            raise Refused(f"`{node.id}` is changed in line {changes[0].statement.lineno}.", node)
        node = value
    return node


def replace_auto(draft: Draft) -> None:
    """Replace ``max_features: auto`` of trees, which scikit-learn 1.3 took out, by its equal."""
    objective = draft.content["objective"]
    steps = objective.get("steps", [])
    owners = {f"{step['name']}__max_features": step["estimator"] for step in steps}
    owners |= {"max_features": objective["estimator"]} if "estimator" in objective else {}
    for path, box in _boxes(draft.content["space"]):
        for name, estimator in owners.items():
            values = box.get(name)
            if (
                isinstance(values, list)
                and "auto" in values
                and ".tree." in estimator.replace(".ensemble.", ".tree.")
            ):
                equal: Any = "sqrt" if is_classifier(estimator) else 1.0
                single = distinct([equal if value == "auto" else value for value in values])
                box[name] = single
                draft.note((*path, name), f"`auto` was another name of `{equal}` here")
                if len(single) < len(values) and draft.content["search"]["method"] != "grid":
                    note = f"so the script draws `{equal}` twice as often as it is drawn here"
                    draft.note((*path, name), note)


# -- what installed classes accept ---------------------------------------------------------------


def check_accepted(draft: Draft) -> None:
    """Check names and values of parameters against the classes of scikit-learn.

    Raises:
        Refused: this version has no such parameter, or does not take a value.
    """
    made = _instances(draft.content["objective"])
    if made is None:
        return
    for path, box in _boxes(draft.content["space"]):
        for name, definition in box.items():
            place = draft.place((*path, name))
            owner, own = _owner(made, name, place)
            if owner is None:
                continue
            if own not in owner.get_params():
                kind = type(owner).__name__
                raise Refused(f"`{name}`: {kind} of scikit-learn has no `{own}` today.", place)
            values = definition if isinstance(definition, list) else definition.get("values", [])
            for value in values:
                _check_value(owner, {own: value}, place)
    for owner in made.values():
        if owner is not None:
            _check_value(owner, {}, (0, 0))


def _check_value(owner: Any, values: dict[str, Any], place: Place) -> None:
    from sklearn.base import clone

    try:
        taken = {name: _like(owner.get_params()[name], v) for name, v in values.items()}
        clone(owner).set_params(**taken)._validate_params()
    except (ValueError, TypeError, AttributeError) as error:
        text = " ".join(str(error).split())
        raise Refused(f"scikit-learn does not take it today: {text}", place) from None


def _like(default: Any, value: Any) -> Any:
    """Return a list as a tuple where the default is one, as studies do when they set it."""
    return tuple(value) if isinstance(default, tuple) and isinstance(value, list) else value


def _boxes(space: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    if isinstance(space, list):
        return [(("space", index), box) for index, box in enumerate(space)]
    return [(("space",), space)]


def _instances(objective: dict[str, Any]) -> dict[str, Any] | None:
    """Return estimators by the prefix of their parameters; ``None`` for those of other packages."""
    if "estimator" in objective:
        return {"": _instance(objective["estimator"], objective.get("params", {}))}
    if "steps" in objective:
        steps = objective["steps"]
        return {s["name"]: _instance(s["estimator"], s.get("params", {})) for s in steps}
    return None


def _instance(path: str, params: dict[str, Any]) -> Any:
    if not path.startswith("sklearn."):
        return None
    from tunesmith.registry import import_path

    try:
        made = import_path(path)()
    except TypeError:
        # It needs an argument: an inner estimator.
        made = None
    except (ImportError, AttributeError):
        raise Refused(f"scikit-learn has no `{path}` today.") from None
    defaults = made.get_params() if hasattr(made, "get_params") else {}
    params = {name: _like(defaults.get(name), value) for name, value in params.items()}
    try:
        return import_path(path)(**params)
    except (ImportError, AttributeError):
        raise Refused(f"scikit-learn has no `{path}` today.") from None
    except TypeError as error:
        raise Refused(f"scikit-learn does not take it today: {error}.") from None


def _owner(made: dict[str, Any], name: str, place: Place) -> tuple[Any, str]:
    if "" in made:
        # Parameters of an inner estimator are checked where that is made.
        return (None, name) if "__" in name else (made[""], name)
    step, _, own = name.partition("__")
    if step not in made:
        raise Refused(f"`{name}` names no step of the pipeline.", place)
    # Without a name behind it, the whole step is chosen among.
    return (None, name) if not own or "__" in own else (made[step], own)


def is_classifier(path: str) -> bool | None:
    """Tell whether an estimator is a classifier or a regressor; ``None`` for neither.

    >>> is_classifier("sklearn.svm.SVC"), is_classifier("lightgbm.LGBMRegressor")
    (True, False)
    """
    name = path.rpartition(".")[2]
    if path.startswith("sklearn."):
        from sklearn.base import ClassifierMixin, RegressorMixin

        from tunesmith.registry import import_path

        try:
            cls = import_path(path)
        except (ImportError, AttributeError):
            return None
        return (
            True
            if issubclass(cls, ClassifierMixin)
            else (False if issubclass(cls, RegressorMixin) else None)
        )
    if "Classifier" in name:
        return True
    return False if "Regressor" in name else None
