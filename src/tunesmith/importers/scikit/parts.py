"""Estimators and scorers that no configuration holds: a module of its own has them.

A column transformer, an estimator within another one, a function as an argument: such parts are
copied from the script, with what they need, and the configuration names the copies.
"""

import ast
import re
from dataclasses import dataclass
from inspect import signature
from typing import Any

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.constants import OF_MATH, OF_NUMPY, source, unknown
from tunesmith.importers.python.copying import Copier, laid_out
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused, place_of
from tunesmith.importers.scikit.columns import ColumnReader
from tunesmith.importers.scikit.estimator import MAX_NAMES, resolved
from tunesmith.importers.scikit.rows import Locate, fit_arguments

TEXTS = "sklearn.feature_extraction.text."
"""Its classes take a list of texts, not a table."""
PIPELINES = ("sklearn.pipeline.Pipeline", "imblearn.pipeline.Pipeline")
MAKERS = ("sklearn.pipeline.make_pipeline", "imblearn.pipeline.make_pipeline")
UNIONS = ("sklearn.pipeline.FeatureUnion",)
READING = ("pandas", "polars", "dask", "pyspark", "datasets", "sqlalchemy", "joblib", "pickle")
"""Packages whose calls read data."""
REMOVED = ("needs_proba", "needs_threshold")
"""Arguments of ``make_scorer`` that scikit-learn 1.6 took out."""
SELECTED = ("include", "exclude")
SELECTOR = "make_column_selector"
ONE_COLUMN = '''\
def only_column(X):
    """Return the only column of a table, as transformers of text expect it."""
    return X.iloc[:, 0]'''


