"""The expressions of workflows, as GitHub evaluates them."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(&&|\|\||==|!=|<=|>=|<|>|!|\(|\)|,)|('(?:[^']|'')*')|([\w.*-]+))")
Contexts = Mapping[str, Any]
STATES = ("always", "success", "failure", "cancelled")


class Expression:
    """One of them, evaluated as it is read: ``or`` over ``and`` over comparisons."""

    def __init__(self, text: str, contexts: Contexts, functions: Mapping[str, bool]) -> None:
        self._tokens = [match.group().strip() for match in TOKEN.finditer(text)]
        plain = re.sub(r"\s", "", text)
        assert re.sub(r"\s", "", "".join(self._tokens)) == plain, f"not understood: {text}"
        self._contexts, self._states = contexts, functions

    def value(self) -> Any:
        found = self._any()
        assert not self._tokens, f"left over: {self._tokens}"
        return found

    def _next(self, *wanted: str) -> bool:
        if self._tokens and self._tokens[0] in wanted:
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Any:
        found = self._all()
        while self._next("||"):
            other = self._all()
            found = found if is_true(found) else other
        return found

    def _all(self) -> Any:
        found = self._comparison()
        while self._next("&&"):
            other = self._comparison()
            found = other if is_true(found) else found
        return found

    def _comparison(self) -> Any:
        found = self._atom()
        if self._next("=="):
            return is_equal(found, self._atom())
        return not is_equal(found, self._atom()) if self._next("!=") else found

    def _atom(self) -> Any:
        if self._next("!"):
            return not is_true(self._atom())
        if self._next("("):
            found = self._any()
            assert self._next(")")
            return found
        word = self._tokens.pop(0)
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        if self._next("("):
            return self._call(word, self._arguments())
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        return float(word) if re.fullmatch(r"-?\d+(\.\d+)?", word) else self._looked_up(word)

    def _arguments(self) -> list[Any]:
        found: list[Any] = []
        while not self._next(")"):
            found.append(self._any())
            self._next(",")
        return found

    def _call(self, name: str, given: list[Any]) -> Any:
        if name in STATES:
            assert not given
            return self._states[name]
        return FUNCTIONS[name.lower()](*given)

    def _looked_up(self, word: str) -> Any:
        found: Any = self._contexts
        for step in word.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


def is_true(value: Any) -> bool:
    return value not in (False, 0, "", None)


def is_equal(one: Any, other: Any) -> bool:
    """Letters of either case are the same; kinds that differ are made numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def shown(value: Any) -> str:
    """A value as it stands in a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "startswith": lambda text, part: shown(text).lower().startswith(shown(part).lower()),
    "endswith": lambda text, part: shown(text).lower().endswith(shown(part).lower()),
    "contains": lambda text, part: shown(part).lower() in shown(text).lower(),
    "format": lambda text, *given: text.format(*map(shown, given)),
    "tojson": lambda value: json.dumps(value, indent=2),
}


def condition(text: str, contexts: Contexts, states: Mapping[str, bool]) -> bool:
    """An ``if``: one that names no state of the job asks for success, too."""
    bare = text.strip()
    if bare.startswith("${{") and bare.endswith("}}"):
        bare = bare[3:-2]
    names_state = any(re.search(rf"\b{name}\(", bare) for name in STATES)
    found = is_true(Expression(bare, contexts, states).value())
    return found if names_state else states["success"] and found


def filled(text: str, evaluate: Callable[[str], Any]) -> str:
    """A text with its ``${{ … }}`` replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: shown(evaluate(match[1])), text)
