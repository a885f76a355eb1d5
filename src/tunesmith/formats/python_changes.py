"""Statements of a Python module that change a part of a name's value; nothing is run.

A value may have several names: ``optimizer = CONFIG["optimizer"]`` is changed through either. Such
other names are followed through assignments, loops, arguments of the module's own functions and
objects of its own classes, whatever the order of the statements is.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tunesmith.formats.python_scope import FUNCTIONS, function_locals, node_line

BY_KEY = ("update", "pop", "popitem", "setdefault", "__setitem__", "__delitem__", "__setattr__")
AS_A_WHOLE = ("clear", "insert", "remove", "reverse", "sort", "__iadd__", "__ior__", "__init__")
AT_THE_END = ("append", "extend")
OPERATORS = {"setitem": "__setitem__", "delitem": "__delitem__"}
COPYING = ("replace", "_replace")
"""Functions that copy an object with other values: the program then uses the copy."""
SAME = ("__dict__", "__class__")
MODULE = ("globals", "vars", "locals")
ANY = "globals()"
"""Stands for any name: the first key is the name itself."""
END = "end"
"""A key that no value has: only what is read as a whole is changed."""
Path = tuple[str | None, ...]
"""Keys that lead into a value; ``None`` for one that is not written down."""
Place = tuple[str, Path]


@dataclass(frozen=True)
class PartialAssignment:
    """A statement that changes a part of a name's value: ``CONFIG["lr"] = 1``."""

    line: int
    path: Path


@dataclass
class Scope:
    """Other names of values, as they hold in a module or in one of its functions."""

    places: dict[str, list[Place]] = field(default_factory=dict)
    """Places of values by the text that names them; empty for a name that hides the module's."""
    first: str = ""
    """First argument of a method: an object of the class, or the class."""
    is_function: bool = False

    def of(self, node: ast.AST | None) -> list[Place]:
        """Places of a value; empty if it has none that is known."""
        if isinstance(node, ast.Name):
            return self.places.get(node.id, [(node.id, ())])
        if isinstance(node, ast.Subscript | ast.Attribute):
            text = ast.unparse(node)
            if text in self.places:
                return self.places[text]
            if text in ("sys.modules[__name__]", "sys.modules['__main__']"):
                return [(ANY, ())]
            if isinstance(node, ast.Attribute) and node.attr in SAME:
                return self.of(node.value)
            key = node.attr if isinstance(node, ast.Attribute) else _constant(node.slice)
            return [(root, (*path, key)) for root, path in self.of(node.value)]
        return self._of_call(node) if isinstance(node, ast.Call) else []

    def _of_call(self, node: ast.Call) -> list[Place]:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in ("get", "setdefault"):
            key = _constant(node.args[0]) if node.args else None
            return [(root, (*path, key)) for root, path in self.of(function.value)]
        if not isinstance(function, ast.Name):
            return []
        if function.id in MODULE and not node.args:
            # In a function, `locals` are a copy.
            return [] if self.is_function and function.id != "globals" else [(ANY, ())]
        if function.id in ("vars", "type") and len(node.args) == 1:
            return self.of(node.args[0])
        # An object of a class has the values of the class until it gets its own.
        return self.of(function)

    def inner(self, function: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> "Scope":
        """The scope of a function; ``owner`` is the class if it is a method."""
        own: dict[str, list[Place]] = {name: [] for name in function_locals(function)}
        given = [*function.args.posonlyargs, *function.args.args]
        first = given[0].arg if owner and given else ""
        found = Scope({**self.places, **own}, first, is_function=True)
        if first:
            found.places[first] = [(owner, ())]
        return found

    def add(self, target: ast.expr, value: ast.expr | None, *, is_element: bool = False) -> None:
        """Note that a target is another name of a value, or of an element of it."""
        if isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for inner, part in zip(target.elts, parts, strict=False):
                self.add(inner, part)
            return
        found = [(r, (*p, None)) if is_element else (r, p) for r, p in self.of(value)]
        text = ast.unparse(target)
        # The name itself is no other name.
        other = [place for place in found if place != (text, ())]
        if other and isinstance(target, ast.Name | ast.Attribute):
            self.places[text] = [*self.of(target), *other]


def changes(tree: ast.Module) -> dict[str, list[PartialAssignment]]:
    """Return, by name, the statements anywhere in a module that change a part of its value."""
    found: dict[str, list[PartialAssignment]] = {}
    _note(tree.body, Scope(), found, _calls(tree), "")
    return found


def _calls(tree: ast.Module) -> Mapping[str, list[ast.Call]]:
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.setdefault(node.func.id, []).append(node)
    return found


def _note(
    body: list[ast.stmt],
    scope: Scope,
    found: dict[str, list[PartialAssignment]],
    calls: Mapping[str, list[ast.Call]],
    owner: str,
) -> None:
    """Note the changes of one scope, then those of the functions and classes in it."""
    nodes = [node for statement in body for node in _within(statement)]
    for node in nodes:
        _name_again(node, scope)
    for node in nodes:
        for root, change in _changed(node, scope):
            found.setdefault(root, []).append(change)
        if isinstance(node, FUNCTIONS):
            inner = scope.inner(node, owner)
            for call in calls.get(node.name, ()):
                for arg, value in zip(node.args.args, call.args, strict=False):
                    inner.places[arg.arg] = [*inner.places.get(arg.arg, []), *scope.of(value)]
            _note(node.body, inner, found, calls, "")
        elif isinstance(node, ast.ClassDef):
            hidden = Scope({**scope.places}, is_function=scope.is_function)
            _note(node.body, hidden, found, calls, node.name)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all beneath it, without the bodies of functions and classes."""
    yield node
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _within(child)


def _name_again(node: ast.AST, scope: Scope) -> None:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            scope.add(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        scope.add(node.target, node.value)
    elif isinstance(node, ast.For | ast.comprehension):
        target, source = node.target, node.iter
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute):
            if source.func.attr == "items" and isinstance(target, ast.Tuple):
                target = target.elts[-1]
            source = source.func.value if source.func.attr in ("items", "values") else source
        scope.add(target, source, is_element=True)


# -- changes -------------------------------------------------------------------------------------


def _changed(node: ast.AST, scope: Scope) -> Iterator[tuple[str, PartialAssignment]]:
    line = node_line(node, 0)
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        key = node.attr if isinstance(node, ast.Attribute) else _constant(node.slice)
        yield from _at(scope, node.value, [key], line)
    elif isinstance(node, ast.Call):
        name, first, rest = _called(node)
        if name in ("exec", "eval") and isinstance(node.args[0] if node.args else None, ast.expr):
            yield from ((ANY, PartialAssignment(line, (key,))) for key in _executed(node))
        elif first is not None:
            yield from _at(scope, first, [*_keys_of(name, node, rest)], line)


def _at(
    scope: Scope, node: ast.expr, keys: list[str | None], line: int
) -> Iterator[tuple[str, PartialAssignment]]:
    # A method may set attributes by names that it gets: which ones, its callers decide.
    is_own = isinstance(node, ast.Name | ast.Attribute) and (
        ast.unparse(node).partition(".")[0] == scope.first
    )
    for root, path in scope.of(node):
        for key in keys:
            if not (is_own and key is None):
                yield root, PartialAssignment(line, (*path, key))


def _called(node: ast.Call) -> tuple[str, ast.expr | None, list[ast.expr]]:
    """Name of a called function, the value that it may change, and its other arguments."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else ""
    if isinstance(function, ast.Name):
        name = function.id
        is_known = name in ("setattr", "delattr", *COPYING, *OPERATORS)
        return name, node.args[0] if is_known and node.args else None, node.args[1:]
    if not isinstance(function, ast.Attribute):
        return "", None, []
    # `dict.update(CONFIG, …)` is `CONFIG.update(…)`.
    unbound = isinstance(function.value, ast.Name) and function.value.id in (
        *("dict", "list", "object", "operator", "dataclasses", "OrderedDict"),
    )
    if unbound:
        return OPERATORS.get(name, name), node.args[0] if node.args else None, node.args[1:]
    return name, function.value, node.args


def _keys_of(name: str, call: ast.Call, args: list[ast.expr]) -> Iterator[str | None]:
    """The keys that a call may change: those of ``CONFIG.update(lr=1)``."""
    if name in AT_THE_END:
        yield END
    elif name in AS_A_WHOLE:
        yield None
    elif name in (*BY_KEY, *COPYING, *OPERATORS, "setattr", "delattr"):
        yield from (keyword.arg for keyword in call.keywords)
        for arg in args[:1]:
            if isinstance(arg, ast.Dict):
                yield from (None if key is None else _constant(key) for key in arg.keys)
            else:
                yield _constant(arg)
        if not args and not call.keywords:
            yield None


def _executed(call: ast.Call) -> Iterator[str]:
    """The names that code binds which a call executes, if it is written down there."""
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value)
            except (SyntaxError, ValueError):
                continue
            names = (n for n in ast.walk(inner) if isinstance(n, ast.Name))
            yield from (n.id for n in names if not isinstance(n.ctx, ast.Load))


