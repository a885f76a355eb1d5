"""TOML, by tomlkit: comments and layout are kept."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.formats import FormatError, dotted
from tunesmith.formats.tree import remove_at, set_at
from tunesmith.types import Value


def read(text: str) -> dict[str, Any]:
    """Parse the file."""
    import tomllib

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(f"is no TOML: {error}") from None


def update(text: str, values: Mapping[tuple[str, ...], Value]) -> str:
    """The text with values set."""
    import tomlkit

    # Python's own parser goes first: its errors name line and column.
    read(text)
    document = tomlkit.parse(text.removeprefix("\ufeff"))
    for place, value in values.items():
        if holds_null(value):
            raise FormatError(f"TOML has no null, which `{dotted(place)}` needs")
        if isinstance(value, float) and not math.isfinite(value):
            raise FormatError(f"`{dotted(place)}` is {value}, which is no number to go on with")
        set_at(document, place, value)
    written = tomlkit.dumps(document)
    # tomlkit ends new lines with `\n` alone.
    if "\r\n" in text:
        written = re.sub("\r?\n", "\r\n", written)
    return "\ufeff" + written if text.startswith("\ufeff") else written


def remove(text: str, places: Sequence[tuple[str, ...]]) -> str:
    """The text without the entries at places."""
    import tomlkit

    document = tomlkit.parse(text.removeprefix("\ufeff"))
    for place in places:
        remove_at(document, place)
    written = tomlkit.dumps(document)
    return "\ufeff" + written if text.startswith("\ufeff") else written


def holds_null(value: Value) -> bool:
    """Tell whether a value holds a null, at any depth."""
    if isinstance(value, dict):
        return any(map(holds_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(holds_null, value)))
