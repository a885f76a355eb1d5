"""INI, as Python's configparser reads it: sections, ``key = value`` or ``key: value``.

The first key of a place is the section; a place of one key is in ``[DEFAULT]``.
"""

import configparser
import re
from collections.abc import Mapping
from typing import Any

from tunesmith.formats import FormatError, dotted
from tunesmith.formats.lines import line_end, one_line
from tunesmith.types import Value

SECTION = re.compile(r"\[(?P<name>.+)\]")
OPTION = re.compile(r"(?P<key>[^:=\s][^:=]*?)(?P<between>\s*[:=]\s*)(?P<value>.*)\Z")
COMMENT = re.compile(r"(^|\s)[;#]")
"""Beginnings of comments, for some readers."""
KEY = re.compile(r"[^\s:=#;\[\]][^:=\r\n\[\]]*\Z")


def read(text: str) -> dict[str, Any]:
    """Sections of texts; ``DEFAULT`` among them if it holds anything."""
    # Raw, because the other parsers take `%` for a reference to another key.
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text.removeprefix("\ufeff"))
    except configparser.Error as error:
        raise FormatError(f"is no INI: {' '.join(str(error).split())}") from None
    # `items` would mix the defaults into every section.
    found = {name: dict(parser._sections[name]) for name in parser.sections()}  # type: ignore[attr-defined]
    return found | ({"DEFAULT": dict(parser.defaults())} if parser.defaults() else {})


def get(data: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    """Return the value at a place, in its section or in ``[DEFAULT]``; keys have no case.

    Raises:
        KeyError: there is none.
    """
    section, key = _parts(place)
    own = data[section] if section != "DEFAULT" else {}
    return {**data.get("DEFAULT", {}), **own}[key.lower()]


def update(text: str, values: Mapping[tuple[str, ...], Value]) -> str:
    """The text with values set."""
    read(text)
    lines = text.splitlines(keepends=True)
    for place, value in values.items():
        section, key = _parts(place)
        written = one_line(value, place, "INI")
        if written != written.strip():
            raise FormatError(f"INI drops the spaces around `{dotted(place)}`: {written!r}")
        _refuse_where_readers_differ(written, place)
        _set(lines, section, key, written, line_end(text))
    return "".join(lines)


def _refuse_where_readers_differ(written: str, place: tuple[str, ...]) -> None:
    if "%" in written:
        raise FormatError(
            f"`{dotted(place)}` is {written!r}: Python's configparser takes % for a reference to"
            " another key, other readers do not. Give the program the value by another way"
        )
    if COMMENT.search(written):
        raise FormatError(
            f"`{dotted(place)}` is {written!r}: some readers of INI files end a value before ; or #"
        )


def _parts(place: tuple[str, ...]) -> tuple[str, str]:
    section, key = ("DEFAULT", place[0]) if len(place) == 1 else (place[0], ".".join(place[1:]))
    if not KEY.match(key) or key != key.strip() or "]" in section or "\n" in section:
        raise FormatError(f"`{dotted(place)}` cannot be a key of an INI file")
    return section, key


def _set(lines: list[str], section: str, key: str, value: str, end: str) -> None:
    begin, stop = _span(lines, section)
    if begin is None:
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += end
        lines += [f"[{section}]{end}", f"{key} = {value}{end}"]
        return
    for index in range(begin, stop):
        option = OPTION.match(lines[index].rstrip("\r\n"))
        # An indented line continues the value above it.
        is_line = option and not lines[index][0].isspace() and lines[index][0] not in "#;"
        if option and is_line and option["key"].strip().lower() == key.lower():
            tail = lines[index][len(lines[index].rstrip("\r\n")) :]
            lines[index] = f"{option['key']}{option['between'] or ' = '}{value}{tail}"
            del lines[index + 1 : _continued(lines, index + 1, stop)]
            return
    place = begin
    for index in range(begin, stop):
        if lines[index].strip():
            place = index + 1
    if lines[place - 1 : place] and not lines[place - 1].endswith(("\n", "\r")):
        lines[place - 1] += end
    lines.insert(place, f"{key} = {value}{end}")


def _span(lines: list[str], section: str) -> tuple[int | None, int]:
    """The lines of a section, without its heading."""
    begin = None
    for index, line in enumerate(lines):
        heading = SECTION.match(line.removeprefix("\ufeff"))
        if heading and begin is not None:
            return begin, index
        if heading and heading["name"] == section:
            begin = index + 1
    return begin, len(lines)


def _continued(lines: list[str], begin: int, stop: int) -> int:
    """Return the line after those that continue a value, which are indented."""
    while begin < stop and lines[begin].strip() and lines[begin][0] in " \t":
        begin += 1
    return begin
