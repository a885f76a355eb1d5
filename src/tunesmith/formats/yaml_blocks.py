"""YAML in block style, edited by whole lines.

``yaml.update`` sets single values, each on one line. Here entries and items are added, replaced and
removed, lists of mappings among them, in the usual layout. Lines that say the same before and after
stay as they are, with their comments and anchors.
"""

import json
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from tunesmith.formats import FormatError, dotted
from tunesmith.formats.lines import line_end
from tunesmith.formats.yaml import composed, end_of, read, says_same, update
from tunesmith.formats.yaml_text import NOT_TEXT, flow, key_text, scalar

WORDS = re.compile(r"[A-Za-z][\w./=-]*(?: [\w./=-]+)+\Z", re.ASCII)
ONLY_COMMA = re.compile(r"[ \t]*,?[ \t]*(?:#.*)?\r?\n?\Z")
"""The end of a line behind an entry in flow style."""
MAX_FLOW = 60
STEP = 2
Place = tuple[str, ...]


def rewrite(text: str, content: Mapping[str, Any]) -> str:
    """Change as few lines of a text as possible so that it holds ``content``.

    Args:
        text: a block mapping, or nothing.
        content: the new content. New entries are put before the next one that was there; the order
            of the others stays.

    Raises:
        FormatError: it is no YAML, or an anchor or alias ties it to something else.
    """
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    if body and not body.endswith("\n"):
        body += line_end(body)
    body = _mapping(body, (), read(body), content)
    if not says_same(_sorted(read(body)), _sorted(dict(content))):
        raise FormatError("cannot be changed without changing something else in it")
    return mark + body


def moved(text: str, place: Place, before: str) -> str:
    """Move an entry, and the comment over it, before another one of its mapping.

    Raises:
        FormatError: one of them has no line of its own, or an alias would come before its
            anchor.
    """
    begin, stop = _lines_of(text, place)
    block, end = text[begin:stop], line_end(text)
    if _is_apart(text, begin):
        begin, block = begin - len(end), block + end
    rest = text[:begin] + text[stop:]
    try:
        at = _lines_of(rest, (*place[:-1], before))[0]
        edited = rest[:at] + block + rest[at:]
        is_same = says_same(_sorted(read(edited)), _sorted(read(text)))
    except FormatError:
        is_same = False
    if not is_same:
        raise FormatError(f"`{dotted(place)}` cannot stand before `{before}` (anchors?)")
    return edited


def without_lines(text: str, places: Sequence[Place]) -> str:
    """Remove entries of mappings in flow style that have lines of their own.

    Raises:
        FormatError: an entry shares a line with others, or is not there.

    >>> print(without_lines("a: {\\n  b: 1,  # one\\n  c: 2,  # two\\n}\\n", [("a", "b")]), end="")
    a: {
      c: 2,  # two
    }
    """
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    for place in places:
        parent = _node(text, place[:-1])
        key, value = _entry(parent, place[-1], place)
        begin, stop = _line_begin(text, key.start_mark.index), _line_stop(text, end_of(value))
        rest = text[end_of(value) : stop]
        if (
            not parent.flow_style
            or text[begin : key.start_mark.index].strip()
            or not ONLY_COMMA.match(rest)
        ):
            raise FormatError(f"`{dotted(place)}` is not written in lines of its own")
        text = text[:begin] + text[stop:]
    return mark + text


def _sorted(data: Any) -> Any:
    """The same without an order of keys."""
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data, key=str)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data


# -- changing ----------------------------------------------------------------------------------


