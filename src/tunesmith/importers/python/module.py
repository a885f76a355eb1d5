"""Names of a Python file: its imports, functions, and the value of a name at a place."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from tunesmith.importers.refusal import Refused

Scope: TypeAlias = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (ast.Module, *FUNCTIONS, ast.ClassDef, ast.Lambda)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
MUTATORS = (
    *("append", "extend", "update", "insert", "pop", "remove", "clear", "setdefault", "sort"),
    # Of estimators. `fit` changes nothing that a search, which clones them, would see.
    *("set_params", "set_output"),
)
BLOCKS = ("body", "orelse", "finalbody")


def dotted(node: ast.AST, imports: Mapping[str, str]) -> str | None:
    """Return the full name behind an expression such as ``ensemble.Forest``.

    Args:
        node: the expression; ``None`` is the answer if it is no chain of names.
        imports: name in the file -> full name.
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([imports.get(node.id, node.id), *parts])


@dataclass(frozen=True)
class Event:
    """A statement that binds a name, or changes its value in place."""

    statement: ast.stmt
    value: ast.expr | None
    """Value that is bound; ``None`` if no expression tells it."""
    is_change: bool = False
    """True if it changes a list or a mapping that has the name already."""


@dataclass
class PythonModule:
    """A parsed file."""

    tree: ast.Module
    _events: dict[int, dict[str, list[Event]]] = field(default_factory=dict)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Parent of every node."""
        return {c: node for node in ast.walk(self.tree) for c in ast.iter_child_nodes(node)}

    @cached_property
    def imports(self) -> dict[str, str]:
        """Full name behind each imported name."""
        return dict(_imports(self.tree))

    @cached_property
    def names(self) -> set[str]:
        """Names that the file binds anywhere: imports, definitions, arguments, assignments."""
        bound = {*self.imports, *self.classes}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
            elif isinstance(node, ast.arg):
                bound.add(node.arg)
            elif isinstance(node, FUNCTIONS):
                bound.add(node.name)
        return bound

    @cached_property
    def stored(self) -> set[str]:
        """Names that the file assigns anywhere, arguments of functions among them."""
        nodes = list(ast.walk(self.tree))
        named = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        return named | {node.arg for node in nodes if isinstance(node, ast.arg)}

    @cached_property
    def bound(self) -> set[str]:
        """Names that the file binds in other ways than by an import."""
        kinds = (*FUNCTIONS, ast.ClassDef)
        return self.stored | {n.name for n in ast.walk(self.tree) if isinstance(n, kinds)}

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """Functions of the file that are defined once, by name; no methods."""
        named: dict[str, list[ast.FunctionDef]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and not isinstance(
                self.parents.get(node), ast.ClassDef
            ):
                named.setdefault(node.name, []).append(node)
        return {name: nodes[0] for name, nodes in named.items() if len(nodes) == 1}

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """Classes of the file, by name."""
        return {n.name: n for n in ast.walk(self.tree) if isinstance(n, ast.ClassDef)}

    def method(self, cls: ast.ClassDef, name: str) -> ast.FunctionDef | None:
        """Return a method of a class, or of its bases in this file."""
        for node in cls.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        bases = (self.classes.get(base.id) for base in cls.bases if isinstance(base, ast.Name))
        inherited = (self.method(base, name) for base in bases if base not in (None, cls))
        return next(filter(None, inherited), None)

    def dotted(self, node: ast.AST) -> str | None:
        """Return the full name behind an expression such as ``ensemble.Forest``."""
        return dotted(node, self.imports)

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield every call with the full name of its function, in the order of the text."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset)):
            yield node, self.dotted(node.func) or _last(node.func)

    def returned(self, call: ast.expr) -> ast.expr | None:
        """Return the expression that a function of the file returns, if it is always the same one.

        Its names have their values in the function: arguments are not known there.
        """
        name = (
            call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        )
        function = self.functions.get(name)
        if function is None or function.decorator_list or name in self.imports:
            return None
        ends = [n for n in ast.walk(function) if isinstance(n, ast.Return | ast.Yield)]
        last = function.body[-1]
        is_one = len(ends) == 1 and ends[0] is last
        return last.value if is_one and isinstance(last, ast.Return) else None

    def attribute(self, node: ast.Attribute) -> ast.expr | None:
        """Return the value of ``self.name``, if one statement of the file sets it, and always.

        That is the body of the class, or an unconditional line of its ``__init__``.
        """
        around = self.scope(node)
        while isinstance(around, ast.Lambda):
            around = self.scope(around)
        cls = self.parents.get(around)
        if not (
            isinstance(cls, ast.ClassDef)
            and isinstance(around, ast.FunctionDef)
            and isinstance(node.value, ast.Name)
            and around.args.args
            and node.value.id == around.args.args[0].arg
        ):
            return None
        setting = self._set[node.attr]
        if len(setting) != 1 or not isinstance(setting[0], ast.Assign | ast.AnnAssign):
            return None
        maker = self.parents[setting[0]]
        is_made = isinstance(maker, ast.FunctionDef) and maker.name == "__init__"
        return setting[0].value if (self.parents[maker] if is_made else maker) is cls else None

    @cached_property
    def _set(self) -> "defaultdict[str, list[ast.AST | None]]":
        """Statements that set attributes, of objects and of classes, by name."""
        found: defaultdict[str, list[ast.AST | None]] = defaultdict(list)
        for inner in ast.walk(self.tree):
            if isinstance(inner, ast.Attribute):
                around = self.parents.get(inner)
                is_changed = isinstance(around, ast.Subscript) and isinstance(
                    around.ctx, ast.Store | ast.Del
                )
                if is_changed or _last(around) in MUTATORS:
                    found[inner.attr].append(None)
                elif not isinstance(inner.ctx, ast.Load):
                    found[inner.attr].append(around)
            elif isinstance(inner, ast.ClassDef):
                for name, events in self._bound(inner).items():
                    found[name] += [event.statement for event in events]
            elif isinstance(inner, ast.Name) and inner.id in ("setattr", "vars"):
                # It may set any of them.
                return defaultdict(lambda: [None])
        return found

    def scope(self, node: ast.AST) -> Scope:
        """Return the function, class or module around a node."""
        around = self.parents.get(node)
        while not isinstance(around, SCOPES):
            assert around is not None  # noqa: S101 - a module is around everything
            around = self.parents.get(around)
        return around

    def value(self, name: ast.Name) -> tuple[ast.expr, list[Event]]:
        """Return the value of a name at its place, and the changes that it has had there.

        Raises:
            Refused: nothing certain can be told without running the script.
        """
        scope, at = self.scope(name), name
        while isinstance(scope, ast.Lambda) or not self._bound(scope).get(name.id):
            if isinstance(scope, ast.Module):
                raise Refused(f"`{name.id}` has no value that this file tells.", name)
            scope = self.scope(scope)
        return self._straight(name, at, scope)

    def _straight(self, name: ast.Name, at: ast.AST, scope: Scope) -> tuple[ast.expr, list[Event]]:
        events = self._bound(scope)[name.id]
        if self.scope(at) is scope or self._is_same_run(at, scope):
            before, doubtful = self._before(events, at, scope)
        else:
            # Called later, when all of the outer scope has run.
            before, doubtful = events, [e for e in events if not self._is_top(e, scope)]
            if sum(not e.is_change for e in events) > 1:
                raise Refused(f"`{name.id}` is set several times.", name)
        bound = next((e for e in reversed(before) if not e.is_change), None)
        if bound is None or any(e.statement.lineno > bound.statement.lineno for e in doubtful):
            raise Refused(f"`{name.id}` may have several values here.", name)
        if bound.value is None:
            raise Refused(f"`{name.id}` is known only if the script runs.", name)
        return bound.value, before[before.index(bound) + 1 :]

    def _is_same_run(self, at: ast.AST, scope: Scope) -> bool:
        """True if only lambdas and classes lie between a place and the scope."""
        inner = self.scope(at)
        while isinstance(inner, ast.Lambda | ast.ClassDef) and inner is not scope:
            inner = self.scope(inner)
        return inner is scope

    def _is_top(self, event: Event, scope: Scope) -> bool:
        return self.parents[event.statement] is scope

    def _before(
        self, events: list[Event], at: ast.AST, scope: Scope
    ) -> tuple[list[Event], list[Event]]:
        """Split events into those that certainly happen before a place, and those that may."""
        chain: dict[int, ast.AST] = {}
        node = at
        while node is not scope:
            chain[id(self.parents[node])] = node
            node = self.parents[node]
        certain, doubtful = [], []
        for event in events:
            around, child = (
                self.parents[event.statement],
                chain.get(id(self.parents[event.statement])),
            )
            in_block = child is not None and _same_block(around, event.statement, child)
            is_earlier = event.statement.lineno < _line(at) and event.statement is not child
            if is_earlier and in_block:
                certain.append(event)
            elif is_earlier or self._in_common_loop(event.statement, at, scope):
                doubtful.append(event)
        return certain, doubtful

    def _in_common_loop(self, statement: ast.AST, at: ast.AST, scope: Scope) -> bool:
        def loops(node: ast.AST) -> set[int]:
            around = set()
            while node is not scope:
                node = self.parents[node]
                if isinstance(node, LOOPS):
                    around.add(id(node))
            return around

        is_around = any(node is statement for node in self._ancestors(at))
        return not is_around and bool(loops(statement) & loops(at))

    def _ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self.parents:
            node = self.parents[node]
            yield node

    def _bound(self, scope: Scope) -> dict[str, list[Event]]:
        if id(scope) not in self._events:
            named: dict[str, list[Event]] = {}
            for name, event in _events(scope):
                named.setdefault(name, []).append(event)
            for events in named.values():
                events.sort(key=lambda e: (e.statement.lineno, e.statement.col_offset))
            self._events[id(scope)] = named
        return self._events[id(scope)]


def _last(node: ast.AST | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def _line(node: Any) -> int:
    return int(node.lineno)


def _same_block(around: ast.AST, one: ast.AST, other: ast.AST) -> bool:
    for name in BLOCKS:
        block = getattr(around, name, None)
        if isinstance(block, list) and one in block:
            return other in block
    return False


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                top = name.name.partition(".")[0]
                # `import a.b` binds `a`, but `import a.b as c` binds the inner module.
                yield name.asname or top, name.name if name.asname else top
        elif isinstance(node, ast.ImportFrom):
            package = f"{'.' * node.level}{node.module or ''}"
            for name in node.names:
                yield name.asname or name.name, f"{package}.{name.name}"


def rebound_names(node: ast.AST, *kinds: type[ast.stmt]) -> dict[str, ast.stmt]:
    """Return the names that functions within a node set outside of themselves, with the line."""
    named: dict[str, ast.stmt] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Nonlocal | ast.Global) and isinstance(inner, kinds or ast.stmt):
            named |= dict.fromkeys(inner.names, inner)
    return named


def _events(scope: Scope) -> Iterator[tuple[str, Event]]:
    if isinstance(scope, (*FUNCTIONS, ast.Lambda)):
        arguments = scope.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [a for a in (arguments.vararg, arguments.kwarg) if a]
        if not isinstance(scope, ast.Lambda):
            for argument in every:
                # Stands for the call: before the first statement.
                yield argument.arg, Event(scope.body[0], None)
    body = [] if isinstance(scope, ast.Lambda) else scope.body
    for statement in body:
        yield from _of_statement(statement)
    # When a function that sets an outer name is called, only a run tells.
    kind = ast.Global if isinstance(scope, ast.Module) else ast.Nonlocal
    for name, statement in rebound_names(scope, kind).items():
        yield name, Event(statement, None)


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, Event]]:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name, Event(node, None)
        return
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return) and node.value:
        yield from _of_calls(node, node.value)
    for target, value in _targets(node):
        yield from _of_target(node, target, value)
    for child in _inner(node):
        yield from _of_statement(child)


def _targets(node: ast.stmt) -> list[tuple[ast.expr, ast.expr | None]]:
    """Return what a statement assigns to, with the value if an expression tells it."""
    if isinstance(node, ast.Assign):
        return [(target, node.value) for target in node.targets]
    if isinstance(node, ast.AnnAssign):
        return [(node.target, node.value)] if node.value is not None else []
    if isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor):
        return [(node.target, None)]
    if isinstance(node, ast.Delete):
        return [(target, None) for target in node.targets]
    if isinstance(node, ast.With | ast.AsyncWith):
        return [(item.optional_vars, None) for item in node.items if item.optional_vars]
    return []


def _inner(node: ast.stmt) -> Iterator[ast.stmt]:
    for name in BLOCKS:
        yield from (s for s in getattr(node, name, ()) if isinstance(s, ast.stmt))
    for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from handler.body


def _of_target(
    node: ast.stmt, target: ast.expr, value: ast.expr | None
) -> Iterator[tuple[str, Event]]:
    if isinstance(target, ast.Name):
        yield target.id, Event(node, value)
    elif isinstance(target, ast.Tuple | ast.List):
        values: list[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(values):
            values = list(value.elts)
        for inner, item in zip(target.elts, values, strict=True):
            yield from _of_target(node, inner, item)
    elif isinstance(target, ast.Subscript | ast.Attribute) and isinstance(target.value, ast.Name):
        yield target.value.id, Event(node, value, is_change=True)
    elif isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
        inner_name = _root(target)
        if inner_name:
            yield inner_name, Event(node, None, is_change=True)


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _of_calls(node: ast.stmt, value: ast.expr) -> Iterator[tuple[str, Event]]:
    """Yield the changes by methods within a statement; only one that is all of it is told."""
    for call in ast.walk(value):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            name = _root(call.func.value)
            if name is not None and call.func.attr in MUTATORS:
                is_all = isinstance(node, ast.Expr) and call is value
                yield name, Event(node, call if is_all else None, is_change=True)
