"""Sweeps in the grammar of Hydra's overrides: ``choice(a, b)``, ``range(1, 9)``, ``1,2,3``.

See https://hydra.cc/docs/advanced/override_grammar/extended/.
"""

import re
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:
    (?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<mark>[\[\](){},:=])
    | (?P<word>[^\s\[\](){},:='"]+(?:[ ]+[^\s\[\](){},:='"]+)*)
    )""",
    re.VERBOSE,
)
INT = re.compile(r"[-+]?(?:0|[1-9](?:_?[0-9])*)\Z")
WHOLE = r"(?:0|[1-9](?:_?[0-9])*)"
POINT = rf"(?:{WHOLE}?\.[0-9](?:_?[0-9])*|{WHOLE}\.)"
FLOAT = re.compile(
    rf"[-+]?(?:{POINT}|(?:{WHOLE}|{POINT})[eE][-+]?[0-9](?:_?[0-9])*|inf|nan)\Z", re.IGNORECASE
)
"""As Hydra's grammar has them: `01` is text, and a float has a point or an exponent."""
WORDS = {"true": True, "false": False, "null": None}
CASTS = {"int": int, "float": float, "str": str, "bool": bool}


@dataclass(frozen=True)
class Choice:
    """``choice(a, b)``, or ``a,b``."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """``range(start, stop, step)``; ``stop`` is left out, as Python's."""

    start: float
    stop: float
    step: float = 1
    is_shuffled: bool = False


@dataclass(frozen=True)
class Interval:
    """``interval(start, end)``."""

    start: float
    end: float
    tags: frozenset[str] = field(default_factory=frozenset)


class GrammarError(ValueError):
    """The text is no value of an override."""


def parse(text: str) -> Any:
    """Parse the value of an override.

    Returns:
        A sweep, or a plain value.

    Raises:
        GrammarError: it is none.

    >>> parse("tag(log, interval(1e-4, 1e-1))")
    Interval(start=0.0001, end=0.1, tags=frozenset({'log'}))
    >>> parse("adam,sgd"), parse("range(1, 4)"), parse("[1,2]")
    (Choice(values=('adam', 'sgd')), Range(start=1, stop=4, step=1, is_shuffled=False), [1, 2])
    """
    parser = _OverrideParser(_tokens(text))
    items = [parser.element()]
    while parser.peek() == ",":
        parser.take(",")
        items.append(parser.element())
    if parser.peek():
        raise GrammarError(f"`{text}` is no value of an override")
    if len(items) == 1:
        return items[0]
    if any(isinstance(item, Choice | Range | Interval) for item in items):
        raise GrammarError(f"`{text}` is a list of sweeps")
    return Choice(tuple(items))


def _tokens(text: str) -> list[str]:
    tokens, end = [], 0
    text = text.strip()
    while end < len(text):
        match = TOKEN.match(text, end)
        if match is None:
            raise GrammarError(f"`{text}` is no value of an override")
        tokens.append(match[0].strip())
        end = match.end()
    return tokens


@dataclass
class _OverrideParser:
    tokens: list[str]
    index: int = 0

    def peek(self) -> str:
        """Return the next token; ``""`` at the end."""
        return self.tokens[self.index] if self.index < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        """Return the next token, and go on."""
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise GrammarError(f"expected `{wanted or 'a value'}`, found `{token or 'the end'}`")
        self.index += 1
        return token

    def element(self) -> Any:
        """Parse a value or a function."""
        item = self.take()
        if item == "[":
            return self.until("]")
        if item == "{":
            return self._mapping()
        if item[0] in "'\"":
            return re.sub(rf"\\({item[0]})", r"\1", item[1:-1])
        if item in "[](){},:=":
            raise GrammarError(f"`{item}` stands where a value is expected")
        if self.peek() == "(":
            self.take("(")
            return _called(item, *self._arguments())
        parts = [item]
        # A colon belongs to values such as `http:x`; within a mapping it ends the key.
        while self.peek() == ":" and self.index + 1 < len(self.tokens):
            parts += [self.take(":"), self.take()]
        return plain("".join(parts))

    def until(self, end: str) -> list[Any]:
        """Parse items up to a closing mark."""
        items: list[Any] = []
        while self.peek() != end:
            items.append(self.element())
            if self.peek() != end:
                self.take(",")
        self.take(end)
        return items

    def _mapping(self) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while self.peek() != "}":
            key = self.take().strip("'\"")
            self.take(":")
            items[key] = self.element()
            if self.peek() != "}":
                self.take(",")
        self.take("}")
        return items

    def _arguments(self) -> tuple[list[Any], dict[str, Any]]:
        items: list[Any] = []
        words: dict[str, Any] = {}
        while self.peek() != ")":
            if self.index + 1 < len(self.tokens) and self.tokens[self.index + 1] == "=":
                name = self.take()
                self.take("=")
                words[name] = self.element()
            else:
                items.append(self.element())
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return items, words


def plain(word: str) -> Any:
    """Return the value of an unquoted word.

    >>> [plain(word) for word in ("1", "1e-3", "true", "null", "adam")]
    [1, 0.001, True, None, 'adam']
    """
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    if INT.match(word):
        return int(word)
    return float(word) if FLOAT.match(word) else word


def _called(name: str, items: list[Any], words: dict[str, Any]) -> Any:
    if name == "choice" and not words:
        return Choice(tuple(items))
    if name == "range" and not any(isinstance(v, str) for v in items):
        return _range(items, words)
    if name == "interval":
        given = dict(zip(("start", "end"), items, strict=False)) | words
        if len(given) != 2:
            return _unknown(name)
        # Hydra makes floats of both; only `int(interval(1, 5))` is a range of whole numbers.
        return Interval(float(given["start"]), float(given["end"]))
    if name == "tag" and items:
        return _tagged(items)
    if name in ("shuffle", "sort") and len(items) >= 1:
        return _ordered(name, items)
    if name in CASTS and items and not words:
        return _cast(name, items[0] if len(items) == 1 else Choice(tuple(items)))
    return _unknown(name)


def _unknown(name: str) -> Any:
    raise GrammarError(f"`{name}(…)` has no equal")


def _range(items: list[Any], words: dict[str, Any]) -> Range:
    names = ("stop",) if len(items) == 1 else ("start", "stop", "step")
    given = {"start": 0, "step": 1} | dict(zip(names, items, strict=False)) | words
    return Range(given["start"], given["stop"], given["step"])


def _tagged(items: list[Any]) -> Any:
    *tags, sweep = items
    if isinstance(sweep, Interval):
        return Interval(sweep.start, sweep.end, frozenset(map(str, tags)))
    if isinstance(sweep, Choice | Range) and "log" not in tags:
        return sweep
    return _unknown("tag")


def _ordered(name: str, items: list[Any]) -> Any:
    sweep = items[0] if len(items) == 1 else Choice(tuple(items))
    if isinstance(sweep, list):
        return sweep
    if isinstance(sweep, Range) and name == "shuffle":
        return Range(sweep.start, sweep.stop, sweep.step, is_shuffled=True)
    return sweep


def _cast(name: str, value: Any) -> Any:
    cast = CASTS[name]
    if isinstance(value, Interval) and cast in (int, float):
        return Interval(cast(value.start), cast(value.end), value.tags)
    if isinstance(value, Range) and cast in (int, float):
        return Range(cast(value.start), cast(value.stop), cast(value.step), value.is_shuffled)
    if isinstance(value, Choice):
        return Choice(tuple(cast(item) for item in value.values))
    return cast(value) if isinstance(value, str | int | float | bool) else _unknown(name)