@dataclass
class CopiedParts:
    """Parts of one search that are copied into a module.

    Args:
        module: the script.
        search: the call of the search.
        name: of the new module.
        locate: gives ``file:line`` of a place.
    """

    module: PythonModule
    search: ast.Call
    name: str
    locate: Locate

    def __post_init__(self) -> None:
        self._copier = Copier(self.module, check_call, self._by_type)
        self._ends: list[str] = []

    def put_estimator(self, draft: Draft, node: ast.expr) -> None:
        """Set ``factory`` of the objective.

        Raises:
            Refused: the estimator depends on what only a run tells.
        """
        # Behind `return ` in a function.
        made = laid_out(self._copier.copied(node), 11, 4)
        maker = self._free("make_estimator")
        lines = [f"def {maker}():", '    """Return a fresh, unfitted estimator."""']
        if takes_text(self.module, node):
            self._ends.append(ONE_COLUMN.replace("only_column", self._free("only_column")))
            # Imported inside, because the script may have another thing of this name.
            lines += [
                "    from sklearn.preprocessing import FunctionTransformer",
                "",
                f"    made = {made}",
                f'    step = ("column", FunctionTransformer({self._free("only_column")}))',
                "    made.steps.insert(0, step)",
                "    return made",
            ]
        else:
            lines.append(f"    return {made}")
        self._ends.append("\n".join(lines))
        note = f"no configuration can hold this estimator: `{self.name}.py` has a copy of it"
        draft.put(("objective", "factory"), f"{self.name}:{maker}", note)
        draft.places["objective", "factory"] = place_of(node)

    def scorer(self, node: ast.expr) -> dict[str, str]:
        """Return a metric that names the copy of a scorer.

        Raises:
            Refused: it depends on what only a run tells.
        """
        made = self._copier.copied(node)
        if isinstance(made, ast.Name):
            # A function of the script, which has its name in the copy, too.
            return self._metric(made.id)
        if not isinstance(node, ast.Call):
            # A lambda cannot travel to other processes.
            raise unknown(node)
        first = (self.module.dotted(node.args[0]) if node.args else None) or "own"
        name = self._free(f"{first.rpartition('.')[2]}_scorer")
        self._ends.append(f"{name} = {laid_out(made, len(name) + 3)}")
        return self._metric(name)

    def _metric(self, name: str) -> dict[str, str]:
        # A search of scikit-learn maximizes whatever its scorer returns.
        return {"name": name, "direction": "maximize", "scorer": f"{self.name}:{name}"}

    def put(self, draft: Draft) -> None:
        """Add the module to the files of a draft, if anything is in it."""
        text = self._copier.text()
        if "objective" in draft.content and (self._ends or text):
            where = self.locate(place_of(self.search))
            head = f'"""Parts of the search in {where}, which its configuration names."""'
            body = "\n\n\n".join(filter(None, [text, *self._ends]))
            draft.files[f"{self.name}.py"] = f"{head}\n\n{body}\n"

    def _free(self, name: str) -> str:
        """Return a name that the script does not have."""
        while name in self.module.names:
            name = f"{name}_"
        return name

    # -- columns by their type -------------------------------------------------------------------

    def _by_type(self, node: ast.expr) -> ast.expr | None:
        """Return a selector for columns that the script chooses by ``select_dtypes``.

        In each fold it chooses the same ones, as rows do not change the types of columns.
        """
        call = self._selecting(node)
        if call is None or not isinstance(call.func, ast.Attribute):
            return None
        if call.args or not self._is_fitted(call.func.value):
            return None
        words = {str(word.arg): word.value for word in call.keywords}
        if not words or set(words) - set(SELECTED):
            # pandas refuses a selection of nothing.
            return None
        arguments = [
            ast.keyword(f"dtype_{name}", self._copier.copied(value))
            for name, value in words.items()
        ]
        self._copier.require(SELECTOR, f"from sklearn.compose import {SELECTOR}", node)
        return ast.Call(ast.Name(SELECTOR, ast.Load()), [], arguments)

    def _selecting(self, node: ast.expr) -> ast.Call | None:
        """Return the call in ``table.select_dtypes(…).columns.tolist()`` and its like."""
        node = self._behind(node)
        if isinstance(node, ast.Call) and self.module.dotted(node.func) == "list" and node.args:
            node = node.args[0]
        elif isinstance(node, ast.Call) and _attribute(node.func) in ("tolist", "to_list"):
            node = node.func.value  # type: ignore[attr-defined]
        if _attribute(node) == "values":
            node = node.value  # type: ignore[attr-defined]
        if _attribute(node) == "columns":
            node = node.value  # type: ignore[attr-defined]
        is_call = isinstance(node, ast.Call) and _attribute(node.func) == "select_dtypes"
        return node if is_call else None  # type: ignore[return-value]

    def _behind(self, node: ast.expr) -> ast.expr:
        try:
            return resolved(self.module, node)
        except Refused:
            return node

    def _is_fitted(self, table: ast.expr) -> bool:
        """True if the search is fitted on this table, or on rows that were split from it."""
        fit = fit_arguments(self.module, self.search)
        X = fit.words.get("X") if fit else None
        reader = ColumnReader(self.module)
        for _ in range(MAX_NAMES):
            if X is None or not isinstance(table, ast.Name) or not isinstance(X, ast.Name):
                return False
            if X.id == table.id:
                return True
            try:
                X = reader.origin(X)
            except Refused:
                return False
        return False


def module_name(stem: str, label: str) -> str:
    """Name the module of a search.

    >>> module_name("2-train", "gridCV")
    '_2_train_gridcv'
    """
    name = re.sub(r"\W", "_", f"{stem}_{label}", flags=re.ASCII).lower()
    return f"_{name}" if name[0].isdigit() else name


def check_call(path: str, call: ast.Call) -> None:
    """Refuse calls that cannot be taken over.

    Args:
        path: full name of the function.
        call: in the script.

    Raises:
        Refused: it reads data, works on fitted parts, or is not known to be harmless.
    """
    package, _, last = path.rpartition(".")
    top, _, rest = path.partition(".")
    words = {word.arg: word.value for word in call.keywords}
    if any(name == "prefit" or _is_prefit(value) for name, value in words.items()):
        raise Refused(f"`{source(call)}` takes a fitted part, which has no equal.", call)
    # By the habits of all packages that follow scikit-learn, a class makes, and a function works.
    is_maker = last[:1].isupper() or last.startswith("make_")
    if top == "sklearn":
        if package.startswith("sklearn.datasets") or not is_maker:
            raise unknown(call)
        if package == "sklearn.multioutput" or last == "MultiLabelBinarizer":
            raise Refused(f"`{source(call)}` predicts several targets, which has no equal.", call)
        _check_today(path, call)
        return
    if (top == "numpy" and rest in OF_NUMPY) or (top == "math" and rest in OF_MATH):
        return
    if top in READING or not is_maker:
        raise unknown(call)


