"""Helpers of formats with one value a line."""

import json
import re

from tunesmith.formats import FormatError, dotted
from tunesmith.types import Value


def line_end(text: str) -> str:
    """Return the line end of a text."""
    return "\r\n" if "\r\n" in text else "\n"


def one_line(value: Value, place: tuple[str, ...], form: str) -> str:
    """Return a value as text on one line: words as they are, anything else as in JSON.

    Raises:
        FormatError: the format has nothing that could stand for it.
    """
    if value is None:
        raise FormatError(f"{form} has no null, which `{dotted(place)}` needs")
    text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
    # `str.splitlines` and some readers end a line at each of these.
    if re.search(r"[\r\n\0\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
        raise FormatError(f"{form} holds a value on one line, `{dotted(place)}` is {text!r}")
    return text
