"""Copies of parts of a script, with all that they need, as the text of a module.

Nothing is run. An expression is written again with the values of its names in their places;
functions, classes and constants that it needs are taken over, and the imports of them all.
"""

import ast
import builtins
import copy
import symtable
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tunesmith.importers.python.constants import PLAIN, Constants, source, unknown
from tunesmith.importers.python.module import FUNCTIONS, PythonModule
from tunesmith.importers.python.values import plain
from tunesmith.importers.refusal import Refused

MAX_DEPTH = 40
WIDTH = 96
BUILTINS = (*PLAIN, "set", "frozenset")
"""Functions of Python that an expression may call."""
OF_MADE = ("set_output", "set_params")
"""Methods of an object that an expression has just made."""
LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
UNREAD = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
LATER = "lambda"
"""Stands among the names that an expression binds, if it is called later; no name is called so."""
CheckCall = Callable[[str, ast.Call], None]
"""Raises ``Refused`` for a call, by its full name, that must not be taken over."""

Instead = Callable[[ast.expr], ast.expr | None]


class Copier:
    """Collects what a few expressions of a script need.

    Args:
        module: the script.
        check_call: refuses calls of imported functions, such as one that reads a file.
        instead: gives what an item of a tuple becomes, for those that it knows.

    >>> text = "import math\\nlow = 2\\ndef f(x):\\n    return math.log(x + low)\\ny = [f, low]"
    >>> module = PythonModule(ast.parse(text))
    >>> copier = Copier(module, lambda path, call: None)
    >>> ast.unparse(copier.copied(module.tree.body[-1].value))
    '[f, 2]'
    >>> print(copier.text())
    import math
    <BLANKLINE>
    low = 2
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        return math.log(x + low)
    """

    def __init__(
        self, module: PythonModule, check_call: CheckCall, instead: Instead | None = None
    ) -> None:
        self.module = module
        self._check_call = check_call
        self._instead = instead
        self._imports: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self._begun: set[str] = set()

    def copied(self, node: ast.expr) -> ast.expr:
        """Return an expression that means the same in a module of its own.

        Raises:
            Refused: a part of it is known only if the script runs.
        """
        made: ast.expr = self._copied(node, frozenset(), 0)
        return made

    def require(self, name: str, text: str, at: ast.expr) -> None:
        """Add an import that the script need not have.

        Raises:
            Refused: the name means something else in the script.
        """
        if name in self.module.names and [t for t, _ in _import_texts(self.module.tree, name)] != [
            text
        ]:
            raise Refused(f"`{name}` is a name of the script's own.", at)
        self._imports[name] = text

    def text(self) -> str:
        """Text of imports and definitions, in the order in which they need each other."""
        imports = _together(self._imports.values())
        parts = ["\n".join(imports)] if imports else []
        constants = [t for t in self._definitions.values() if not _is_block(t)]
        parts += ["\n".join(constants)] if constants else []
        blocks = [text for text in self._definitions.values() if _is_block(text)]
        return "\n\n\n".join(["\n\n".join(parts), *blocks] if parts else blocks)

    def _copied(self, node: Any, inner: frozenset[str], depth: int) -> Any:
        if depth > MAX_DEPTH or isinstance(node, UNREAD):
            raise unknown(node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._name(node, inner, depth)
        if isinstance(node, ast.Attribute):
            # `self.x` that `__init__` sets, which a module of its own does not have.
            told = self.module.attribute(node)
            if told is not None:
                return self._copied(told, frozenset(), depth + 1)
        if isinstance(node, ast.Call):
            literal = self._checked(node, inner)
            if literal is not None:
                return literal
        if isinstance(node, ast.Lambda) and not inner:
            return self._named(node, depth)
        return self._rebuilt(node, inner | _own_names(node), depth)

    def _named(self, node: ast.Lambda, depth: int) -> ast.expr:
        """Make a function of a lambda, which has no name by which other processes would find it."""
        made = self._rebuilt(node, _own_names(node), depth)
        name = f"function_{len(self._definitions) + 1}"
        while name in self.module.names or name in self._definitions:
            name = f"{name}_"
        function = ast.parse(f"def {name}(): return 0").body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - as it was written
        assert isinstance(made, ast.Lambda)  # noqa: S101 - a copy of one
        function.args, function.body = made.args, [ast.Return(made.body)]
        self._definitions[name] = ast.unparse(ast.fix_missing_locations(function))
        return ast.Name(name, ast.Load())

    def _rebuilt(self, node: ast.AST, inner: frozenset[str], depth: int) -> ast.AST:
        """Copy a node with its parts; their own names stay theirs."""
        # The tree of the script stays as it is: its nodes are keys of what is known about it.
        made = copy.copy(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                setattr(made, name, self._copied(value, inner, depth + 1))
            elif isinstance(value, list):
                parts = [self._part(node, v, inner, depth) for v in value]
                setattr(made, name, parts)
        return made

    def _part(self, around: ast.AST, node: Any, inner: frozenset[str], depth: int) -> Any:
        if isinstance(around, ast.Tuple) and self._instead is not None:
            made = self._instead(node)
            if made is not None:
                return made
        return self._copied(node, inner, depth + 1) if isinstance(node, ast.AST) else node

    # -- calls -----------------------------------------------------------------------------------

    def _checked(self, node: ast.Call, inner: frozenset[str]) -> ast.expr | None:
        """Check a call; return its value if it is a constant that only its own values tell.

        Raises:
            Refused: only a run tells what it does.
        """
        root = _root(node.func)
        if LATER in inner:
            # Within a lambda, which is called on the rows that it is given.
            return None
        if root is None:
            # The method of a value that is made on the spot, as in `Model().set_output(…)`.
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr in OF_MADE
            return None if is_method else self._literal(node)
        if root in inner:
            # A function that a loop or a lambda is given may be any.
            raise unknown(node)
        if self._is_imported(root):
            self._check_call(self.module.dotted(node.func) or root, node)
            return None
        if isinstance(node.func, ast.Name):
            is_plain = root in BUILTINS and root not in self.module.names
            if is_plain or self._definition(root) is not None:
                return None
            raise unknown(node)
        # The method of a variable, which may be a table: only constants have a value here.
        return self._literal(node)

    def _literal(self, node: ast.expr) -> ast.expr:
        value = Constants(self.module).value(node)
        value = value.tolist() if hasattr(value, "tolist") else value
        plain(value)
        return ast.parse(repr(value), mode="eval").body

    # -- names -----------------------------------------------------------------------------------

    def _name(self, node: ast.Name, inner: frozenset[str], depth: int) -> ast.expr:
        if node.id in inner or self._taken_over(node.id):
            return ast.Name(node.id, ast.Load())
        value, changes = self.module.value(node)
        calls = [c.value for c in changes if isinstance(c.value, ast.Call) and _is_of_made(c.value)]
        if len(calls) < len(changes):
            # Lists and mappings that are filled in later lines have the value they have in the end.
            return self._literal(node)
        made: ast.expr = self._copied(value, frozenset(), depth + 1)
        for call in calls:
            # `model.set_params(C=1)` in a line of its own becomes `Model().set_params(C=1)`.
            made = self._called(made, call, inner, depth)
        return made

    def _called(
        self, made: ast.expr, call: ast.Call, inner: frozenset[str], depth: int
    ) -> ast.Call:
        """Call the method of a call on another expression."""
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        arguments = [self._copied(argument, inner, depth + 1) for argument in call.args]
        words = [self._copied(word, inner, depth + 1) for word in call.keywords]
        return ast.Call(ast.Attribute(made, method, ast.Load()), arguments, words)

    def _taken_over(self, name: str) -> bool:
        """Take an import, a function or a class over; false if the name is none of them."""
        if self._is_imported(name):
            self._imports[name] = self._import(name)
            return True
        definition = self._definition(name)
        if definition is not None:
            self._define(name, definition)
            return True
        return hasattr(builtins, name) and name not in self.module.names

    def _is_imported(self, name: str) -> bool:
        return name in self.module.imports and name not in self.module.bound

    def _import(self, name: str) -> str:
        texts = dict(_import_texts(self.module.tree, name))
        ((text, node), *others) = texts.items()
        if others:
            # As in `try: … except ImportError: …`: which one counts depends on what is installed.
            raise Refused(f"`{name}` is imported in several ways.", node)
        if isinstance(node, ast.ImportFrom) and node.level:
            raise Refused(f"`{text}` has a meaning only within its package.", node)
        return text

    def _definition(self, name: str) -> ast.stmt | None:
        """Return the only definition of a function or class at the top of the script."""
        is_once = sum(isinstance(d, (*FUNCTIONS, ast.ClassDef)) and d.name == name
                      for d in ast.walk(self.module.tree)) == 1  # fmt: skip
        if not is_once or name in self.module.stored:
            return None
        return next(
            (
                statement
                for statement in self.module.tree.body
                if isinstance(statement, (*FUNCTIONS, ast.ClassDef)) and statement.name == name
            ),
            None,
        )

    def _define(self, name: str, node: ast.stmt) -> None:
        if name in self._begun:
            # Functions may call each other.
            return
        self._begun.add(name)
        text = ast.unparse(node)
        # What it needs is written first: a class needs its bases when it is defined.
        for needed in _outer_names(text, node):
            if needed != name and not self._taken_over(needed):
                self._set(needed, node)
        self._definitions[name] = text

    def _set(self, name: str, within: ast.stmt) -> None:
        """Take over a constant that a definition needs."""
        if name in self._begun:
            return
        self._begun.add(name)
        uses = (n for n in ast.walk(within) if isinstance(n, ast.Name) and n.id == name)
        use = next(uses, None)
        if use is None:
            raise Refused(f"`{name}` has no value that this file tells.", within)
        value, changes = self.module.value(use)
        made = self._literal(use) if changes else self._copied(value, frozenset(), 0)
        self._definitions[name] = f"{name} = {laid_out(made, len(name) + 3)}"


def laid_out(node: ast.AST, used: int, indent: int = 0) -> str:
    """Return the text of an expression; what is too long for a line has a line for each part.

    Args:
        node: the expression.
        used: number of columns before it.
        indent: of the line that it is on.
    """
    text = ast.unparse(node)
    if used + len(text) <= WIDTH:
        return text
    inner = indent + 4
    if isinstance(node, ast.Call) and (node.args or node.keywords):
        parts = [laid_out(argument, inner, inner) for argument in node.args]
        for word in node.keywords:
            name = "**" if word.arg is None else f"{word.arg}="
            parts.append(f"{name}{laid_out(word.value, inner + len(name), inner)}")
        return _lines(f"{ast.unparse(node.func)}(", parts, ")", indent)
    if isinstance(node, ast.List | ast.Tuple) and node.elts:
        ends = "[]" if isinstance(node, ast.List) else "()"
        return _lines(ends[0], [laid_out(e, inner, inner) for e in node.elts], ends[1], indent)
    return text


def _lines(start: str, parts: list[str], end: str, indent: int) -> str:
    blank = " " * (indent + 4)
    return "".join([f"{start}\n", *(f"{blank}{part},\n" for part in parts), " " * indent, end])


def _together(texts: Iterable[str]) -> list[str]:
    """Sort imports; those from one module share a line."""
    plain = sorted(text for text in texts if text.startswith("import"))
    named: dict[str, list[str]] = {}
    for text in sorted(set(texts) - set(plain)):
        package, _, name = text.partition(" import ")
        named.setdefault(package, []).append(name)
    return [*plain, *(f"{package} import {', '.join(names)}" for package, names in named.items())]


def _is_block(text: str) -> bool:
    return text.startswith(("def ", "class ", "async ", "@"))


def _is_of_made(call: ast.Call) -> bool:
    method = call.func
    if not isinstance(method, ast.Attribute) or not isinstance(method.value, ast.Name):
        return False
    return method.attr in OF_MADE


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _own_names(node: ast.AST) -> frozenset[str]:
    """Names that an expression binds for its own parts."""
    if isinstance(node, ast.Lambda):
        arguments = (n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg))
        return frozenset((LATER, *arguments))
    if isinstance(node, LOOPS):
        targets = (n for loop in node.generators for n in ast.walk(loop.target))
        return frozenset(n.id for n in targets if isinstance(n, ast.Name))
    return frozenset()


def _import_texts(tree: ast.Module, name: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for one in node.names:
            if isinstance(node, ast.Import):
                bound, text = one.asname or one.name.partition(".")[0], f"import {one.name}"
            else:
                bound = one.asname or one.name
                text = f"from {'.' * node.level}{node.module or ''} import {one.name}"
            if bound == name:
                yield f"{text} as {one.asname}" if one.asname else text, node


def _outer_names(text: str, node: ast.stmt) -> list[str]:
    """Names that a definition takes from around it.

    Raises:
        Refused: it sets such a name.
    """
    names: dict[str, None] = {}

    def visit(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            if symbol.is_declared_global() and symbol.is_assigned():
                message = f"`{symbol.get_name()}` is set by a function: `{source(node)}`."
                raise Refused(message, node)
            is_outer = symbol.is_global() or table.get_type() == "module"
            if is_outer and symbol.is_referenced() and not _is_set_here(table, symbol):
                names[symbol.get_name()] = None
        for inner in table.get_children():
            visit(inner)

    # Python's own tables tell names of a function from those around it, nested ones included.
    visit(symtable.symtable(text, "copied", "exec"))
    return list(names)


def _is_set_here(table: symtable.SymbolTable, symbol: symtable.Symbol) -> bool:
    return table.get_type() == "module" and symbol.is_assigned()
