"""Python modules that hold parameters as constants, edited by their syntax tree; nothing is run.

A place is a top-level name, then keys: of a dictionary (``CONFIG.lr``), of a call's arguments
(``dict(lr=0.1)``), of a class (``Config.lr``, dataclasses too), or an index of a list or tuple.
Only literal constants can be set. If a module assigns a name in two places, or changes it later,
the value that the program will find cannot be known: that is refused.
"""

import ast
import json
import keyword
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from tunesmith.formats import FormatError, MissingPlaceError, dotted
from tunesmith.formats.lines import line_end
from tunesmith.formats.python_changes import ANY, changes, replaced_in
from tunesmith.formats.python_literals import Style, literal, written
from tunesmith.formats.python_scope import Binding, bindings, star_imports
from tunesmith.types import Value

# The lines that `ast` counts: a form feed ends none.
LINE = re.compile(rb"\r\n|\r|\n")
COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
FIELDS = ("field", "Field")
"""Of dataclasses and pydantic: the argument ``default`` is the value."""


def read(text: str) -> dict[str, Any]:
    """The constants that can be set, nested; tuples as lists."""
    module = Module(text)
    return {
        name: constants for name in module.names if (constants := module.constants((name,))) != {}
    }


def update(text: str, values: Mapping[tuple[str, ...], Value]) -> str:
    """The text with constants set. A top-level name that is not there is added at the end."""
    module, edits, added = Module(text), [], []
    for place, value in values.items():
        if len(place) == 1 and place[0] not in module.bindings:
            added.append(f"{_name(place[0])} = {written(value, place, None, module.style(None))}")
            continue
        node = module.constant(place)
        _refuse_shared(value, place, node, module)
        edits.append((*module.span(node), written(value, place, node, module.style(node))))
    data = module.data
    # From the end, so that earlier positions stay valid; in bytes, as `ast` counts columns.
    for begin, end, new in sorted(edits, reverse=True):
        data = data[:begin] + new.encode() + data[end:]
    lines = data.decode()
    if added and lines and not lines.endswith(("\n", "\r")):
        lines += line_end(text)
    updated = module.mark + lines + "".join(f"{line}{line_end(text)}" for line in added)
    _check(updated, values)
    return updated


def _refuse_shared(value: Value, place: tuple[str, ...], node: ast.expr, module: "Module") -> None:
    """Refuse a list or dictionary as a default of a dataclass, whose instances would share it."""
    owner = _only(module.bindings, place[0], place).value
    if not isinstance(owner, ast.ClassDef) or isinstance(node, ast.Tuple):
        return
    # By its text, because a decorator may be imported under any name.
    is_dataclass = any("dataclass" in ast.unparse(part) for part in owner.decorator_list)
    if is_dataclass and isinstance(value, list | dict):
        raise FormatError(f"a dataclass takes no list as a default, `{dotted(place)}` is {value}")


def _check(text: str, values: Mapping[tuple[str, ...], Value]) -> None:
    """Read the new text again, and refuse it if a constant does not have its new value."""
    module = Module(text)
    for place, value in values.items():
        # By their text, because `1 == 1.0 == True` holds in Python.
        if json.dumps(literal(module.constant(place), place)) != json.dumps(value):
            raise FormatError(f"`{dotted(place)}` cannot be set to {value!r}")


