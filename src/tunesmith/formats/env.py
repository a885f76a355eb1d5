"""Files of environment variables (``.env``) that shells and dotenv libraries read equally."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from tunesmith.formats import FormatError, dotted
from tunesmith.formats.lines import line_end, one_line
from tunesmith.types import Value

LINE = re.compile(r"(?P<before>\s*(?:export\s+)?)(?P<name>[A-Za-z_]\w*)=(?P<value>.*)\Z", re.ASCII)
SPACED = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)(?:\s+=|=\s+[^\s#])", re.ASCII)
"""Lines that some dotenv libraries read, and shells do not."""
NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+-]+\Z", re.ASCII)


def read(text: str) -> dict[str, Any]:
    """Variables and their values, as text."""
    variables = {}
    for line in text.removeprefix("\ufeff").splitlines():
        match = LINE.match(line)
        if match:
            try:
                words = shlex.split(match["value"], comments=True)
            except ValueError as error:
                raise FormatError(f"`{match['name']}`: {error}") from None
            variables[match["name"]] = words[0] if words else ""
    return variables


def update(text: str, values: Mapping[tuple[str, ...], Value]) -> str:
    """The text with values set."""
    for number, line in enumerate(text.splitlines(), start=1):
        spaced = SPACED.match(line)
        if spaced and (spaced["name"],) in values:
            raise FormatError(
                f"`{spaced['name']}` has spaces around its `=` in line {number}, which shells do"
                " not understand: remove them"
            )
    end, lines = line_end(text), text.splitlines(keepends=True)
    for place, value in values.items():
        if len(place) != 1 or not NAME.match(place[0]):
            hint = "Give it one with `names`, e.g. `names: {learning_rate: LEARNING_RATE}`."
            raise FormatError(f"`{dotted(place)}` is no name of a variable. {hint}")
        _set(lines, place[0], _quoted(one_line(value, place, ".env"), place), end)
    return "".join(lines)


def _set(lines: list[str], name: str, written: str, end: str) -> None:
    is_set = False
    for index, line in enumerate(lines):
        match = LINE.match(line.rstrip("\r\n").removeprefix("\ufeff"))
        if match and match["name"] == name:
            mark = "\ufeff" if line.startswith("\ufeff") else ""
            tail = line[len(line.rstrip("\r\n")) :]
            # Readers need not agree on which of several such lines counts, so all of them are set.
            lines[index] = f"{mark}{match['before']}{name}={written}{tail}"
            is_set = True
    if not is_set:
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += end
        lines.append(f"{name}={written}{end}")


def _quoted(text: str, place: tuple[str, ...]) -> str:
    if PLAIN.match(text):
        return text
    # Some dotenv libraries put variables in the place of ${NAME} whatever quotes are around it.
    if not set(text) & set("'\\") and "${" not in text:
        return f"'{text}'"
    # Shells and dotenv libraries take dollars, backticks and backslashes for different things.
    if not set(text) & set("$`\\"):
        return '"' + text.replace('"', '\\"') + '"'
    raise FormatError(f"no quotes keep `{dotted(place)}` the same for every reader: {text!r}")
