"""Edits of a text file: values are set, entries removed, everything else stays as it is."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.formats import FormatError, format_of, json, toml, yaml, yaml_blocks
from tunesmith.formats.tree import get_at, remove_at, set_at
from tunesmith.types import Value

Place = tuple[str, ...]


def edit(text: str, name: str, values: Mapping[Place, Value], removed: Sequence[Place]) -> str:
    """Return the text with values set at places, and other places removed.

    Values that stand there already are not touched, so that their layout stays.

    Args:
        text: of the file.
        name: of the file, which ends in ``.json``, ``.yaml``, ``.yml`` or ``.toml``.
        values: by place; missing mappings are made.
        removed: places of entries to remove.

    Raises:
        FormatError: the format cannot hold a value, or something else would change.

    >>> edit('{"lr": 0.1, "depth": 3}', "best.json", {("lr",): 0.2}, [("depth",)])
    '{"lr": 0.2}'
    """
    form = {"json": json, "toml": toml, "yaml": yaml}[str(format_of(name))]
    before = form.read(text)
    changed = {place: v for place, v in values.items() if not _holds(before, place, v)}
    if not changed and not removed:
        return text
    expected = copy.deepcopy(before)
    for place, value in changed.items():
        set_at(expected, place, value)
    for place in removed:
        remove_at(expected, place)
    if form is yaml:
        edited = _edited_yaml(text, changed, removed, expected)
    else:
        edited = form.update(text, changed) if changed else text
        edited = form.remove(edited, removed)
    # No edit foresees every layout: a text that reads otherwise is refused, never written.
    if not yaml.says_same(_sorted(form.read(edited)), _sorted(expected)):
        raise FormatError("cannot be changed without changing something else in it")
    return edited


def _edited_yaml(
    text: str, changed: Mapping[Place, Value], removed: Sequence[Place], expected: dict[str, Any]
) -> str:
    """Edit whole lines to remove entries, and the characters of values to change them."""
    if not removed:
        return yaml.update(text, changed)
    try:
        # First, because a mapping in braces is otherwise written anew, without its comments.
        return yaml.update(yaml_blocks.without_lines(text, removed), changed)
    except FormatError:
        pass
    try:
        return yaml_blocks.rewrite(text, expected)
    except FormatError:
        # Entries in flow style have no lines of their own, so their whole mapping is written anew.
        parents = {place[:-1] for place in (*changed, *removed)}
        if () in parents:
            raise
        return yaml.update(text, {place: get_at(expected, place) for place in parents})


def _holds(data: Any, place: Place, value: Value) -> bool:
    try:
        return yaml.says_same(get_at(data, place), value)
    except KeyError:
        return False


def _sorted(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data, key=str)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data
