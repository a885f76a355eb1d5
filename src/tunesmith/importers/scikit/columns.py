"""The columns that a script learns from, as its calls of pandas tell them."""

import ast
from dataclasses import dataclass
from typing import Any

from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import FUNCTIONS, PythonModule
from tunesmith.importers.refusal import Refused

READERS = ("pandas.read_csv", "pandas.read_parquet", "pandas.read_feather")
SAME_COLUMNS = ("copy", "to_numpy")
HARMLESS = ("encoding", "engine", "low_memory")
"""Arguments of readers that leave the columns as they are."""
MAX_STEPS = 50
DOUBTFUL = (ast.If, ast.For, ast.While, ast.Try, ast.IfExp, *FUNCTIONS)
"""Nodes within which a change may not happen, or more than once."""


@dataclass
class FittedColumns:
    """FittedColumns of a table that are left: those selected, without those dropped."""

    selected: list[str] | None = None
    dropped: tuple[str, ...] = ()

    def drop(self, names: list[str]) -> None:
        """Leave columns out."""
        self.dropped = tuple(dict.fromkeys((*self.dropped, *names)))
        if self.selected is not None:
            self.selected = [name for name in self.selected if name not in names]


class ColumnReader:
    """Reads expressions of pandas; whatever is not one of its forms is refused."""

    def __init__(self, module: PythonModule) -> None:
        self.module = module

    def columns(self, node: ast.expr, steps: int = 0, until: int = 0) -> FittedColumns:
        """Return the columns that an expression has.

        Args:
            node: the expression.
            steps: number of expressions that this one is within.
            until: line up to which changes count, if another name of the table is used there.

        Raises:
            Refused: it is not one of the forms that are understood.
        """
        if steps > MAX_STEPS:
            raise unread(node)
        if isinstance(node, ast.Name):
            value = self.origin(node)
            until = max(until, node.lineno)
            columns = self.columns(value, steps + 1, until if isinstance(value, ast.Name) else 0)
            self._change(columns, node, value, until)
            return columns
        if isinstance(node, ast.Attribute) and node.attr == "values":
            return self.columns(node.value, steps + 1)
        if isinstance(node, ast.Subscript):
            return self._selected(node, steps)
        if isinstance(node, ast.Call):
            return self._called(node, steps)
        raise unread(node)

    def column(self, node: ast.expr) -> str:
        """Return the name of the single column that an expression is.

        Raises:
            Refused: it is not one of the forms that are understood.
        """
        for _ in range(MAX_STEPS):
            if isinstance(node, ast.Name):
                name, node = node, self.origin(node)
                self._change(FittedColumns(), name, node, name.lineno)
            elif isinstance(node, ast.Attribute) and node.attr == "values":
                node = node.value
            elif isinstance(node, ast.Call) and _method(node) in (*SAME_COLUMNS, "ravel"):
                node = _owner(node)
            else:
                break
        if isinstance(node, ast.Call) and _method(node) == "pop" and len(node.args) == 1:
            return self._names(node.args[0], node)[0]
        if isinstance(node, ast.Attribute):
            self.columns(node.value)
            return node.attr
        if isinstance(node, ast.Subscript):
            names = self._names(_labels(node), node)
            if len(names) == 1:
                return names[0]
        raise unread(node)

    def origin(self, name: ast.Name) -> ast.expr:
        """Return the value of a name; of a part of ``train_test_split``, the table it is of.

        Raises:
            Refused: it is not certain.
        """
        bound = [
            node
            for node in ast.walk(self.module.tree)
            if isinstance(node, ast.Name)
            and node.id == name.id
            and isinstance(node.ctx, ast.Store)
            and self.module.scope(node) is self.module.scope(name)
        ]
        around = self.module.parents[bound[0]] if len(bound) == 1 else None
        assign = self.module.parents[around] if isinstance(around, ast.Tuple) else None
        if isinstance(assign, ast.Assign) and isinstance(assign.value, ast.Call):
            call, index = assign.value, around.elts.index(bound[0]) // 2  # type: ignore[union-attr]
            is_split = (self.module.dotted(call.func) or "").endswith("train_test_split")
            if is_split and index < len(call.args):
                part: ast.expr = call.args[index]
                return part
        try:
            return self.module.value(name)[0]
        except Refused:
            raise unread(name) from None

    def _change(self, columns: FittedColumns, name: ast.Name, value: ast.expr, until: int) -> None:
        """Take note of what is changed in place between a name's value and its use."""
        for node in ast.walk(self.module.tree):
            line = getattr(node, "lineno", 0)
            if not value.lineno <= line <= until or self._is_other(node, name):
                continue
            dropped: list[str] = []
            if isinstance(node, ast.Call):
                dropped = self._dropped_in_place(node)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Del):
                dropped = self._names(_labels(node), node)
            elif isinstance(node, ast.Subscript | ast.Attribute):
                self._refuse_stored(node)
            if dropped and not self._is_certain(node, name):
                raise Refused(f"`{source(node)}`", node)
            columns.drop(dropped)

    def _refuse_stored(self, node: ast.Subscript | ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store):
            raise Refused(f"`{source(self.module.parents[node])}`", node)

    def _is_certain(self, node: ast.AST, name: ast.Name) -> bool:
        """True if a change happens once whenever the place of the name is reached."""
        return self._doubtful(node) <= self._doubtful(name)

    def _doubtful(self, node: ast.AST) -> set[ast.AST]:
        around: set[ast.AST] = set()
        while node in self.module.parents:
            node = self.module.parents[node]
            if isinstance(node, DOUBTFUL):
                around.add(node)
        return around

    def _is_other(self, node: ast.AST, name: ast.Name) -> bool:
        """True if a node is no access to what a name stands for."""
        if isinstance(node, ast.Call):
            node = node.func
        if not isinstance(node, ast.Attribute | ast.Subscript):
            return True
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        return not isinstance(node, ast.Name) or node.id != name.id

    def _dropped_in_place(self, call: ast.Call) -> list[str]:
        words = {word.arg: word.value for word in call.keywords}
        if _method(call) == "pop" and len(call.args) == 1:
            return self._names(call.args[0], call)
        if not _is_false(words.get("inplace")):
            if _method(call) != "drop":
                raise unread(call)
            return self._dropped(call)
        if _method(call) in ("insert", "update"):
            raise unread(call)
        return []

    def _selected(self, node: ast.Subscript, steps: int) -> FittedColumns:
        labels = _labels(node)
        if not isinstance(self._value(labels, node), list | tuple):
            raise unread(node)
        is_loc = isinstance(node.value, ast.Attribute) and node.value.attr == "loc"
        table: ast.expr = node.value.value if is_loc else node.value  # type: ignore[attr-defined]
        columns = self.columns(table, steps + 1)
        columns.selected = self._names(labels, node)
        return columns

    def _called(self, call: ast.Call, steps: int) -> FittedColumns:
        if self.module.dotted(call.func) in READERS:
            return self._table(call)
        method = _method(call)
        if method in SAME_COLUMNS:
            return self.columns(_owner(call), steps + 1)
        if method != "drop":
            raise unread(call)
        columns = self.columns(_owner(call), steps + 1)
        columns.drop(self._dropped(call))
        return columns

    def _dropped(self, call: ast.Call) -> list[str]:
        words = {str(word.arg): word.value for word in call.keywords}
        if set(words) - {"columns", "labels", "axis", "inplace", "errors"} or len(call.args) > 2:
            raise unread(call)
        words |= dict(zip(("labels", "axis"), call.args, strict=False))
        if "columns" in words and "labels" not in words:
            return self._names(words["columns"], call)
        axis = self._value(words["axis"], call) if "axis" in words else 0
        if "labels" not in words or axis not in (1, "columns"):
            # Without an axis, `drop` is of rows.
            raise unread(call)
        return self._names(words["labels"], call)

    def _table(self, call: ast.Call) -> FittedColumns:
        words = {str(word.arg): word.value for word in call.keywords}
        columns = FittedColumns()
        for key, node in words.items():
            if key in ("usecols", "columns"):
                columns.selected = self._names(node, call)
            elif key == "index_col" and isinstance(self._value(node, call), str):
                columns.drop(self._names(node, call))
            elif key not in HARMLESS:
                raise unread(call)
        return columns

    def _names(self, node: ast.expr, around: ast.expr) -> list[str]:
        value = self._value(node, around)
        names = [value] if isinstance(value, str) else value
        is_text = isinstance(names, list | tuple) and all(isinstance(n, str) for n in names)
        if not is_text or not names:
            raise unread(around)
        return list(names)

    def _value(self, node: ast.expr, around: ast.expr) -> Any:
        try:
            return Constants(self.module).value(node)
        except Refused:
            raise unread(around) from None


def unread(node: ast.expr) -> Refused:
    """Return the refusal of an expression that is not one of the forms that are understood."""
    return Refused(f"`{source(node)}`", node)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _owner(call: ast.Call) -> ast.expr:
    return call.func.value if isinstance(call.func, ast.Attribute) else call


def _labels(node: ast.Subscript) -> ast.expr:
    """Return the labels in ``df[labels]`` or ``df.loc[:, labels]``."""
    is_loc = isinstance(node.value, ast.Attribute) and node.value.attr == "loc"
    if not is_loc:
        return node.slice
    inner = node.slice
    if isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
        rows, labels = inner.elts
        if isinstance(rows, ast.Slice) and not (rows.lower or rows.upper or rows.step):
            return labels
    raise unread(node)


def _is_false(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and not node.value)
