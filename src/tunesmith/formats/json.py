"""JSON: only the characters of the values that are set change."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith.formats import FormatError, dotted
from tunesmith.types import Value

BLANK = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()


def read(text: str) -> dict[str, Any]:
    """Parse the file."""
    try:
        content = json.loads(text.removeprefix("\ufeff") or "{}", object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise FormatError("holds no keys and values")
    return content


def update(text: str, values: Mapping[tuple[str, ...], Value]) -> str:
    """The text with values set."""
    read(text)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(mark) if text.strip("\ufeff \t\r\n") else "{\n}\n"
    for place, value in values.items():
        try:
            body = _set(body, place, value)
        except ValueError as error:
            raise FormatError(f"JSON cannot hold `{dotted(place)}`: {error}") from None
    return mark + body


def remove(text: str, places: Sequence[tuple[str, ...]]) -> str:
    """The text without the entries at places."""
    for place in places:
        text = _without(text, place)
    return text


def _without(text: str, place: tuple[str, ...]) -> str:
    """The text without one entry, and without its comma."""
    at = _past(text, 1 if text.startswith("\ufeff") else 0)
    for key in place[:-1]:
        at = dict(_entries(text, at)).get(key, (at, at))[0]
    keys = [key for key, _ in _entries(text, at)]
    if text[at] != "{" or place[-1] not in keys:
        raise FormatError(f"`{dotted(place)}` is not there")
    ends = [end for _, (_, end) in _entries(text, at)]
    index = keys.index(place[-1])
    if index:
        return text[: ends[index - 1]] + text[ends[index] :]
    if len(keys) == 1:
        return text[: at + 1] + text[ends[0] :].lstrip()
    begin = _past(text, at + 1)
    return text[:begin] + text[_past(text, _past(text, ends[0]) + 1) :]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        # Readers differ in which of the two values they take.
        if key in mapping:
            raise ValueError(f"the key {key!r} is there twice")
        mapping[key] = value
    return mapping


def _set(text: str, place: tuple[str, ...], value: Value) -> str:
    at = _past(text, 0)
    for depth, key in enumerate(place):
        if text[at] not in "{[":
            if text.startswith("null", at):
                return _over(text, at, _nested(place[depth:], value))
            raise FormatError(f"`{dotted(place[:depth])}` has no place for `{key}`")
        spans = dict(_entries(text, at))
        if key not in spans:
            if text[at] == "[":
                raise FormatError(f"`{dotted(place[:depth])}` is a list without a place `{key}`")
            return _inserted(text, at, list(spans.values()), _nested(place[depth:], value))
        at = spans[key][0]
    return _over(text, at, value)


def _nested(place: tuple[str, ...], value: Value) -> Value:
    for key in reversed(place):
        value = {key: value}
    return value


def _over(text: str, at: int, value: Value) -> str:
    _, end = DECODER.raw_decode(text, at)
    return text[:at] + _written(value) + text[end:]


def _written(value: Value) -> str:
    # `NaN` is Python's own: other readers would refuse the file.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _past(text: str, at: int) -> int:
    blanks = BLANK.match(text, at)
    return blanks.end() if blanks else at


def _entries(text: str, at: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Key or index of each entry of the object or list at a place, and its value's span."""
    is_object, index = text[at] == "{", 0
    at = _past(text, at + 1)
    while text[at] not in "}]":
        key = str(index)
        if is_object:
            key, at = DECODER.raw_decode(text, at)
            at = _past(text, _past(text, at) + 1)
        _, end = DECODER.raw_decode(text, at)
        yield key, (at, end)
        index, at = index + 1, _past(text, end)
        if text[at] == ",":
            at = _past(text, at + 1)


def _inserted(text: str, at: int, spans: list[tuple[int, int]], entry: Any) -> str:
    """A new entry behind the last one, laid out as the first one is."""
    first = _past(text, at + 1)
    written = ",".join(f"{_written(key)}: {_written(value)}" for key, value in entry.items())
    if not spans:
        before = text[at + 1 : first]
        gap = f"{before}  " if "\n" in before else ""
        return f"{text[: at + 1]}{gap}{written}{text[at + 1 :]}"
    gap = text[at + 1 : first] or " "
    end = spans[-1][1]
    return f"{text[:end]},{gap}{written}{text[end:]}"
