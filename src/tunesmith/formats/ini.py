"""INI, as Python's configparser reads it: sections, ``key = value`` or ``key: value``.

The first key of a place is the section; a place of one key is in ``[DEFAULT]``.
"""

import configparser
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.formats import FormatError, dotted
from tunesmith.formats.lines import line_end, one_line
from tunesmith.types import Value

SECTION = re.compile(r"\s*\[(?P<name>.+)\]")
OPTION = re.compile(r"(?P<key>\s*[^:=\s][^:=]*?)(?P<between>\s*[:=]\s*)(?P<value>.*)\Z")
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
    sections = {name: dict(parser._sections[name]) for name in parser.sections()}  # type: ignore[attr-defined]
    return sections | ({"DEFAULT": dict(parser.defaults())} if parser.defaults() else {})


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
    text = "".join(lines)
    _check(text, values)
    return text


def _check(text: str, values: Mapping[tuple[str, ...], Value]) -> None:
    """Read the new text again, and refuse it if an option does not have its new value."""
    found = read(text)
    for place, value in values.items():
        if get(found, place) != one_line(value, place, "INI"):
            raise FormatError(f"`{dotted(place)}` cannot be set to {value!r}")


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
    for index in _options(lines, begin, stop):
        option = OPTION.match(lines[index].rstrip("\r\n"))
        if option and option["key"].strip().lower() == key.lower():
            tail = lines[index][len(lines[index].rstrip("\r\n")) :]
            lines[index] = f"{option['key']}{option['between'] or ' = '}{value}{tail}"
            del lines[index + 1 : _continued(lines, index, stop)]
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
    for index in _options(lines, 0, len(lines)):
        heading = SECTION.match(lines[index].removeprefix("\ufeff"))
        if heading and begin is not None:
            return begin, index
        if heading and heading["name"] == section:
            begin = index + 1
    return begin, len(lines)


def _options(lines: list[str], begin: int, stop: int) -> Iterator[int]:
    """Places of the lines that hold a heading or an option, as configparser tells them apart."""
    # A line continues an option if it is indented more deeply than that one.
    level: int | None = None
    for index in range(begin, stop):
        text = lines[index].removeprefix("\ufeff")
        if not text.strip() or text.strip()[0] in "#;":
            continue
        depth = _depth(text)
        if level is not None and depth > level:
            continue
        level = None if SECTION.match(text) else depth
        yield index


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())


def _continued(lines: list[str], option: int, stop: int) -> int:
    """Return the line after those that continue the value of an option."""
    end = option + 1
    for index in range(option + 1, stop):
        is_inner = _depth(lines[index]) > _depth(lines[option].removeprefix("\ufeff"))
        if lines[index].strip() and not is_inner:
            break
        # Empty lines belong to the value only if a line that continues it follows.
        end = index + 1 if lines[index].strip() else end
    return end
