"""YAML: only the characters of the values that are set change.

Dumping a whole document again would keep its comments, too, but not its layout. So the text is
spliced, and then read again to check its values.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tunesmith.formats import MAX_BYTES, FormatError, dotted
from tunesmith.formats.lines import line_end
from tunesmith.formats.tree import set_at
from tunesmith.formats.yaml_text import flow, key_text, yaml_text
from tunesmith.types import Value

ALIAS = re.compile(r"\s*:\s+(?P<alias>\*[^\s,\[\]{}]+)")
ANCHOR = re.compile(r"(?:!\S*\s+)?&")


def read(text: str) -> dict[str, Any]:
    """Parse the file as YAML 1.2."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(text) > MAX_BYTES:
        raise FormatError(f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        reader = YAML(typ="safe", pure=True)
        reader.Constructor = _constructor()
        content = reader.load(text.removeprefix("\ufeff"))
    except (YAMLError, ValueError, RecursionError) as error:
        raise FormatError(f"is no YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise FormatError("holds no keys and values")
    return content


@cache
def _constructor() -> Any:
    """A constructor to which ``1_0.1`` is a text, as YAML 1.2 has it."""
    from ruamel.yaml.constructor import SafeConstructor

    class Constructor(SafeConstructor):
        def construct_yaml_int(self, node: Any) -> Any:
            return node.value if "_" in node.value else super().construct_yaml_int(node)

        def construct_yaml_float(self, node: Any) -> Any:
            return node.value if "_" in node.value else super().construct_yaml_float(node)

    for kind in ("int", "float"):
        construct = getattr(Constructor, f"construct_yaml_{kind}")
        Constructor.add_constructor(f"tag:yaml.org,2002:{kind}", construct)
    return Constructor


def update(text: str, values: Mapping[tuple[str, ...], Value]) -> str:
    """The text with values set; YAML 1.1 and 1.2 readers find the same values in it."""
    expected = read(text)
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    for place, value in values.items():
        set_at(expected, place, value)
        body = _set(body, place, value)
    # Splicing cannot foresee every layout. A text that reads otherwise is refused, never written.
    if not says_same(read(body), expected):
        raise FormatError("cannot be changed without changing something else in it")
    return mark + body


def says_same(one: Any, other: Any) -> bool:
    """Tell whether two parsed values are equal, the types of their numbers included."""
    return _texts(one) == _texts(other)


def _texts(data: Any) -> str:
    """Text of a value in which 1, 1.0 and true differ."""
    if isinstance(data, dict):
        # Python holds 1, 1.0 and True for equal; a program that reads the file may not.
        return f"{{{', '.join(f'{k!r}: {_texts(v)}' for k, v in data.items())}}}"
    return f"[{', '.join(map(_texts, data))}]" if isinstance(data, list) else repr(data)


def _set(text: str, place: tuple[str, ...], value: Value) -> str:
    node = composed(text)
    if node is None:
        before = text if not text or text.endswith("\n") else text + line_end(text)
        return before + _block(place, value, 0, line_end(text))
    for depth, key in enumerate(place):
        entry = _entry(node, key, place[: depth + 1])
        if entry is None:
            return _inserted(text, node, place[depth:], value)
        key_end, inner = entry
        if inner.start_mark.index < key_end:
            return _over_alias(text, key_end, place, depth, value)
        if depth == len(place) - 1 or _is_null(inner):
            return _over(text, key_end, inner, place, _nested(place[depth + 1 :], value))
        node = inner
    raise AssertionError(place)


def composed(text: str) -> Any:
    """Parse the text into nodes with their positions; ``None`` for an empty text."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).compose(text)


def _entry(node: Any, key: str, place: tuple[str, ...]) -> tuple[int, Any] | None:
    """Return the end of an entry's key, and its node; ``None`` if it is missing."""
    if node.id == "mapping":
        entries = [(k.end_mark.index, v) for k, v in node.value if str(k.value) == key]
        return entries[0] if entries else None
    if node.id == "sequence" and key.isdecimal() and int(key) < len(node.value):
        return 0, node.value[int(key)]
    raise FormatError(f"`{dotted(place[:-1])}` has no place for `{key}`")


def _is_null(node: Any) -> bool:
    return node.id == "scalar" and node.style is None and node.value in ("", "~", "null")


def _nested(place: tuple[str, ...], value: Value) -> Value:
    for key in reversed(place):
        value = {key: value}
    return value


def _over(text: str, key_end: int, node: Any, place: tuple[str, ...], value: Value) -> str:
    begin, end = node.start_mark.index, end_of(node)
    # Aliases elsewhere would change with it.
    if ANCHOR.match(text, begin):
        raise FormatError(f"`{dotted(place)}` is an anchor, which other places may refer to")
    old = text[begin:end]
    written = flow(value)
    if not old:
        # The value is empty, and the parser gives no position for an empty value.
        at = text.index(":", key_end) + 1
        return f"{text[:at]} {written}{text[at:]}"
    kept = len(old.rstrip())
    is_block = node.id != "scalar" and not node.flow_style
    lead = text[:begin]
    # Only the end is searched: an expression that ends in `\Z` is tried at every colon.
    if is_block and re.search(r":[ \t]*(#.*)?\r?\n\s*\Z", lead[-1000:]):
        # A block begins on a line of its own; a value stands behind its key.
        lead = re.sub(r"[ \t]*\r?\n\s*\Z", "", lead)
        comment = re.search(r":([ \t]*#[^\r\n]*)\Z", lead)
        if comment:
            return f"{lead[: comment.start(1)]} {written}{comment[1]}{text[begin + kept :]}"
        return f"{lead} {written}{text[begin + kept :]}"
    return f"{lead}{written}{text[begin + kept :]}"


def end_of(node: Any) -> int:
    """Return the end of a node's own characters."""
    if node.id == "scalar" or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    own = last[1] if node.id == "mapping" else last
    begin = last[0].end_mark.index if node.id == "mapping" else node.start_mark.index
    # An alias has the position of its anchor.
    if own.start_mark.index < begin:
        return int(node.end_mark.index)
    key_end = int(last[0].end_mark.index) + 1 if node.id == "mapping" else 0
    if key_end and own.start_mark.index == own.end_mark.index:
        return key_end  # nothing, as a value, is said to lie where the next token begins
    return max(end_of(own), key_end)


def _over_alias(text: str, key_end: int, place: tuple[str, ...], depth: int, value: Value) -> str:
    """Replace an alias by a value; values inside of an alias cannot be set."""
    match = ALIAS.match(text, key_end)
    if depth < len(place) - 1 or match is None:
        at = dotted(place[: depth + 1])
        raise FormatError(f"`{at}` is an alias: what is set in it would change elsewhere, too")
    return f"{text[: match.start('alias')]}{flow(value)}{text[match.end('alias') :]}"


def _inserted(text: str, node: Any, place: tuple[str, ...], value: Value) -> str:
    """A new entry, behind the last one of its mapping."""
    end = line_end(text)
    if node.flow_style or not node.value:
        at = node.end_mark.index - 1
        comma = ", " if node.value else ""
        entry = f"{key_text(place[0])}: {flow(_nested(place[1:], value))}"
        return f"{text[:at].rstrip()}{comma}{entry}{text[at:]}"
    indent = node.value[0][0].start_mark.column
    at = end_of(node)
    at += len(text[at:]) - len(text[at:].lstrip(" \t"))
    stop = text.find("\n", at - 1 if text[at - 1 : at] == "\n" else at)
    whole, rest = (text, "") if stop < 0 else (text[: stop + 1], text[stop + 1 :])
    if not whole.endswith("\n"):
        whole += end
    return whole + _block(place, value, indent, end) + rest


def _block(place: tuple[str, ...], value: Value, indent: int, end: str) -> str:
    nested: Any = {place[0]: _nested(place[1:], value)}
    return "".join(f"{line}{end}" for line in yaml_text(nested, indent).splitlines())
