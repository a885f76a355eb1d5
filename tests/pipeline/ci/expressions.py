"""The expressions of workflows, as far as templates use them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(&&|\|\||==|!=|!|\(|\))|('(?:[^']|'')*')|([\w.-]+))")
Contexts = Mapping[str, Any]


class Expression:
    """One of them, evaluated as it is read: ``or`` over ``and`` over comparisons."""

    def __init__(self, text: str, contexts: Contexts, functions: Mapping[str, bool]) -> None:
        self._tokens = [match.group().strip() for match in TOKEN.finditer(text)]
        assert "".join(self._tokens) == re.sub(r"\s", "", text), f"not understood: {text}"
        self._contexts, self._functions = contexts, functions

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
            found = found or other
        return found

    def _all(self) -> Any:
        found = self._comparison()
        while self._next("&&"):
            other = self._comparison()
            found = found and other
        return found

    def _comparison(self) -> Any:
        found = self._atom()
        if self._next("=="):
            return found == self._atom()
        return found != self._atom() if self._next("!=") else found

    def _atom(self) -> Any:
        if self._next("!"):
            return not self._atom()
        if self._next("("):
            found = self._any()
            assert self._next(")")
            return found
        word = self._tokens.pop(0)
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        if self._next("("):
            assert self._next(")"), f"{word}: without arguments only"
            return self._functions[word]
        return self._looked_up(word)

    def _looked_up(self, word: str) -> Any:
        found: Any = self._contexts
        for step in word.split("."):
            found = found.get(step, "") if isinstance(found, Mapping) else ""
        return found


def filled(text: str, evaluate: Callable[[str], Any]) -> str:
    """A text with its ``${{ … }}`` replaced."""

    def shown(match: re.Match[str]) -> str:
        value = evaluate(match[1])
        return (
            str(value).lower() if isinstance(value, bool) else str("" if value is None else value)
        )

    return re.sub(r"\$\{\{(.*?)\}\}", shown, text)
