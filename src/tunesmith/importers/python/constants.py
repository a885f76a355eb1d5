"""Values of constant expressions: literals, arithmetic, ``range``, ``numpy.linspace`` and the like.

Nothing of the file is run: calls are made to a fixed list of functions, with constant arguments.
"""

import ast
import builtins
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.importers.python.module import Event, PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.space.expression import ARITHMETIC, SIGNS

MAX_ITEMS = 10_000
MAX_POWER = 1000
MAX_NAMES = 50
"""Names that may stand for each other before it is taken for a circle."""
PLAIN: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (list, tuple, sorted, int, float, str, len, round, bool)},
    **{f.__name__: f for f in (min, max, abs, sum, dict, range, zip, enumerate, reversed)},
}
OF_NUMPY = (
    *("arange", "linspace", "logspace", "geomspace", "array", "asarray", "power", "exp", "log"),
    *("log10", "log2", "sqrt", "concatenate", "append", "round", "around", "unique", "hstack"),
    *("float64", "float32", "int64", "int32", "float_", "int_", "exp2", "flip", "sort"),
)
OF_MATH = ("log", "log10", "log2", "exp", "sqrt", "pow", "ceil", "floor")
METHODS = {
    "tolist": (),
    "astype": (int, float, "int", "float", "int64", "int32", "float64"),
    **dict.fromkeys(("round", "copy", "split", "format", "items", "keys", "values", "lower"), ()),
    **dict.fromkeys(("upper", "replace", "join", "strip", "get", "flatten", "ravel"), ()),
}
VALUES = {"numpy.nan": math.nan, "numpy.inf": math.inf, "math.pi": math.pi, "math.e": math.e}
VALUES |= {"numpy.pi": math.pi, "math.inf": math.inf, "numpy.e": math.e}
SHAPES = {
    "load_boston": (506, 13),
    "load_breast_cancer": (569, 30),
    "load_diabetes": (442, 10),
    "load_digits": (1797, 64),
    "load_iris": (150, 4),
    "load_wine": (178, 13),
    "fetch_california_housing": (20640, 8),
}
"""Rows and columns of scikit-learn's own data sets."""
TYPES = {"int": int, "float": float, "numpy.int64": int, "numpy.int32": int, "numpy.float64": float}


