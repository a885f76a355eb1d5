"""YAML 1.2 (core schema) as plain data with positions; no object is ever constructed from a tag.

Built without recursion from the parser's events, so that deep nesting, alias bombs and huge
numbers are refused before they cost anything.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from tunesmith.config.document import Document, Positions, SourceError
from tunesmith.errors import Path

MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_NODES = 100_000
MAX_DIGITS = 300

INT = re.compile(r"[-+]?[0-9]+\Z")
OCTAL = re.compile(r"0o[0-7]+\Z")
HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z")
NOT_A_NUMBER = (".nan", ".NaN", ".NAN")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NO_KEY = object()


def read_yaml(text: str) -> Document:
    """Parse one document.

    Raises:
        SourceError: the first thing that is wrong, with its line and column.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    builder = _Builder()
    try:
        # `pure`: ruamel's parser in C knows YAML 1.1 alone.
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except ReaderError as error:
        # This error has an index, and neither line nor column.
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"the control character U+{ord(text[error.position]):04X} is not allowed"
        raise SourceError(f"not valid YAML: {message}", *place) from None
    except (YAMLError, ValueError) as error:
        raise SourceError(f"not valid YAML: {error}") from None
    return Document(builder.root, builder.positions)


PLAINER = (
    (r"found character '\\t'.*", "a tab; indent with spaces"),
    (r"found character '(.)' that cannot start any token", r"`\1` cannot begin a value; quote it"),
    ("mapping values are not allowed here", "a second `: ` in one value; quote it, or indent less"),
    ("found unexpected end of stream", "a quote is opened here and never closed"),
    (r"expected .*, but (found|got) .*", "a bracket, a comma or an indentation is missing"),
)
"""Messages of the parser, and our explanations of them."""


def _syntax_error(error: Any) -> SourceError:
    problem, mark = error.problem or error.context or "", error.problem_mark
    # The parser notices an open quote or bracket far behind its position.
    is_open = problem.endswith(("end of stream", "'<stream end>'"))
    mark = error.context_mark if error.context_mark and (is_open or not mark) else mark
    for pattern, plainer in PLAINER:
        problem = re.sub(pattern, plainer, problem)
    place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return SourceError(f"not valid YAML: {problem or 'cannot be read'}", *place)


@dataclass
class _Frame:
    """A mapping or sequence under construction."""

    content: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    n_before: int
    key: Any = _NO_KEY

    @property
    def awaits_key(self) -> bool:
        return isinstance(self.content, dict) and self.key is _NO_KEY

    def next_path(self) -> Path:
        step = len(self.content) if isinstance(self.content, list) else self.key
        return (*self.path, step)


