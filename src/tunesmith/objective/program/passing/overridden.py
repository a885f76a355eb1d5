"""Constants of a Python module that other files of a program set anew when they run."""

import ast
import warnings
from collections.abc import Iterator

from tunesmith.objective.program.passing.params_file import place_of
from tunesmith.objective.program.passing.ports import ProgramPorts
from tunesmith.objective.program.passing.sources import ProgramText, SourceFile

Chain = tuple[str | None, ...]
"""Names and keys from a module to a value; ``None`` for a key that is not written down."""
METHODS = ("update", "pop", "clear", "setdefault", "append", "extend", "insert", "remove")


def overridden(program: ProgramText, ports: ProgramPorts, names: tuple[str, ...]) -> Iterator[str]:
    """Note parameters whose constant another file sets, as in ``settings.LR = args.lr``.

    Args:
        program: its text.
        ports: of the study.
        names: of all parameters.
    """
    template = ports.params_file
    if template is None or template.format != "python":
        return
    path = (program.root / template.section.path).resolve()
    module = path.parent.name if path.stem == "__init__" else path.stem
    places = {name: place_of(name, template.section) for name in names if template.has(name)}
    for source in program.sources:
        changes = list(_changes(source, module)) if source.is_python and source.path != path else []
        for name, place in places.items():
            line = next((at for at, chain in changes if _meets(chain, place)), 0)
            if line:
                yield (
                    f"{program.named(source.path)}:{line} sets `{'.'.join(place)}` of"
                    f" {template.section.path}, too: the value of `{name}` that a trial sets may"
                    " not be the one in use"
                )


def _meets(chain: Chain, place: tuple[str, ...]) -> bool:
    return all(key in (None, own) for key, own in zip(chain, place, strict=False))


def _changes(source: SourceFile, module: str) -> Iterator[tuple[int, Chain]]:
    """Lines that set values of a module, and the names and keys that lead to them."""
    if module not in source.text:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(source.text)))
    except (SyntaxError, ValueError, RecursionError):
        return
    aliases = {alias: chain for node in nodes for alias, chain in _imported(node, module)}
    for node in nodes if aliases else ():
        for target in _targets(node):
            chain = _chain(target, aliases)
            if chain:
                yield getattr(node, "lineno", 0), chain


def _imported(node: ast.AST, module: str) -> Iterator[tuple[str, Chain]]:
    """Names by which a file calls a module, or values that it imports from there."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.rpartition(".")[2] == module:
                yield alias.asname or alias.name, ()
    elif isinstance(node, ast.ImportFrom):
        is_module = (node.module or "").rpartition(".")[2] == module
        for alias in node.names:
            if is_module:
                yield alias.asname or alias.name, (alias.name,)
            elif alias.name == module:
                yield alias.asname or alias.name, ()


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        yield from node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        yield node.target
    elif isinstance(node, ast.Delete):
        yield from node.targets
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "setattr" and len(node.args) == 3:
            yield ast.Subscript(node.args[0], node.args[1])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        keys = [word.arg for word in node.keywords if word.arg]
        inner: list[ast.expr] = [ast.Subscript(node.func.value, ast.Constant(key)) for key in keys]
        yield from (inner or [node.func.value]) if node.func.attr in METHODS else ()


def _chain(target: ast.expr, aliases: dict[str, Chain]) -> Chain:
    """Names and keys that lead from the module to a target; empty if it is none of its values."""
    keys: list[str | None] = []
    node = target
    while isinstance(node, ast.Attribute | ast.Subscript):
        if (known := aliases.get(ast.unparse(node))) is not None:
            return (*known, *reversed(keys))
        is_key = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        keys.append(
            node.attr
            if isinstance(node, ast.Attribute)
            else str(node.slice.value)  # type: ignore[attr-defined]
            if is_key
            else None
        )
        node = node.value
    known = aliases.get(node.id) if isinstance(node, ast.Name) else None
    # A name that was imported alone is only bound anew in this file.
    return () if known is None or not keys else (*known, *reversed(keys))