def _name(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise FormatError(f"`{name}` cannot be a name of a Python module")
    return name


# -- the module ----------------------------------------------------------------------------------


class Module:
    """A parsed module.

    Args:
        text: of it, as decoded from UTF-8.

    Raises:
        FormatError: it is no Python, as this Python understands it.
    """

    def __init__(self, text: str) -> None:
        self.mark = "\ufeff" if text.startswith("\ufeff") else ""
        body = text.removeprefix("\ufeff")
        self.data = body.encode()
        with warnings.catch_warnings():
            # Invalid escapes in the user's strings are no concern of an edit.
            warnings.simplefilter("ignore")
            try:
                self.tree = ast.parse(body)
            except SyntaxError as error:
                raise FormatError(f"is no Python: line {error.lineno}: {error.msg}") from None
            # Null bytes and deep nesting end in these, not in a SyntaxError.
            except (ValueError, RecursionError, MemoryError) as error:
                raise FormatError(f"is no Python: {error}") from None
        self._starts = [0, *(match.end() for match in LINE.finditer(self.data))]
        self.is_ascii = _has_other_coding(body)
        """True if only ASCII may be written, because the module declares another encoding than
        UTF-8."""

    @cached_property
    def bindings(self) -> dict[str, list[Binding]]:
        """Bindings of the top-level names."""
        return bindings(self.tree.body, is_module=True)

    @property
    def names(self) -> list[str]:
        """The top-level names, in order."""
        return list(self.bindings)

    @cached_property
    def _changes(self) -> dict[str, list[Any]]:
        return changes(self.tree)

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return the begin and the end of a node, in bytes."""
        begin = self._starts[node.lineno - 1] + node.col_offset
        last, column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return begin, self._starts[last - 1] + column

    def quote(self, node: ast.expr | None) -> str:
        """The quotation marks in use: those of a node, or else of most texts of the module."""
        begin, end = (0, len(self.data)) if node is None else self.span(node)
        source = self.data[begin:end]
        if node is not None and not set(source) & set(b"'\""):
            source = self.data
        return '"' if source.count(b'"') >= source.count(b"'") else "'"

    def style(self, node: ast.expr | None) -> Style:
        """Return the style in which a text is written in the place of a node."""
        return Style(self.quote(node), self.is_ascii)

    def constant(self, place: tuple[str, ...]) -> ast.expr:
        """Return the literal at a place.

        Raises:
            FormatError: it is not there, no literal, or not all that the program will find.
        """
        # Python normalises names, so that the syntax tree has this spelling.
        name = unicodedata.normalize("NFKC", place[0])
        binding = _only(self.bindings, name, place)
        node: ast.expr | ast.ClassDef = _value(binding, place[:1])
        for depth, key in enumerate(place[1:], start=1):
            node = _inner(node, key, place[: depth + 1])
        node = _default(node)
        self._refuse_changes(place, binding)
        literal(node, place)
        assert isinstance(node, ast.expr)  # noqa: S101 - a class is no literal
        return node

    def _refuse_changes(self, place: tuple[str, ...], binding: Binding) -> None:
        for line, module in star_imports(self.tree.body):
            if line > binding.line:
                text = (
                    f"`from {module} import *` in line {line} may give `{place[0]}` another value"
                )
                raise FormatError(text)
        for root, keys in ((place[0], place[1:]), (ANY, place)):
            for change in self._changes.get(root, ()):
                if all(key in (None, own) for key, own in zip(change.path, keys, strict=False)):
                    raise FormatError(f"`{dotted(place)}` is changed in line {change.line}")
        if isinstance(binding.value, ast.ClassDef) and len(place) == 2:
            self._refuse_calls(place, binding.value)

    def _refuse_calls(self, place: tuple[str, ...], node: ast.ClassDef) -> None:
        """Refuse a default that every call of the class replaces: the program would not find it."""
        fields = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
        names = [target.id for target in fields if isinstance(target, ast.Name)]
        # The fields of a base come first, and their number is not known here.
        line = replaced_in(self.tree, place[0], place[1], None if node.bases else names)
        if line:
            text = dotted(place)
            raise FormatError(f"`{place[0]}(…)` in line {line} is given another `{text}`")

    def constants(self, place: tuple[str, ...]) -> Any:
        """Return constants that can be set at a place and beneath it; ``{}`` if there are none."""
        try:
            return literal(self.constant(place), place)
        except FormatError:
            inner = {key: self.constants((*place, key)) for key in self._keys(place)}
            return {key: value for key, value in inner.items() if value != {}}

    def _keys(self, place: tuple[str, ...]) -> list[str]:
        try:
            node = _value(_only(self.bindings, place[0], place), place)
            for key in place[1:]:
                node = _inner(node, key, place)
        except FormatError:
            return []
        return list(_keys_of(node))


def _has_other_coding(text: str) -> bool:
    # By PEP 263 a declaration counts in the first two lines only.
    cookies = (COOKIE.match(line) for line in text.splitlines()[:2])
    name = next((match[1] for match in cookies if match), "utf-8")
    return name.lower().replace("_", "-") not in ("utf-8", "utf8")


def _only(by_name: Mapping[str, list[Binding]], name: str, place: tuple[str, ...]) -> Binding:
    """Return the only binding of a name."""
    every = by_name.get(name, [])
    if not every:
        raise MissingPlaceError(f"there is no `{dotted(place)}`")
    if len(every) > 1:
        lines = ", ".join(str(line) for line in sorted({binding.line for binding in every}))
        raise FormatError(f"`{dotted(place)}` is set more than once (lines {lines})")
    return every[0]


def _value(binding: Binding, place: tuple[str, ...]) -> ast.expr | ast.ClassDef:
    if binding.value is None:
        raise FormatError(
            f"`{dotted(place)}` {binding.reason}: it must be set once, at the top level"
        )
    return binding.value


def _inner(
    node: ast.expr | ast.ClassDef, key: str, place: tuple[str, ...]
) -> ast.expr | ast.ClassDef:
    """Return the node under a key of a value."""
    if isinstance(node, ast.ClassDef):
        own = bindings(node.body, is_module=False)
        return _value(_only(own, key, place), place)
    if isinstance(node, ast.Dict):
        return _entry(node, key, place)
    if isinstance(node, ast.Call):
        for item in node.keywords:
            if item.arg == key:
                return item.value
    if isinstance(node, ast.List | ast.Tuple):
        # `isdecimal` takes digits of all scripts.
        is_index = key.isascii() and key.isdecimal() and int(key) < len(node.elts)
        if is_index and not any(isinstance(item, ast.Starred) for item in node.elts):
            return node.elts[int(key)]
    raise MissingPlaceError(f"there is no `{dotted(place)}` (line {node.lineno})")


def _entry(node: ast.Dict, key: str, place: tuple[str, ...]) -> ast.expr:
    values: list[ast.expr] = []
    for name, value in zip(node.keys, node.values, strict=True):
        if name is None and values:
            text = f"`**` in line {value.lineno} may give `{dotted(place)}` another value"
            raise FormatError(text)
        if isinstance(name, ast.Constant) and str(name.value) == key:
            values.append(value)
    if len(values) > 1:
        raise FormatError(f"`{dotted(place)}` is there twice (line {node.lineno})")
    if not values:
        raise MissingPlaceError(f"there is no `{dotted(place)}` (line {node.lineno})")
    return values[0]


def _keys_of(node: ast.expr | ast.ClassDef) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        yield from bindings(node.body, is_module=False)
    elif isinstance(node, ast.Dict):
        yield from (str(k.value) for k in node.keys if isinstance(k, ast.Constant))
    elif isinstance(node, ast.Call):
        yield from (item.arg for item in node.keywords if item.arg)


def _default(node: ast.expr | ast.ClassDef) -> ast.expr | ast.ClassDef:
    """Return the default inside a call such as ``field(default=1)``."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in FIELDS:
        return node
    named = [item.value for item in node.keywords if item.arg == "default"]
    return next(iter([*named, *node.args[:1]]), node)
