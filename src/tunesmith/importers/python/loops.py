"""Runs of a loop over values that the file tells: a search in it is one search for each value."""

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.importers.python.constants import Constants
from tunesmith.importers.python.module import FUNCTIONS, MUTATORS, PythonModule
from tunesmith.importers.refusal import Refused

MAX_RUNS = 16
ENDS = (ast.Break, ast.Continue, ast.Return, ast.Raise)
Values = Mapping[str, ast.expr]
"""Value of each loop variable in one run."""


@dataclass(frozen=True)
class LoopRun:
    """A file in which a loop is replaced by one of its runs.

    Args:
        module: the file.
        call: the call of the loop's body in it.
        words: name of the run, for people.
        note: judgement that the run rests on.
    """

    module: PythonModule
    call: ast.Call
    words: str
    note: str = ""


def runs_of(module: PythonModule, call: ast.Call) -> list[LoopRun]:
    """Return the runs of the loop around a call; none if the file does not tell them all.

    Args:
        module: the file.
        call: of a search.
    """
    loop = _loop(module, call)
    if loop is None or loop.orelse or not _is_alike_each_time(loop, call):
        return []
    runs = _values(module, loop)
    names = {name for values in runs for name in values}
    if not runs or len(runs) > MAX_RUNS or names & stored(loop.body):
        return []
    if not all(_is_fixed(module, value) for values in runs for value in values.values()):
        return []
    return [
        _run(module, loop, call, values, words_of(values, number))
        for number, values in enumerate(runs, start=1)
    ]


def _loop(module: PythonModule, call: ast.Call) -> ast.For | None:
    """Return the only loop around a call in its function."""
    loops: list[ast.AST] = []
    node: ast.AST = call
    while not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Module)):
        node = module.parents[node]
        if isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.Lambda | ast.comprehension):
            loops.append(node)
    is_one = len(loops) == 1 and isinstance(loops[0], ast.For)
    return loops[0] if is_one else None  # type: ignore[return-value]


def _is_alike_each_time(loop: ast.For, call: ast.Call) -> bool:
    """Tell whether nothing of an earlier run reaches the call, and none leaves it out."""
    first: dict[str, int] = {}
    inner = [node for statement in loop.body for node in ast.walk(statement)]
    for node in inner:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            first[node.id] = min(node.lineno, first.get(node.id, node.lineno))
    changed = {name for node in inner if (name := _changed(node))}
    last = call.end_lineno or call.lineno
    for node in inner:
        if isinstance(node, ENDS) and node.lineno < call.lineno:
            return False
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        # Set later in the loop, so that the next run would see what this one has set.
        is_left = node.id in first and node.lineno <= min(first[node.id], last)
        if is_left or (node.id in changed and node.lineno <= last):
            return False
    return True


def _changed(node: ast.AST) -> str:
    """Return the name of the object that a node changes in place, if it does."""
    changed: ast.AST | None = None
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        changed = node
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        changed = node.func if node.func.attr in MUTATORS else None
    while isinstance(changed, ast.Subscript | ast.Attribute):
        changed = changed.value
    return changed.id if isinstance(changed, ast.Name) else ""


def _values(module: PythonModule, loop: ast.For) -> list[Values]:
    """Return the values of the loop variables in each run; none if they cannot be told."""
    try:
        items = list(_items(module, loop.iter))
        return [dict(_bound(loop.target, item)) for item in items]
    except (Refused, ValueError):
        return []


