"""Literals of Python: their JSON values, and JSON values as literals."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.formats import FormatError, dotted
from tunesmith.types import Value

NOT_PLAIN: tuple[tuple[type[ast.AST], str], ...] = (
    (ast.JoinedStr, "an f-string"),
    (ast.Call, "the result of a call"),
    (ast.Name, "the value of another name"),
    (ast.Attribute, "the value of another name"),
    (ast.BinOp, "computed"),
    (ast.IfExp, "chosen by a condition"),
    (ast.Lambda, "a function"),
    (ast.Set, "a set"),
    (ast.ClassDef, "a class"),
)


@dataclass(frozen=True)
class Style:
    """The style in which a module writes texts."""

    quote: str
    """``'`` or ``"``."""
    is_ascii: bool
    """True if only ASCII may be written."""


def literal(node: ast.expr | ast.ClassDef, place: tuple[str, ...]) -> Value:
    """Return the JSON value of a literal; tuples become lists.

    Raises:
        FormatError: it is none.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if isinstance(number, int | float) and not isinstance(number, bool):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.List | ast.Tuple):
        return [literal(item, place) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {_key(key, node, place): literal(item, place) for key, item in _items(node)}
    what = next((word for kind, word in NOT_PLAIN if isinstance(node, kind)), "no plain value")
    raise FormatError(f"`{dotted(place)}` is {what} (line {node.lineno}), no literal constant")


def _items(node: ast.Dict) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    yield from zip(node.keys, node.values, strict=True)


def _key(key: ast.expr | None, node: ast.Dict, place: tuple[str, ...]) -> str:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value
    raise FormatError(f"`{dotted(place)}` has keys that are no texts (line {node.lineno})")


def written(value: Value, place: tuple[str, ...], before: ast.expr | None, style: Style) -> str:
    """Return a value as a literal, in the style of the one that it replaces."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise FormatError(f"`{dotted(place)}` is {value}: no number to go on with") from None
    if isinstance(value, list) and isinstance(before, ast.Tuple):
        inner = ", ".join(_literal(item, style) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return _literal(value, style)


def _literal(value: Value, style: Style) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(item, style) for item in value)}]"
    if isinstance(value, dict):
        items = [f"{_text(k, style)}: {_literal(v, style)}" for k, v in value.items()]
        return f"{{{', '.join(items)}}}"
    return _text(value, style) if isinstance(value, str) else repr(value)


def _text(value: str, style: Style) -> str:
    written = ascii(value) if style.is_ascii else repr(value)
    if style.quote == '"' and written[0] == "'" and '"' not in value:
        return f'"{written[1:-1]}"'
    return written
