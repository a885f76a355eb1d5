"""Places at which a project's code reads what no digest holds.

For estimators, files of code count by their content, and the table does. What the code itself
opens is not observed, as it is for programs; so it is named.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.objective.identity.proved_reads import BUNDLED
from tunesmith.system.fingerprint import reached, top_names

READS = re.compile(
    r"(read|load|scan|fetch)(_\w+)?|open|loadtxt|genfromtxt|fromfile|memmap|urlopen"
    r"|getenv|environ|import_module|__import__|run_path"
)
MODES = re.compile(r"[rbtU+]*[wax][bt+]*")
"""Modes of ``open`` in which nothing is read."""
SHOWN = 3


def unwatched(import_paths: Sequence[str], root: Path) -> list[str]:
    """Describe the reading of files, variables and computed modules by the project's code.

    Args:
        import_paths: of estimators, factories, scorers and splitters.
        root: the project folder.

    Returns:
        One sentence, or none.
    """
    files, _ = reached(top_names(import_paths), root)
    places = [
        f"{file.relative_to(root).as_posix()}:{line} (`{name}`)"
        for file in files
        for line, name in sorted(_reads(file).items())
    ]
    if not places:
        return []
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    text = (
        "not seen, and not counted: files, variables and modules that the project's code reads by"
        f" itself, at {', '.join(places[:SHOWN])}{more}. After a change of these,"
        " `tunesmith run --restart` evaluates everything anew"
    )
    return [text]


def _reads(file: Path) -> dict[int, str]:
    """Names of what reads, by line."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
        return {}  # importing it will say so, with the line
    return {node.lineno: name for node in _walk(tree) if (name := _reader(node))}


def _walk(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.iter_child_nodes(tree):
        # Such a part does not run when the module is imported.
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        if isinstance(node, ast.expr):
            yield node
        yield from _walk(node)


def _reader(node: ast.expr) -> str:
    """Name of what reads; empty for all else."""
    called = node.func if isinstance(node, ast.Call) else node
    name = getattr(called, "attr", "") or getattr(called, "id", "")
    if name == "environ":
        return name
    if not isinstance(node, ast.Call) or not READS.fullmatch(name) or name in BUNDLED:
        return ""
    return "" if name == "open" and any(map(MODES.fullmatch, _modes(node))) else name


def _modes(call: ast.Call) -> list[str]:
    """Texts that ``open`` takes as its mode; a path's own method takes it first."""
    is_method = isinstance(call.func, ast.Attribute) and len(call.args) == 1
    given = call.args[:1] if is_method else call.args[1:2]
    given = [*given, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    constants = [node.value for node in given if isinstance(node, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]