@dataclass
class Constants:
    """Evaluator of constant expressions of one file.

    >>> text = "n = 3\\nx = [2**i for i in range(n)]\\nx.append(None)\\nx"
    >>> module = PythonModule(ast.parse(text))
    >>> Constants(module).value(module.tree.body[-1].value)
    [1, 2, 4, None]
    """

    module: PythonModule
    locals: dict[str, Any] = field(default_factory=dict)
    """Values of loop variables, by name."""
    lookup: Callable[[ast.Name], Any] | None = None
    """Values that a caller knows; raises ``KeyError`` for others."""
    _depth: int = 0

    def value(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            Refused: it is known only if the script runs.
        """
        reader = READERS.get(type(node))
        if reader is None:
            raise unknown(node)
        try:
            result = reader(self, node)
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001 - the script itself would fail there
            raise Refused(f"`{source(node)}` has no value: {error}.", node) from None
        if hasattr(result, "__len__") and len(result) > MAX_ITEMS:
            raise Refused(f"`{source(node)}` has more than {MAX_ITEMS:,} items.", node)
        return result

    def name(self, node: ast.Name) -> Any:
        """Return the value of a name."""
        if node.id in self.locals:
            return self.locals[node.id]
        if self.lookup is not None:
            try:
                return self.lookup(node)
            except KeyError:
                pass
        path = self.module.imports.get(node.id, node.id)
        if path in TYPES:
            return TYPES[path]
        if path in VALUES:
            return VALUES[path]
        if self._depth > MAX_NAMES:
            raise unknown(node)
        expression, changes = self.module.value(node)
        outer = Constants(self.module, lookup=self.lookup, _depth=self._depth + 1)
        result = outer.value(expression)
        if isinstance(result, list | dict) and changes:
            # A copy, as another name may stand for the value before it was changed.
            result = result.copy()
        for change in changes:
            result = outer.changed(result, change, node)
        return result

    def changed(self, value: Any, change: Event, at: ast.Name) -> Any:
        """Return a value after a statement that changes it.

        Raises:
            Refused: the statement is none of the usual ones.
        """
        node = change.statement
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            if isinstance(target.value, ast.Name) and isinstance(value, dict | list):
                value[self.value(target.slice)] = self.value(node.value)
                return value
        call = change.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_own(call):
            method = call.func.attr
            allowed = {"append": list, "extend": list, "insert": list, "update": dict}
            if isinstance(value, allowed.get(method, ())):
                arguments = [self.value(argument) for argument in call.args]
                words = {str(w.arg): self.value(w.value) for w in call.keywords}
                getattr(value, method)(*arguments, **words)
                return value
        raise Refused(f"`{at.id}` is changed in line {node.lineno}.", node)

    # -- kinds of expressions --------------------------------------------------------------------

    def _sequence(self, node: Any) -> Any:
        items: list[Any] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                items.extend(self.value(item.value))
            else:
                items.append(self.value(item))
        return tuple(items) if isinstance(node, ast.Tuple) else items

    def _dict(self, node: Any) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                result |= self.value(value)
            else:
                result[self.value(key)] = self.value(value)
        return result

    def _unary(self, node: Any) -> Any:
        if type(node.op) not in SIGNS:
            raise unknown(node)
        return SIGNS[type(node.op)](self.value(node.operand))

    def _binary(self, node: Any) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        return binary(node, left, right)

    def _attribute(self, node: Any) -> Any:
        path = self.module.dotted(node) or ""
        if path in VALUES:
            return VALUES[path]
        if path in TYPES:
            return TYPES[path]
        told = self.module.attribute(node)
        if told is not None:
            return Constants(self.module, _depth=self._depth + 1).value(told)
        if node.attr == "shape" and self._depth < MAX_NAMES:
            return self._shape(node)
        raise unknown(node)

    def _shape(self, node: ast.Attribute) -> tuple[int, int]:
        """Return the shape of the table of a data set that scikit-learn brings along."""
        table: ast.expr = node.value
        if isinstance(table, ast.Name):
            table, changes = self.module.value(table)
            if changes:
                raise unknown(node)
        if isinstance(table, ast.Attribute) and table.attr == "data":
            made: ast.expr = table.value
            if isinstance(made, ast.Name):
                made, _ = self.module.value(made)
            path = self.module.dotted(made.func) if isinstance(made, ast.Call) else None
            package, _, name = (path or "").rpartition(".")
            if package == "sklearn.datasets" and name in SHAPES and _is_bare(made):
                return SHAPES[name]
        raise unknown(node)

    def _subscript(self, node: Any) -> Any:
        if isinstance(node.slice, ast.Slice):
            parts = (node.slice.lower, node.slice.upper, node.slice.step)
            return self.value(node.value)[
                slice(*(None if part is None else self.value(part) for part in parts))
            ]
        return self.value(node.value)[self.value(node.slice)]

    def _text(self, node: Any) -> str:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion not in (-1, 115):
                    raise unknown(node)
                parts.append(str(self.value(part.value)))
            else:
                parts.append(str(part.value))
        return "".join(parts)

    def _condition(self, node: Any) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _comprehension(self, node: Any) -> Any:
        if isinstance(node, ast.DictComp):
            return {
                inner.value(node.key): inner.value(node.value)
                for inner in self.loops(node.generators)
            }
        return [inner.value(node.elt) for inner in self.loops(node.generators)]

    def loops(self, generators: list[ast.comprehension]) -> "Iterator[Constants]":
        """Yield an evaluator for each round of the loops of a comprehension."""
        if not generators:
            yield self
            return
        first, *others = generators
        for count, item in enumerate(self.value(first.iter)):
            if count >= MAX_ITEMS:
                raise Refused(f"more than {MAX_ITEMS:,} items.", first.iter)
            names = bound(first.target, item)
            inner = Constants(self.module, {**self.locals, **names}, self.lookup, self._depth)
            if all(inner.value(test) for test in first.ifs):
                yield from inner.loops(others)

    def _compare(self, node: Any) -> bool:
        values = [self.value(part) for part in (node.left, *node.comparators)]
        pairs = zip(node.ops, values[:-1], values[1:], strict=True)
        return all(compare(op, left, right) for op, left, right in pairs)

    def _call(self, node: Any) -> Any:
        returned = self.module.returned(node) if self._depth < MAX_NAMES else None
        if returned is not None:
            return Constants(self.module, _depth=self._depth + 1).value(returned)
        function = self._function(node)
        arguments: list[Any] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                arguments += self.value(argument.value)
            else:
                arguments.append(self.value(argument))
        words = {w.arg: self.value(w.value) for w in node.keywords}
        if None in words:
            raise unknown(node)
        return function(*arguments, **words)

    def _function(self, node: ast.Call) -> Callable[..., Any]:
        path = self.module.dotted(node.func) or ""
        if path in PLAIN and path not in self.module.functions:
            return _bounded_range if path == "range" else PLAIN[path]
        package, _, name = path.partition(".")
        if package == "numpy" and name in OF_NUMPY:
            return _numpy(name)
        if package == "math" and name in OF_MATH:
            function: Callable[..., Any] = getattr(math, name)
            return function
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            method: Callable[..., Any] = getattr(self.value(node.func.value), node.func.attr)
            return method
        raise unbound(self.module, node) or unknown(node)


def _bounded_range(*arguments: int) -> list[int]:
    numbers = range(*arguments)
    if len(numbers) > MAX_ITEMS:
        raise ValueError(f"more than {MAX_ITEMS:,} numbers")
    return list(numbers)


def _numpy(name: str) -> Callable[..., Any]:
    import numpy as np

    aliases = {"float_": "float64", "int_": "int64"}
    function: Callable[..., Any] = getattr(np, aliases.get(name, name))
    if name not in ("arange", "linspace", "logspace", "geomspace"):
        return function

    def bounded(*arguments: Any, **words: Any) -> Any:
        numbers = [a for a in (*arguments, *words.values()) if isinstance(a, int | float)]
        if name == "arange":
            start, stop, step = ([0, *numbers, 1] if len(numbers) == 1 else [*numbers, 1])[:3]
            size = (stop - start) / step
        else:
            size = words.get("num", arguments[2] if len(arguments) > 2 else 50)
        if not size <= MAX_ITEMS:
            raise ValueError(f"more than {MAX_ITEMS:,} numbers")
        return function(*arguments, **words)

    return bounded


def binary(node: ast.BinOp, left: Any, right: Any) -> Any:
    """Compute a binary operation of two constants.

    Raises:
        Refused: the operation is none of arithmetic, or its result would be huge.
    """
    if isinstance(node.op, ast.Pow):
        if not (isinstance(right, int | float) and abs(right) <= MAX_POWER):
            if hasattr(right, "tolist") and abs(right).max() <= MAX_POWER:
                return left**right
            raise unknown(node)
        if isinstance(left, int) and abs(left) > 10**6:
            raise unknown(node)
        return left**right
    if type(node.op) not in ARITHMETIC:
        raise unknown(node)
    if isinstance(node.op, ast.Mult):
        counts = [n for n in (left, right) if isinstance(n, int)]
        if any(isinstance(v, str | list | tuple) for v in (left, right)) and max(counts) > 1000:
            raise unknown(node)
    return ARITHMETIC[type(node.op)](left, right)


def compare(op: ast.cmpop, left: Any, right: Any) -> bool:
    """Compare two constants."""
    operations: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.Is: operator.is_,
        ast.IsNot: operator.is_not,
        ast.In: lambda a, b: a in b,
        ast.NotIn: lambda a, b: a not in b,
    }
    return bool(operations[type(op)](left, right))


def bound(target: ast.expr, item: Any) -> dict[str, Any]:
    """Return the values of the names of a loop's target."""
    if isinstance(target, ast.Name):
        return {target.id: item}
    if isinstance(target, ast.Tuple | ast.List):
        names: dict[str, Any] = {}
        for inner, value in zip(target.elts, item, strict=True):
            names |= bound(inner, value)
        return names
    raise unknown(target)


def _is_bare(node: ast.expr) -> bool:
    """True for a call that takes all of a data set."""
    return isinstance(node, ast.Call) and not node.args and not node.keywords


def unknown(node: ast.expr) -> Refused:
    """Return the refusal of an expression that only a run would evaluate."""
    return Refused(f"`{source(node)}` is known only if the script runs.", node)


def unbound(module: PythonModule, node: ast.Call) -> Refused | None:
    """Return the refusal of a call of which no line of the file tells the function.

    >>> str(unbound(PythonModule(ast.parse("x")), ast.parse("np.exp(1)", mode="eval").body))
    'no import of this file tells what `np` in `np.exp(1)` is.'
    """
    root: ast.AST = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name) or hasattr(builtins, root.id) or "*" in module.imports:
        return None
    if root.id in module.names:
        return None
    text = f"no import of this file tells what `{root.id}` in `{source(node)}` is."
    return Refused(text, node, "Add the import to the script, and import it again.")


def source(node: ast.AST) -> str:
    """Return the text of an expression, shortened."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _is_own(call: ast.Call) -> bool:
    """True for ``name.method(…)``, false for a method of a part of the value."""
    return isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)


READERS: dict[type[ast.expr], Callable[[Constants, Any], Any]] = {
    ast.Constant: lambda _, node: node.value,
    ast.Name: Constants.name,
    ast.List: Constants._sequence,
    ast.Tuple: Constants._sequence,
    ast.Dict: Constants._dict,
    ast.UnaryOp: Constants._unary,
    ast.BinOp: Constants._binary,
    ast.Attribute: Constants._attribute,
    ast.Subscript: Constants._subscript,
    ast.JoinedStr: Constants._text,
    ast.IfExp: Constants._condition,
    ast.ListComp: Constants._comprehension,
    ast.GeneratorExp: Constants._comprehension,
    ast.DictComp: Constants._comprehension,
    ast.Compare: Constants._compare,
    ast.Call: Constants._call,
}
