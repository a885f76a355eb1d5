"""Assignments of a Python module's names, and changes of their values; nothing is run."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BLOCKS: dict[type[ast.AST], str] = {
    ast.If: "an `if`",
    ast.For: "a loop",
    ast.While: "a loop",
    ast.Try: "a `try`",
    ast.With: "a `with`",
}


@dataclass(frozen=True)
class Binding:
    """A place that gives a name a value."""

    line: int
    value: ast.expr | ast.ClassDef | None = None
    """The assigned value, if it is a plain expression."""
    reason: str = ""
    """Reason for which it is not."""


def bindings(body: Sequence[ast.stmt], *, is_module: bool) -> dict[str, list[Binding]]:
    """Every binding of a module's or class's own names, in order.

    Args:
        body: its statements.
        is_module: count ``if __name__ == "__main__"`` and ``global``, too.
    """
    by_name: dict[str, list[Binding]] = {}
    for statement in _plain(body) if is_module else body:
        for name, binding in _bound(statement):
            by_name.setdefault(name, []).append(binding)
    if is_module:
        for name, line in _globals(body):
            reason = f"is set by a function, too (line {line})"
            by_name.setdefault(name, []).append(Binding(line, reason=reason))
    return by_name


def star_imports(body: Sequence[ast.stmt]) -> list[tuple[int, str]]:
    """(line, module) of every ``from … import *``."""
    nodes = (node for statement in body for node in _nodes(statement))
    return [
        (node.lineno, node.module or ".")
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]


def _plain(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run one after the other when the module is run as a program."""
    for statement in body:
        if not isinstance(statement, ast.If):
            yield statement
        elif _is_main(statement.test):
            yield from _plain([*statement.body, *statement.orelse])
        # Its body is for type checkers and never runs.
        elif _is_type_checking(statement.test):
            yield from _plain(statement.orelse)
        else:
            yield statement


def _is_main(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    sides = {ast.unparse(test.left), ast.unparse(test.comparators[0])}
    return isinstance(test.ops[0], ast.Eq) and sides == {"__name__", "'__main__'"}


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test).rpartition(".")[2] == "TYPE_CHECKING"


def _bound(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    """The names that a statement binds."""
    line = statement.lineno
    if isinstance(statement, ast.ClassDef):
        yield statement.name, Binding(line, statement)
        return
    plain = dict(_assigned(statement))
    yield from plain.items()
    is_declared = isinstance(statement, ast.AnnAssign) and statement.value is None
    for node in _nodes(statement) if not is_declared else ():
        for name in _stored(node):
            if name not in plain:
                yield name, Binding(node_line(node, line), reason=_reason(statement, node, line))


def _reason(statement: ast.stmt, node: ast.AST, line: int) -> str:
    if isinstance(statement, ast.AugAssign):
        return f"is changed in line {line}"
    if isinstance(statement, FUNCTIONS):
        return f"is a function (line {line})"
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return f"is imported (line {line})"
    if isinstance(statement, ast.Delete):
        return f"is deleted in line {line}"
    block = next((word for kind, word in BLOCKS.items() if isinstance(statement, kind)), None)
    at = node_line(node, line)
    return f"is set within {block} (line {at})" if block else f"is no plain assignment (line {at})"


def node_line(node: ast.AST, default: int) -> int:
    """The line of a node, from 1."""
    return int(getattr(node, "lineno", default))


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    """Names that one statement gives a value each."""
    line = statement.lineno
    if isinstance(statement, ast.AnnAssign):
        if isinstance(statement.target, ast.Name) and statement.value is not None:
            yield statement.target.id, Binding(line, statement.value)
        return
    if not isinstance(statement, ast.Assign):
        return
    if len(statement.targets) > 1:
        reason = f"shares its value with other names (line {line})"
        for target in statement.targets:
            yield from ((name, Binding(line, reason=reason)) for name in _names_in(target))
        return
    yield from _paired(statement.targets[0], statement.value, line)


def _paired(target: ast.expr, value: ast.expr, line: int) -> Iterator[tuple[str, Binding]]:
    if isinstance(target, ast.Name):
        yield target.id, Binding(line, value)
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        is_even = len(parts) == len(target.elts) and not any(
            isinstance(part, ast.Starred) for part in (*parts, *target.elts)
        )
        for index, inner in enumerate(target.elts):
            if is_even:
                yield from _paired(inner, parts[index], line)
            else:
                reason = f"is unpacked from something (line {line})"
                yield from ((name, Binding(line, reason=reason)) for name in _names_in(inner))


def _names_in(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _nodes(node: ast.AST, *, is_inner: bool = False) -> Iterator[ast.AST]:
    """A node and all beneath it of the same scope."""
    if is_inner and isinstance(node, ast.comprehension):
        # Its targets are names of its own.
        for part in (node.iter, *node.ifs):
            yield from _nodes(part, is_inner=True)
        return
    yield node
    if isinstance(node, SCOPES):
        return
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, is_inner=True)


def _stored(node: ast.AST) -> Iterator[str]:
    """The names that one node binds."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
    elif isinstance(
        node, (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
    ):
        yield from [node.name] if node.name else []
    elif isinstance(node, ast.MatchMapping):
        yield from [node.rest] if node.rest else []


def _globals(body: Sequence[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Yield (name, line) of the names of the module that functions bind."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                inner = [n for part in node.body for n in ast.walk(part)]
                named = {n for part in inner if isinstance(part, ast.Global) for n in part.names}
                for part in inner if named else ():
                    yield from ((n, node_line(part, 0)) for n in _stored(part) if n in named)


def function_locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """A function's own names, which hide those of the module."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    nodes = [node for part in function.body for node in _nodes(part)]
    stored = {name for node in nodes for name in _stored(node)}
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    return frozenset(({arg.arg for arg in named if arg} | stored) - shared)