def _constant(node: ast.expr) -> str | None:
    is_key = isinstance(node, ast.Constant) and isinstance(node.value, str | int)
    return str(node.value) if is_key else None  # type: ignore[attr-defined]


# -- calls of classes ----------------------------------------------------------------------------


def replaced_in(tree: ast.Module, name: str, field_name: str, fields: list[str] | None) -> int:
    """Line of a call of a class that gives a field another value; 0 if there is none.

    Args:
        tree: the module.
        name: of the class.
        field_name: the field.
        fields: all fields in the order of arguments; ``None`` if it is not known.
    """
    scope = Scope()
    for node in ast.walk(tree):
        _name_again(node, scope)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    of_class = (c for c in calls if isinstance(c.func, ast.Name) and (name, ()) in scope.of(c.func))
    return next((call.lineno for call in of_class if _gives(call, field_name, fields)), 0)


def _gives(call: ast.Call, field_name: str, fields: list[str] | None) -> bool:
    for keyword in call.keywords:
        if keyword.arg is None and not _lacks(keyword.value, field_name):
            return True
        if keyword.arg == field_name:
            return True
    if any(isinstance(arg, ast.Starred) for arg in call.args):
        return True
    return fields is not None and field_name in fields[: len(call.args)]


def _lacks(value: ast.expr, key: str) -> bool:
    """True if a dictionary that is written down does not have a key."""
    if not isinstance(value, ast.Dict):
        return False
    return all(isinstance(k, ast.Constant) and k.value != key for k in value.keys)
