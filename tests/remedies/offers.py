"""Commands that messages offer between backticks: found in the source, and in what was printed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tunesmith

SOURCE = Path(tunesmith.__file__).parent
PROGRAMS = "git|dvc|tunesmith|pip|cd"
OFFER = re.compile(rf"`((?:{PROGRAMS}) [^`]+)`")
BUILT = re.compile(
    r"(?:git|tunesmith) [a-z-]{2,}…?( [^.;:]*)?|dvc (?:add|commit|init|pull|remove|repro)( .*)?"
)
"""A text that is a command as a whole; a message puts it between backticks elsewhere."""
FILLED = "…"
"""Stands for what a message fills in."""


def offered_in_source() -> dict[str, list[str]]:
    """Places (``file:line``) of each command that a string of the package offers."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE)
        if name.parts[0] in ("testing", "templates"):
            continue
        for line, text in messages(ast.parse(path.read_text(encoding="utf-8"))):
            commands = [text] if BUILT.fullmatch(text) else OFFER.findall(text)
            for command in commands:
                found.setdefault(" ".join(command.split()), []).append(f"{name}:{line}")
    return found


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is no docstring; ``…`` stands for filled-in values."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped.update(map(id, node.values))
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            skipped.add(id(node.format_spec))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (v.value if isinstance(v, ast.Constant) else FILLED for v in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "shlex.join":
            yield node.lineno, f"`{_joined(node.args[0])}`"


def _joined(words: ast.expr) -> str:
    """The command line that ``shlex.join`` makes of a list."""
    if not isinstance(words, ast.List):
        return FILLED
    # What is unpacked may be empty.
    fixed = (word for word in words.elts if not isinstance(word, ast.Starred))
    return " ".join(str(w.value) if isinstance(w, ast.Constant) else FILLED for w in fixed)