def _mapping(text: str, place: Place, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    for key, value in new.items():
        if key not in old:
            follower = _follower(key, old, new)
            text = _with_entry(text, place, block({key: value}), follower)
        elif not says_same(old[key], value):
            text = _changed(text, (*place, key), old[key], value)
    # Removed last, so that the mapping is never empty in between.
    for key in [key for key in old if key not in new]:
        begin, stop = _lines_of(text, (*place, key))
        text = text[:begin] + text[stop:]
    return text


def _follower(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    names = list(new)
    return next((name for name in names[names.index(key) :] if name in old), None)


def _changed(text: str, place: Place, old: Any, new: Any) -> str:
    node = _node(text, place)
    is_block = node.id != "scalar" and not node.flow_style
    if not new:
        return update(text, {place: new})
    if is_block and isinstance(new, dict) and isinstance(old, dict):
        return _mapping(text, place, old, new)
    if is_block and isinstance(new, list) and isinstance(old, list):
        return _list(text, place, old, new)
    if not old and isinstance(new, dict):
        return _filled(text, place, node, new)
    return update(text, {place: new})


def _filled(text: str, place: Place, node: Any, new: Mapping[str, Any]) -> str:
    """Put entries on lines of their own into an empty mapping or value."""
    begin, stop = _lines_of(text, place)
    head = text[begin:stop]
    if node.start_mark.index < node.end_mark.index:
        head = text[begin : node.start_mark.index].rstrip() + text[node.end_mark.index : stop]
    indent = _column(text, place) + STEP
    return text[:begin] + head + _indented(block(new), indent, text) + text[stop:]


def _list(text: str, place: Place, old: Sequence[Any], new: Sequence[Any]) -> str:
    node = _node(text, place)
    spans = [_item_lines(text, node, item, place) for item in node.value]
    was, is_now = ([json.dumps(item, default=repr) for item in items] for items in (old, new))
    # Without `autojunk=False`, difflib disregards frequent items of long lists.
    changes = SequenceMatcher(None, was, is_now, autojunk=False).get_opcodes()
    # From the end, so that earlier positions stay valid.
    for what, i, i_stop, j, j_stop in reversed(changes):
        if what == "equal":
            continue
        lines = "".join(_item(value) for value in new[j:j_stop])
        begin = spans[i][0] if i < i_stop or i == 0 else spans[i - 1][1]
        stop = spans[i_stop - 1][1] if i < i_stop else begin
        text = text[:begin] + _indented(lines, node.start_mark.column, text) + text[stop:]
    return text


def _with_entry(text: str, place: Place, lines: str, before: str | None) -> str:
    node = _node(text, place)
    if node is None:
        return text + _indented(lines, 0, text)
    if node.id != "mapping" or node.flow_style or not node.value:
        raise FormatError(f"`{dotted(place) or 'the file'}` is not written as lines of its own")
    indented = _indented(lines, node.value[0][0].start_mark.column, text)
    neighbour = node.value[-1][0].value if before is None else before
    begin, stop = _lines_of(text, (*place, str(neighbour)))
    is_top = not place and text.count("\n", begin, stop) > 1
    blank = line_end(text) if is_top or _is_apart(text, begin) else ""
    if before is None:
        return text[:stop] + blank + indented + text[stop:]
    return text[:begin] + indented + blank + text[begin:]


def _is_apart(text: str, at: int) -> bool:
    """Tell whether a blank line is above a line."""
    return text[:at].endswith(("\n\n", "\n\r\n"))


# -- finding -----------------------------------------------------------------------------------


def _node(text: str, place: Place) -> Any:
    node = composed(text)
    for depth, key in enumerate(place):
        _, node = _entry(node, key, place[: depth + 1])
    return node


def _entry(node: Any, key: str, place: Place) -> tuple[Any, Any]:
    pairs = node.value if node is not None and node.id == "mapping" else []
    entry = next(((k, v) for k, v in pairs if str(k.value) == key), None)
    if entry is None:
        raise FormatError(f"`{dotted(place)}` is not there as an entry of its own (an alias?)")
    if entry[1].start_mark.index < entry[0].end_mark.index:
        raise FormatError(
            f"`{dotted(place)}` is an alias: what is set in it would change elsewhere, too"
        )
    return entry


def _key(text: str, place: Place) -> Any:
    return _entry(_node(text, place[:-1]), place[-1], place)[0]


def _column(text: str, place: Place) -> int:
    return int(_key(text, place).start_mark.column)


def _lines_of(text: str, place: Place) -> tuple[int, int]:
    """Return the begin and the end of an entry's lines, a comment over it included."""
    parent = _node(text, place[:-1])
    key, value = _entry(parent, place[-1], place)
    begin = _line_begin(text, key.start_mark.index)
    if text[begin : key.start_mark.index].strip():
        raise FormatError(f"`{dotted(place)}` is not written in lines of its own")
    end = text.index(":", key.end_mark.index) + 1
    if value.start_mark.index < value.end_mark.index:
        # The parser gives an empty value the position of the next token.
        end = max(end_of(value), end)
    stop = _line_stop(text, end)
    return _over_comment(text, begin, key.start_mark.column), stop


def _over_comment(text: str, begin: int, column: int) -> int:
    """Return the begin of a comment directly over a line with the same indentation."""
    while begin:
        above = _line_begin(text, begin - 1)
        if not text[above:begin].startswith(" " * column + "#"):
            break
        begin = above
    return begin


def _item_lines(text: str, parent: Any, item: Any, place: Place) -> tuple[int, int]:
    begin = _line_begin(text, item.start_mark.index)
    is_own = item.start_mark.index >= parent.start_mark.index
    if not is_own or not text[begin:].lstrip(" ").startswith("-"):
        raise FormatError(f"`{dotted(place)}` holds an alias, or items over several lines")
    return begin, _line_stop(text, end_of(item))


def _line_begin(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_stop(text: str, index: int) -> int:
    if text[index - 1 : index] == "\n":
        return index
    stop = text.find("\n", index)
    return len(text) if stop < 0 else stop + 1


# -- writing -----------------------------------------------------------------------------------


def block(content: Mapping[str, Any], *, is_inner: bool = False) -> str:
    """Return entries, each on lines of its own; flags are on one line, and so are lists in items.

    >>> print(block({"outs": [{"a.md": {"cache": False}}, "b.md"]}), end="")
    outs:
      - a.md: {cache: false}
      - b.md
    """
    return "".join(_lines(key, value, is_inner=is_inner) for key, value in content.items())


def _lines(key: str, value: Any, *, is_inner: bool) -> str:
    name = key_text(key)
    if value is None:
        return f"{name}:\n"
    if isinstance(value, dict) and not _is_short(value):
        return f"{name}:\n" + _indented(block(value, is_inner=is_inner), STEP)
    if isinstance(value, list) and value and not is_inner:
        return f"{name}:\n" + _indented("".join(map(_item, value)), STEP)
    return f"{name}: {_plain(value)}\n"


def _is_short(value: Mapping[str, Any]) -> bool:
    is_flat = all(isinstance(item, bool | int | float) for item in value.values())
    return not value or (is_flat and len(flow(value)) <= MAX_FLOW)


def _item(value: Any) -> str:
    if isinstance(value, dict) and value:
        first, *others = block(value, is_inner=True).splitlines(keepends=True)
        return f"- {first}" + "".join(f"{' ' * STEP}{line}" for line in others)
    return f"- {_plain(value)}\n"


def _plain(value: Any) -> str:
    if isinstance(value, str) and value.lower() not in NOT_TEXT and WORDS.match(value):
        return value
    return flow(value) if not isinstance(value, str) else scalar(value)


def _indented(lines: str, indent: int, text: str = "") -> str:
    end = line_end(text)
    return "".join(f"{' ' * indent}{line}{end}" for line in lines.splitlines())