def _is_prefit(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value == "prefit"


def _check_today(path: str, call: ast.Call) -> None:
    """Check a call of scikit-learn against the version that is installed."""
    from tunesmith.registry import import_path

    try:
        parameters = signature(import_path(path)).parameters
    except (ImportError, AttributeError):
        raise Refused(f"scikit-learn has no `{path}` today.", call) from None
    except (TypeError, ValueError):
        # Made in C, without a signature that Python tells.
        return
    is_open = any(p.kind == p.VAR_KEYWORD for p in parameters.values())
    for word in call.keywords:
        is_gone = path.endswith("make_scorer") and word.arg in REMOVED
        is_new = word.arg is not None and word.arg not in parameters and not is_open
        if is_gone or is_new:
            kind = path.rpartition(".")[2]
            raise Refused(f"{kind} of scikit-learn has no `{word.arg}` today.", call)


def takes_text(module: PythonModule, node: ast.expr) -> bool:
    """Tell whether the first step of a pipeline takes a list of texts."""
    return (_end_of(module, node, first=True) or "").startswith(TEXTS)


def predictor(module: PythonModule, node: ast.expr) -> str | None:
    """Return the full name of the class that predicts, the last one of a pipeline."""
    return _end_of(module, node, first=False)


def _end_of(module: PythonModule, node: ast.expr, *, first: bool, depth: int = 0) -> str | None:
    """Return the class of the first or the last step of a pipeline, or that of an estimator."""
    try:
        call = resolved(module, node)
    except Refused:
        # Changed in place, as by `set_params`, which keeps its steps.
        call = module.value(node)[0] if isinstance(node, ast.Name) else node
    if not isinstance(call, ast.Call) or depth > MAX_NAMES:
        return None
    path = module.dotted(call.func) or ""
    if path in module.functions:
        returned = [n for n in ast.walk(module.functions[path]) if isinstance(n, ast.Return)]
        inner = returned[0].value if len(returned) == 1 else None
        return _end_of(module, inner, first=first, depth=depth + 1) if inner else None
    steps = _steps(module, call, path)
    if steps:
        return _end_of(module, steps[0 if first else -1], first=first, depth=depth + 1)
    return path


def _steps(module: PythonModule, call: ast.Call, path: str) -> list[ast.expr]:
    if path in MAKERS:
        return call.args
    if path not in (*PIPELINES, *UNIONS):
        return []
    words = {word.arg: word.value for word in call.keywords}
    given: Any = call.args[0] if call.args else words.get("steps", words.get("transformer_list"))
    try:
        listed = resolved(module, given)
    except Refused:
        return []
    items = listed.elts if isinstance(listed, ast.List | ast.Tuple) else []
    return [item.elts[1] for item in items if isinstance(item, ast.Tuple) and len(item.elts) == 2]


def check_values(draft: Draft) -> None:
    """Refuse old values that scikit-learn no longer takes, in a space of copied parts.

    Raises:
        Refused: there is one.
    """
    space = draft.content["space"]
    for index, box in enumerate(space if isinstance(space, list) else [space]):
        path = ("space", index) if isinstance(space, list) else ("space",)
        for name, definition in box.items():
            is_old = isinstance(definition, list) and "auto" in definition
            if is_old and name.rpartition("__")[2] == "max_features":
                message = "scikit-learn does not take `auto` for `max_features` today."
                raise Refused(message, draft.place((*path, name)))


def _attribute(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""
