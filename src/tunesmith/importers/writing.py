"""The text of a draft: YAML with the notes as comments."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.errors import Path
from tunesmith.formats.yaml_text import flow, key_text
from tunesmith.importers.draft import Draft

WIDTH = 98
BLOCKS = ("objective", "space")
"""Sections that have a line for each key; others fit on one line, unless there are notes in it."""


def text_of(draft: Draft) -> str:
    """Return the configuration as a YAML file.

    Args:
        draft: whose notes become comments above their lines.
    """
    head = (
        f"Imported from {draft.origin} ({draft.tool}). Each comment below is a judgement: read it,"
        " change the line if it is wrong, and run `tunesmith check`."
    )
    lines = [*comment(head, 0), *_mapping(draft, draft.finished(), (), 0)]
    return "\n".join(lines) + "\n"


def comment(text: str, indent: int) -> list[str]:
    """Wrap a note into lines of comments; anything that could end a comment is a blank."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    wrapped = textwrap.wrap(
        " ".join(plain.split()), WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False
    )
    return [f"{' ' * indent}# {line}" for line in wrapped]


def _mapping(draft: Draft, content: Mapping[str, Any], path: Path, indent: int) -> Iterator[str]:
    for key, value in content.items():
        here = (*path, key)
        for note in draft.notes.get(here, ()):
            yield from comment(note, indent)
        name = f"{' ' * indent}{key_text(str(key))}:"
        if _is_block(draft, value, here):
            yield name
            yield from _body(draft, value, here, indent + 2)
        else:
            yield f"{name} {flow(value)}"


def _is_block(draft: Draft, value: Any, path: Path) -> bool:
    if not value or not isinstance(value, dict | list):
        return False
    if path[0] in BLOCKS and len(path) == 1:
        return True
    if isinstance(value, list):
        return _has_boxes(value, path)
    has_notes = any(len(p) > len(path) and p[: len(path)] == path for p in draft.notes)
    return has_notes or path in (("objective", "params"), ("space", "parameters"))


def _has_boxes(value: Any, path: Path) -> bool:
    steps = path in (("objective", "steps"), ("space",), ("space", "parameters"))
    return steps and isinstance(value, list) and all(isinstance(v, dict) and v for v in value)


def _body(draft: Draft, value: Any, path: Path, indent: int) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _mapping(draft, value, path, indent)
        return
    for index, item in enumerate(value):
        if path == ("objective", "steps") or not isinstance(item, dict):
            yield f"{' ' * indent}- {flow(item)}"
            continue
        lines = list(_mapping(draft, item, (*path, index), indent + 2))
        # The dash stands before the first line, be it a comment.
        yield f"{' ' * indent}- {lines[0].lstrip()}"
        yield from lines[1:]
