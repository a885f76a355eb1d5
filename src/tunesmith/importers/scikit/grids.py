"""Param grids: lists, arrays, and scipy's distributions, by name."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.importers.draft import Draft
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.python.values import choices, distinct, has_tuple
from tunesmith.importers.refusal import Refusals, Refused, place_of
from tunesmith.importers.scikit.estimator import MAX_NAMES

Reader = Callable[[ast.expr], tuple[Any, tuple[str, ...]]]
"""Definition of a parameter, and notes, from an expression."""


@dataclass(frozen=True)
class Grids:
    """Reader of the grids of one script."""

    module: PythonModule
    read: Reader

    def put(self, draft: Draft, node: ast.expr) -> None:
        """Set the space: a mapping, or a list of them.

        Raises:
            Refused: all the parts that cannot be converted.
        """
        boxes, n_trials = self.counted(node)
        if n_trials is not None:
            note = "scikit-optimize searches one grid after the other; here they are one search"
            draft.put(("stop", "trials"), n_trials, note)
        refusals = Refusals()
        if len(boxes) > 1:
            draft.content["space"] = [{} for _ in boxes]
        for index, box in enumerate(boxes):
            path: tuple[str | int, ...] = ("space", index) if len(boxes) > 1 else ("space",)
            for name, value in self._entries(box):
                with refusals.collecting():
                    if self._is_step(draft, name, value):
                        continue
                    definition, notes = self.read(value)
                    draft.put((*path, name), definition, *notes)
                    draft.places[(*path, name)] = place_of(value)
        refusals.done()

    def _is_step(self, draft: Draft, name: str, value: ast.expr) -> bool:
        """True if the only choice of a step is the estimator that the pipeline has there."""
        items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
        steps = draft.content["objective"].get("steps", [])
        step = next((s for s in steps if s["name"] == name), None)
        made = items[0] if len(items) == 1 else None
        if step is None or not isinstance(made, ast.Call) or made.args or made.keywords:
            return False
        return step.get("estimator") == self.module.dotted(made.func) and not step.get("params")

    def _boxes(self, node: ast.expr) -> list[ast.expr]:
        inner = self.module.returned(node) or node
        if inner is not node:
            return self._boxes(inner)
        if isinstance(node, ast.Name):
            inner, changes = self.module.value(node)
            if isinstance(inner, ast.Dict | ast.Call) or changes:
                return [node]
            return self._boxes(inner)
        return list(inner.elts) if isinstance(inner, ast.List | ast.Tuple) else [inner]

    def counted(self, node: ast.expr) -> tuple[list[ast.expr], int | None]:
        """Return the grids of a list of ``(grid, trials)``, and all trials together.

        Raises:
            Refused: only some of the grids have trials of their own.
        """
        boxes = self._boxes(node)
        is_pair = [isinstance(box, ast.Tuple) and len(box.elts) == 2 for box in boxes]
        if not any(is_pair):
            return boxes, None
        if not all(is_pair):
            raise Refused("some of the grids have a number of trials, and some have none.", node)
        pairs = [box.elts for box in boxes if isinstance(box, ast.Tuple)]
        return [grid for grid, _ in pairs], sum(Constants(self.module).value(n) for _, n in pairs)

    def _entries(self, node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
        # A key that is given again replaces the first one, as in Python.
        yield from dict(self._pairs(node, 0)).items()

    def _pairs(self, node: ast.expr, depth: int) -> Iterator[tuple[str, ast.expr]]:
        if depth > MAX_NAMES:
            raise Refused(f"`{source(node)}` stands for itself.", node)
        returned = self.module.returned(node)
        if returned is not None:
            yield from self._pairs(returned, depth + 1)
        elif isinstance(node, ast.Name):
            value, changes = self.module.value(node)
            yield from self._pairs(value, depth + 1)
            for change in changes:
                yield from self._changed(change.statement, node, depth)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is None:
                    yield from self._pairs(value, depth + 1)
                else:
                    yield self._name(key), value
        elif isinstance(node, ast.Call) and self.module.dotted(node.func) == "dict":
            yield from self._words(node, depth)
        else:
            raise Refused(f"`{source(node)}` is no grid that this file tells.", node)

    def _words(self, call: ast.Call, depth: int) -> Iterator[tuple[str, ast.expr]]:
        for argument in call.args:
            yield from self._pairs(argument, depth + 1)
        for word in call.keywords:
            if word.arg is None:
                yield from self._pairs(word.value, depth + 1)
            else:
                yield word.arg, word.value

    def _changed(
        self, node: ast.stmt, name: ast.Name, depth: int
    ) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if isinstance(target.value, ast.Name):
                yield self._name(target.slice), node.value
                return
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            is_own = isinstance(call.func.value, ast.Name)
            if is_own and call.func.attr == "update" and not call.keywords and call.args:
                yield from self._pairs(call.args[0], depth + 1)
                return
        raise Refused(f"`{name.id}` is changed in line {node.lineno}.", node)

    def _name(self, key: ast.expr) -> str:
        name = Constants(self.module).value(key)
        if not isinstance(name, str):
            raise Refused(f"`{source(key)}` is no name of a parameter.", key)
        return name


def of_scikit(module: PythonModule, *, is_grid: bool = False) -> Reader:
    """Return a reader of lists, arrays and scipy's distributions.

    Args:
        module: the script.
        is_grid: true if a value that is listed twice is only tried twice.
    """

    def read(node: ast.expr) -> tuple[Any, tuple[str, ...]]:
        expression = node
        for _ in range(MAX_NAMES):
            if not isinstance(expression, ast.Name):
                break
            expression, changes = module.value(expression)
            if changes:
                break
        if isinstance(expression, ast.Call):
            path = module.dotted(expression.func) or ""
            if path.startswith("scipy.stats.") or path.endswith("fixes.loguniform"):
                return distribution(module, expression, path.rpartition(".")[2]), ()
        return listed(module, node, is_grid=is_grid)

    return read


def listed(
    module: PythonModule, node: ast.expr, *, is_grid: bool = False
) -> tuple[Any, tuple[str, ...]]:
    """Read a list of choices."""
    try:
        value = Constants(module).value(node)
    except Refused as refused:
        raise _clearer(module, node, refused) from None
    if isinstance(value, str | dict) or not hasattr(value, "__iter__"):
        raise Refused(f"`{source(node)}` is no list of values.", node)
    items = value.tolist() if hasattr(value, "tolist") else list(value)
    single = distinct(items) if is_grid else items
    note = "tuples are written as lists" if has_tuple(items) else ""
    twice = "values that the script lists twice are here once" if len(single) < len(items) else ""
    return choices(single, place_of(node)), (note, twice)


def _clearer(module: PythonModule, node: ast.expr, refused: Refused) -> Refused:
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    for item in items:
        if isinstance(item, ast.Call) and (module.dotted(item.func) or "x")[0] not in "nm":
            return Refused(
                f"`{source(item)}` is an object of Python, which no configuration holds.",
                item,
                "Make one study for each, or choose among `objective: {estimators: …}` by name.",
            )
    return refused


def distribution(module: PythonModule, call: ast.Call, name: str) -> dict[str, Any]:
    """Convert a frozen distribution of scipy's.

    Raises:
        Refused: its arguments are not constant, or scipy does not take them.
    """
    from scipy import stats

    from tunesmith.space.python import as_written

    arguments = [Constants(module).value(argument) for argument in call.args]
    words = {str(word.arg): Constants(module).value(word.value) for word in call.keywords}
    kind = getattr(stats, {"reciprocal": "loguniform"}.get(name, name), None)
    if not isinstance(kind, stats.rv_continuous | stats.rv_discrete):
        raise Refused(f"scipy.stats has no distribution `{name}`.", call)
    try:
        written: dict[str, Any] = as_written({"x": kind(*arguments, **words)})["x"]
    except (UsageError, TypeError, ValueError) as error:
        raise Refused(f"`{source(call)}`: {error}.", call) from None
    return written