@dataclass(kw_only=True)
class _Builder:
    """Builds data from events."""

    root: Any = None
    positions: Positions = field(default_factory=Positions)
    _stack: list[_Frame] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    _n_documents: int = 0
    _n_aliases: int = 0
    _n_nodes: int = 0

    def take(self, event: Any) -> None:
        """Handle one event."""
        handler = getattr(self, f"_{type(event).__name__}", None)
        if handler is not None:
            handler(event)

    # The names of the handlers are derived from those of the events.

    def _DocumentStartEvent(self, event: Any) -> None:  # noqa: N802
        self._n_documents += 1
        if self._n_documents > 1:
            self._refuse(event, "a second document begins here; one file holds one document")

    def _ScalarEvent(self, event: Any) -> None:  # noqa: N802
        # A lone `!` constructs nothing: it only says that a value is text.
        if event.tag is not None and event.tag != "!":
            self._refuse(event, f"tags are not allowed (found `{event.tag}`)")
        is_plain = event.style is None and event.implicit[0]
        if self._stack and self._stack[-1].awaits_key:
            self._key(event, is_plain=is_plain)
        else:
            value = self._scalar(event) if is_plain else event.value
            self._add(event, value, 1, event.anchor)

    def _AliasEvent(self, event: Any) -> None:  # noqa: N802
        self._n_aliases += 1
        if self._n_aliases > MAX_ALIASES:
            self._refuse(event, f"more than {MAX_ALIASES} aliases")
        if event.anchor not in self._anchors:
            self._refuse(event, f"the alias `*{event.anchor}` has no anchor (or holds itself)")
        if self._stack and self._stack[-1].awaits_key:
            self._refuse(event, "an alias cannot be a key")
        value, size = self._anchors[event.anchor]
        # With the size of what it stands for: nested aliases share data here, but grow
        # exponentially as soon as the data are written or copied.
        self._add(event, value, size, None)

    def _MappingStartEvent(self, event: Any) -> None:  # noqa: N802
        self._open(event, {})

    def _SequenceStartEvent(self, event: Any) -> None:  # noqa: N802
        self._open(event, [])

    def _MappingEndEvent(self, _event: Any) -> None:  # noqa: N802
        self._close()

    def _SequenceEndEvent(self, _event: Any) -> None:  # noqa: N802
        self._close()

    def _open(self, event: Any, content: dict[str, Any] | list[Any]) -> None:
        if event.tag is not None:
            self._refuse(event, f"tags are not allowed (found `{event.tag}`)")
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep")
        if self._stack and self._stack[-1].awaits_key:
            self._refuse(event, "a list or mapping cannot be a key")
        path = self._stack[-1].next_path() if self._stack else ()
        n_before = self._n_nodes
        # The anchor is noted when the node is complete: an alias inside would hold itself.
        self._add(event, content, 1, None)
        self._stack.append(_Frame(content, path, event.anchor, n_before))

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.content, self._n_nodes - frame.n_before)

    def _key(self, event: Any, *, is_plain: bool) -> None:
        frame, key = self._stack[-1], event.value
        if is_plain and not isinstance(self._scalar(event), str):
            self._refuse(event, f"the key {key or 'null'} is no text; write it in quotes")
        if is_plain and key == "<<":
            self._refuse(event, "merge keys (`<<`) are not part of YAML 1.2; write the keys out")
        # ruamel notices this only when it constructs objects, which is not done here.
        if key in frame.content:
            first = self.positions.keys[(*frame.path, key)][0]
            self._refuse(event, f"the key `{key}` is given twice (first in line {first})")
        frame.key = key
        self.positions.keys[(*frame.path, key)] = _position(event)

    def _add(self, event: Any, value: Any, size: int, anchor: str | None) -> None:
        self._n_nodes += size
        if self._n_nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES:,} values")
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        if not self._stack:
            self.root = value
            self.positions.values[()] = _position(event)
            return
        frame = self._stack[-1]
        self.positions.values[frame.next_path()] = _position(event)
        if isinstance(frame.content, list):
            frame.content.append(value)
        else:
            frame.content[frame.key] = value
            frame.key = _NO_KEY

    def _scalar(self, event: Any) -> Any:
        try:
            return core_scalar(event.value)
        except ValueError as error:
            self._refuse(event, str(error))

    @staticmethod
    def _refuse(event: Any, message: str) -> Any:
        raise SourceError(message, *_position(event))


def core_scalar(text: str) -> Any:
    """Return the value of a plain scalar by YAML 1.2's core schema.

    Raises:
        ValueError: a whole number with too many digits.

    >>> [core_scalar(text) for text in ("1e-3", "no", "012", "1:30", "~", "0x1F")]
    [0.001, 'no', 12, '1:30', None, 31]
    """
    if text in WORDS:
        return WORDS[text]
    if INT.match(text):
        # Python's own parser takes quadratic time for long numbers.
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a whole number with more than {MAX_DIGITS} digits")
        return int(text)
    if FLOAT.match(text):
        return float(text)
    if OCTAL.match(text) or HEX.match(text):
        # With the base 0 Python reads the prefix, which YAML 1.2 spells as Python does.
        return int(text[:MAX_DIGITS], 0)
    if INFINITE.match(text):
        return float(text.replace(".", "").lower())
    return float("nan") if text in NOT_A_NUMBER else text


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
