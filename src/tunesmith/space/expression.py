"""Small safe expressions over parameters, such as ``min_leaf < min_split and depth * 2 <= 20``.

Python's own parser reads the text; only comparisons, arithmetic, boolean operators, literals and
parameter names are allowed, and the tree is walked by hand: nothing is ever ``eval``-ed.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Node = Callable[[Mapping[str, Any]], Any]

# Without `**`: a line such as `9**9**9` in a configuration would never end.
ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARE: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
SIGNS: dict[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
MAX_LENGTH = 500
# As YAML and JSON write them; Python's own spellings are constants to its parser.
WORDS = {"true": True, "false": False, "null": None}


class ExpressionError(ValueError):
    """The text is not one of the expressions that are allowed."""


@dataclass(frozen=True)
class Expression:
    """A parsed condition.

    >>> Expression("a < b and kind in ['x', 'y']").holds({"a": 1, "b": 2, "kind": "x"})
    True
    """

    text: str

    def __post_init__(self) -> None:
        # So that a bad text fails when it is read, and not at the first point.
        _ = self._compiled

    @cached_property
    def _compiled(self) -> tuple[Node, frozenset[str]]:
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(f"longer than {MAX_LENGTH} characters")
        try:
            tree = ast.parse(self.text.strip(), mode="eval")
            return _compile(tree.body), frozenset(_names(tree))
        except SyntaxError as error:
            where = f" at character {error.offset}" if error.offset else ""
            raise ExpressionError(f"`{self.text}` is no condition: {error.msg}{where}") from None
        except (RecursionError, MemoryError):
            raise ExpressionError("it is nested too deeply") from None

    @property
    def names(self) -> frozenset[str]:
        """Names of the parameters in it."""
        return self._compiled[1]

    def holds(self, params: Mapping[str, Any]) -> bool:
        """Tell whether the condition is met, or one of its parameters is inactive.

        Raises:
            ExpressionError: the values cannot be compared or computed with.
        """
        node, names = self._compiled
        if not names <= params.keys():
            return True
        try:
            return bool(node(params))
        except (TypeError, ArithmeticError) as error:
            raise ExpressionError(f"`{self.text}` cannot be computed: {error}") from None


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in WORDS}


def _compile(node: ast.expr) -> Node:
    builder = BUILDERS.get(type(node))
    if builder is None:
        raise ExpressionError(f"`{ast.unparse(node)}` is not allowed in an expression")
    return builder(node)


def _allowed(table: Mapping[type[ast.AST], Any], op: ast.AST) -> Any:
    if type(op) not in table:
        raise ExpressionError(f"the operator {type(op).__name__} is not allowed")
    return table[type(op)]


def _constant(node: Any) -> Node:
    # Bytes, imaginary numbers and `...` are constants to Python's parser as well.
    if not isinstance(node.value, str | int | float | bool | None):
        raise ExpressionError(f"`{ast.unparse(node)}` is not allowed in an expression")
    return lambda _params: node.value


def _name(node: Any) -> Node:
    if node.id in WORDS:
        return lambda _params: WORDS[node.id]
    return lambda params: params[node.id]


def _sequence(node: Any) -> Node:
    items = [_compile(item) for item in node.elts]
    return lambda params: [item(params) for item in items]


def _binary(node: Any) -> Node:
    act, left, right = _allowed(ARITHMETIC, node.op), _compile(node.left), _compile(node.right)
    # A number times a string would let a tiny file build a huge string.
    return lambda params: act(_number(left(params)), _number(right(params)))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _unary(node: Any) -> Node:
    act, operand = _allowed(SIGNS, node.op), _compile(node.operand)
    return lambda params: act(operand(params))


def _compare(node: Any) -> Node:
    acts = [_allowed(COMPARE, op) for op in node.ops]
    terms = [_compile(term) for term in (node.left, *node.comparators)]

    def holds(params: Mapping[str, Any]) -> bool:
        values = [term(params) for term in terms]
        return all(
            act(left, right) for act, left, right in zip(acts, values[:-1], values[1:], strict=True)
        )

    return holds


def _boolean(node: Any) -> Node:
    terms = [_compile(value) for value in node.values]
    combine = all if isinstance(node.op, ast.And) else any
    return lambda params: combine(term(params) for term in terms)


BUILDERS: dict[type[ast.expr], Callable[[Any], Node]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
}