def _items(module: PythonModule, node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a loop goes through.

    Raises:
        ValueError: it cannot be told.
        Refused: likewise.
    """
    if isinstance(node, ast.Call):
        yield from _of_call(module, node)
        return
    made = _made(module, node)
    if isinstance(made, ast.List | ast.Tuple):
        yield from made.elts
    elif isinstance(made, ast.Dict):
        yield from _keys(made)
    else:
        raise ValueError(ast.dump(made))


def _of_call(module: PythonModule, node: ast.Call) -> Iterator[ast.expr]:
    function = node.func
    if isinstance(function, ast.Attribute) and not node.args and not node.keywords:
        made = _made(module, function.value)
        if not isinstance(made, ast.Dict):
            raise ValueError(function.attr)
        keys = _keys(made)
        pairs = [_pair(pair) for pair in zip(keys, made.values, strict=True)]
        parts = {"items": pairs, "values": made.values, "keys": keys}
        yield from parts.get(function.attr, ())
    elif isinstance(function, ast.Name) and function.id == "zip" and not node.keywords:
        columns = [list(_items(module, argument)) for argument in node.args]
        yield from map(_pair, zip(*columns, strict=False))
    elif isinstance(function, ast.Name) and function.id == "enumerate" and len(node.args) == 1:
        items = _items(module, node.args[0])
        yield from (_pair((ast.Constant(n), item)) for n, item in enumerate(items))
    else:
        raise ValueError(ast.dump(node))


def _made(module: PythonModule, node: ast.expr) -> ast.expr:
    """Return the expression behind a name, if nothing changes its value."""
    if not isinstance(node, ast.Name):
        return node
    value, changes = module.value(node)
    if changes:
        raise ValueError(node.id)
    return value


def _keys(made: ast.Dict) -> list[ast.expr]:
    # `**other` has no key.
    if any(key is None for key in made.keys):
        raise ValueError("a mapping in a mapping")
    return [key for key in made.keys if key is not None]


def _pair(items: Sequence[ast.expr]) -> ast.expr:
    return ast.Tuple(list(items), ast.Load())


def _bound(target: ast.expr, item: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, item
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(item, ast.Tuple | ast.List):
        for inner, value in zip(target.elts, item.elts, strict=True):
            yield from _bound(inner, value)
    else:
        raise ValueError(ast.dump(target))


def _is_fixed(module: PythonModule, value: ast.expr) -> bool:
    """Tell whether an expression means the same in the loop as where it stands."""
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    every = [
        node.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]
    arguments = {node.arg for node in ast.walk(module.tree) if isinstance(node, ast.arg)}
    return not names & arguments and all(every.count(name) <= 1 for name in names)


def stored(body: Sequence[ast.stmt]) -> set[str]:
    """Return the names that statements assign."""
    inner = (node for statement in body for node in ast.walk(statement))
    return {
        node.id
        for node in inner
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def words_of(values: Values, number: int) -> str:
    """Name a run by a text among its values, else by a class, else by its number."""
    for value in values.values():
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
            return value.value
    for value in values.values():
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name | ast.Attribute):
            name = value.func
            return name.id if isinstance(name, ast.Name) else name.attr
    return str(number)


def _run(
    module: PythonModule, loop: ast.For, call: ast.Call, values: Values, words: str
) -> LoopRun:
    known: dict[int, object] = {}
    tree = copy.deepcopy(module.tree, known)
    own, around = known[id(loop)], known[id(module.parents[loop])]
    assert isinstance(own, ast.For)  # noqa: S101 - a copy of the loop
    body = put_values(values, own.body)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(around, name, None)
        if isinstance(block, list) and own in block:
            place = block.index(own)
            block[place : place + 1] = body
    inner = known[id(call)]
    assert isinstance(inner, ast.Call)  # noqa: S101 - a copy of the call
    return LoopRun(PythonModule(tree), inner, words)


def put_values(values: Values, body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return statements with values in the place of names, and the branches that these decide.

    Args:
        values: by name.
        body: statements, which are changed.
    """
    return _Put(values).block(body)


@dataclass
class _Put(ast.NodeTransformer):
    """Puts values in the place of names, and takes the branches that they decide."""

    values: Values

    def block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Return statements with the values in them."""
        made: list[ast.stmt] = []
        for statement in body:
            result = self.visit(statement)
            made += result if isinstance(result, list) else [result]
        return made or [ast.copy_location(ast.Pass(), body[0])]

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        test = self.visit(copy.deepcopy(node.test))
        names = (inner for inner in ast.walk(test) if isinstance(inner, ast.Name))
        try:
            # A name may be anything, and need not have been one of the loop's.
            is_known = next(names, None) is None
            is_true = is_known and Constants(PythonModule(ast.Module([], []))).value(test)
        except Refused:
            is_known = False
        if is_known:
            taken = node.body if is_true else node.orelse
            return self.block(taken) if taken else []
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.values or not isinstance(node.ctx, ast.Load):
            return node
        value = copy.deepcopy(self.values[node.id])
        # Where it stands now: what comes before it is told by lines.
        for inner in ast.walk(value):
            ast.copy_location(inner, node)
        return value

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        made, key = node.value, node.slice
        if not isinstance(made, ast.Dict) or not isinstance(key, ast.Constant):
            return node
        same = [
            value
            for other, value in zip(made.keys, made.values, strict=True)
            if isinstance(other, ast.Constant) and other.value == key.value
        ]
        # The last one counts, as in Python.
        return same[-1] if same else node
