"""The command of a training program, with parameters in braces."""

import re
import shlex
from collections.abc import Iterable, Sequence

from tunesmith.importers.draft import Draft


def escaped(text: str) -> str:
    """Return a text of a command in which braces are plain ones.

    >>> escaped("{x}")
    '{{x}}'
    """
    return text.replace("{", "{{").replace("}", "}}")


def program_words(program: str) -> list[str]:
    """Return the words of a program's name, which may have arguments behind it."""
    try:
        return [escaped(word) for word in shlex.split(program)]
    except ValueError:
        return [escaped(program)]


ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
"""Start of a word that sets a variable for the program behind it."""
RESERVED = (
    *("params", "metrics", "predictions", "progress", "fold", "train", "test", "seed"),
    *("checkpoint", "run", "workspace"),
)
"""Words in braces that a command has for something else than a parameter."""


def put_command(draft: Draft, items: Sequence[str], *notes: str) -> None:
    """Set the command, as the first key of the objective.

    Parameters with a reserved name get another one; their options stay as they are.
    """
    if items and ASSIGNMENT.match(items[0]):
        # A shell would set it; without one, `env` does.
        items = ["env", *items]
    names = draft.names
    for name in RESERVED:
        if name in names and any(f"{{{name}}}" in item for item in items):
            _rename(draft, name, f"{name}_")
            items = [item.replace(f"{{{name}}}", f"{{{name}_}}") for item in items]
            reason = f"`{name}_` stands for `{name}`, a word that every command has for itself"
            notes = (*notes, reason)
    objective = draft.content.setdefault("objective", {})
    draft.content["objective"] = {"command": list(items), **objective}
    draft.note(("objective", "command"), *notes)


def _rename(draft: Draft, old: str, new: str) -> None:
    """Rename a parameter: fixed or varied, in conditions, and as a budget."""
    sections = [draft.content["objective"].get("params", {}), draft.content["space"]]
    for section in sections:
        for key in list(section):
            definition = section.pop(key)
            if isinstance(definition, dict) and old in definition.get("when", {}):
                definition["when"][new] = definition["when"].pop(old)
            section[new if key == old else key] = definition
    budget = draft.content.get("budget", {})
    if budget.get("parameter") == old:
        budget["parameter"] = new
    for paths in (draft.notes, draft.places):
        for path in [path for path in paths if path[:1] == ("space",) and path[1:2] == (old,)]:
            paths[("space", new, *path[2:])] = paths.pop(path)  # type: ignore[assignment]


def flags(names: Iterable[str]) -> list[str]:
    """Return one option a parameter.

    >>> flags(["lr"])
    ['--lr={lr}']
    """
    return [f"--{escaped(name)}={{{name}}}" for name in names]


def put_program(draft: Draft, program: str | None, *notes: str) -> None:
    """Set the command of a Python program that takes every parameter as an option."""
    words = ["python", escaped(program or "train.py"), *flags(draft.names)]
    put_command(draft, words, *notes)
