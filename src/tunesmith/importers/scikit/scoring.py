"""The ``scoring`` of a scikit-learn search as metrics."""

import ast
from collections.abc import Callable
from typing import Any

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.estimator import is_classifier, resolved

HERE = ("objective", "metric")
MADE = {
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "f1_score": "f1",
    "precision_score": "precision",
    "recall_score": "recall",
    "jaccard_score": "jaccard",
    "r2_score": "r2",
    "matthews_corrcoef": "matthews_corrcoef",
    "mean_squared_error": "neg_mean_squared_error",
    "mean_absolute_error": "neg_mean_absolute_error",
    "median_absolute_error": "neg_median_absolute_error",
    "mean_absolute_percentage_error": "neg_mean_absolute_percentage_error",
    "root_mean_squared_error": "neg_root_mean_squared_error",
    "mean_squared_log_error": "neg_mean_squared_log_error",
    "explained_variance_score": "explained_variance",
}
"""Functions of scikit-learn's metrics, and the scorer that ``make_scorer`` makes of each."""
AVERAGED = ("f1", "precision", "recall", "jaccard")
AVERAGES = ("micro", "macro", "weighted", "samples")
OwnScorer = Callable[[ast.expr], dict[str, str]]


def put_metric(
    draft: Draft,
    module: PythonModule,
    node: ast.expr | None,
    refit: ast.expr | None,
    *,
    predictor: str | None = None,
    own: OwnScorer | None = None,
) -> None:
    """Set ``metric``, and ``also`` for the others of several.

    Args:
        draft: to complete.
        module: the script.
        node: ``scoring`` of the search.
        refit: ``refit`` of the search.
        predictor: full name of the class that predicts, if the draft does not name it.
        own: returns a metric for a scorer that has no name, from its expression.

    Raises:
        Refused: the scorer is known only if the script runs.
    """
    if refit is not None and not isinstance(refit, ast.Constant):
        draft.note(
            HERE,
            f"the script chooses the winner by `{source(refit)}`; here the best one wins, unless"
            " you set `selection` (docs/reports.md)",
        )
    made = None if node is None else behind(module, node)
    if made is None or (isinstance(made, ast.Constant) and made.value is None):
        _put_default(draft, node, predictor)
        return
    if isinstance(made, ast.Constant | ast.Call | ast.Name | ast.Attribute):
        draft.put(HERE, _metric(module, made, own))
        return
    _put_several(draft, _several(module, made, own), refit, made)


def _put_several(
    draft: Draft,
    names: dict[str, str | dict[str, str]],
    refit: ast.expr | None,
    made: ast.expr,
) -> None:
    """Set the metric that decides, and the others behind it."""
    wanted = refit.value if isinstance(refit, ast.Constant) else None
    if not isinstance(wanted, str):
        first = next(iter(names))
        draft.note(
            HERE, f"the script scores {len(names)} metrics, and no `refit` chooses: `{first}`"
        )
        wanted = first
    if wanted not in names:
        raise Refused(f"`refit` names no metric of `scoring`: `{wanted}`.", made)
    draft.put(HERE, names.pop(wanted))
    if names:
        draft.put(("objective", "also"), list(names.values()))


def _put_default(draft: Draft, node: ast.expr | None, predictor: str | None) -> None:
    objective = draft.content["objective"]
    steps = objective.get("steps") or [{"estimator": predictor or ""}]
    path = objective.get("estimator") or steps[-1]["estimator"]
    kind = is_classifier(path)
    if kind is None:
        whose = f"`{path}`" if path else "the estimator"
        raise Refused(
            f"no metric here equals the `score` of {whose}.",
            node or (0, 0),
            "Name the `scoring` in the script, and import it again.",
        )
    name = "accuracy" if kind else "r2"
    draft.put(HERE, name, "the script names no `scoring`: the estimator's own score is this one")


def _several(
    module: PythonModule, node: ast.expr, own: OwnScorer | None
) -> dict[str, str | dict[str, str]]:
    """Return the scorers of several metrics, by the names that the script gives them."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {
            str(Constants(module).value(key)): _metric(module, behind(module, value), own)
            for key, value in pairs
            if key is not None
        }
    if isinstance(node, ast.List | ast.Tuple):
        names = [_name(module, resolved(module, item)) for item in node.elts]
        return dict(zip(names, names, strict=True))
    raise Refused(f"the scorer `{source(node)}` is known only if the script runs.", node)


def behind(module: PythonModule, node: ast.expr) -> ast.expr:
    """Return the expression behind a name; a name that is no variable stays."""
    if isinstance(node, ast.Name) and (node.id in module.imports or node.id in module.functions):
        return node
    return resolved(module, node)


def _metric(module: PythonModule, node: ast.expr, own: OwnScorer | None) -> str | dict[str, str]:
    """Return the name of a scorer, or a metric that names a copy of it."""
    try:
        return _name(module, node)
    except Refused as refused:
        # A text that scikit-learn does not know is a mistake, and no scorer to copy.
        if own is None or isinstance(node, ast.Constant):
            raise
        try:
            return own(node)
        except Refused:
            # What it is tells you more than why it could not be copied.
            raise refused from None


def _name(module: PythonModule, node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _checked(node.value, node)
    if isinstance(node, ast.Call):
        path = module.dotted(node.func) or ""
        if path.endswith("make_scorer"):
            return _checked(_of_function(module, node), node)
        if path.endswith("get_scorer") and node.args:
            return _name(module, resolved(module, node.args[0]))
    raise Refused(
        f"the scorer `{source(node)}` has no name.",
        node,
        "Put it into a module, and name it under `metric` with `scorer: module:function`.",
    )


def _checked(name: str, node: ast.expr) -> str:
    from sklearn.metrics import get_scorer_names

    if name not in get_scorer_names():
        raise Refused(f"scikit-learn has no scorer `{name}` today.", node)
    return name


def _of_function(module: PythonModule, call: ast.Call) -> str:
    function = (module.dotted(call.args[0]) or "") if call.args else ""
    package, _, last = function.rpartition(".")
    words: dict[str, Any] = {
        str(word.arg): Constants(module).value(word.value) for word in call.keywords
    }
    name = MADE.get(last) if package.startswith("sklearn.metrics") else None
    if name is not None:
        is_loss = name.startswith("neg_")
        average = words.pop("average", None)
        if name in AVERAGED and average in AVERAGES:
            name = f"{name}_{average}"
            average = None
        # A loss that is made a scorer without the sign would be maximized.
        greater = words.pop("greater_is_better", True)
        if not words and average in (None, "binary") and greater is not is_loss:
            return name
    raise Refused(
        f"no named scorer of scikit-learn equals `{source(call)}`.",
        call,
        "Put it into a module, and name it under `metric` with `scorer: module:function`.",
    )
