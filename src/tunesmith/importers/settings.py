"""Sections of a YAML file with the places of their values, as the other tool's reader sees them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tunesmith.config.document import Document
from tunesmith.errors import Path
from tunesmith.importers.ranges import finite
from tunesmith.importers.refusal import Place, Refused
from tunesmith.importers.source import Source

TRUE, FALSE = {"yes", "on"}, {"no", "off"}
OLD_INT = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*\Z")
NEW_FLOAT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+\Z")
OLD_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*[eE][-+][0-9]+\Z")
PLAIN = re.compile(r"[^\s,\[\]{}#'\"&*!|>%@`][^,\[\]{}#\n]*")


@dataclass(frozen=True)
class Settings:
    """A mapping, a list or a value of a document."""

    source: Source
    document: Document
    path: Path
    data: Any

    @property
    def place(self) -> Place:
        """Place in the file."""
        return self.document.positions.find(self.path)

    def __getitem__(self, key: str | int) -> "Settings":
        inner = self.data[key] if self.has(key) else None
        return Settings(self.source, self.document, (*self.path, key), inner)

    def has(self, key: str | int) -> bool:
        """Tell whether a key or an index is there."""
        if isinstance(self.data, dict):
            return key in self.data
        return isinstance(self.data, list) and isinstance(key, int) and key < len(self.data)

    def items(self) -> Iterator[tuple[str, "Settings"]]:
        """Yield the parts of a mapping.

        Raises:
            Refused: it is none.
        """
        if not isinstance(self.data, dict):
            raise Refused(f"expected names with their settings, found {self.data!r}.", self.place)
        for key in self.data:
            yield str(key), self[key]

    def parts(self) -> Iterator["Settings"]:
        """Yield the items of a list; none if it is no list."""
        if isinstance(self.data, list):
            yield from (self[index] for index in range(len(self.data)))

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key."""
        return self.data.get(key, default) if isinstance(self.data, dict) else default

    def positive(self, key: str, default: float | None = None) -> float:
        """Return a number above 0, as ``number``."""
        value = self.number(key, default)
        if not value > 0:
            raise Refused(f"`{key}` must be above 0, found {value:g}.", self.place)
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number; text that is one counts, too.

        Raises:
            Refused: there is none, and no default.
        """
        value = self.get(key, default)
        if isinstance(value, str):
            try:
                value = float(value)
                value = int(value) if value.is_integer() and "." not in self.get(key) else value
            except ValueError:
                pass
        if isinstance(value, bool) or not isinstance(value, int | float):
            shown = "nothing" if value is None else repr(value)
            raise Refused(f"`{key}` must be a number, found {shown}.", self.place)
        return finite(value, f"`{key}`", self.place)

    def word(self, key: str, default: str = "") -> str:
        """Return a value as a text; a list or a mapping is one that nobody knows."""
        value = self.get(key)
        return default if value is None else str(value)

    def values(self, key: str) -> tuple[list[Any], list[str]]:
        """Return the values of a list, as ``plain``.

        Raises:
            Refused: there is no list.
        """
        if not isinstance(self.get(key), list):
            raise Refused(f"`{key}` must be a list of values.", self.place)
        found, notes = self[key].plain()
        return found, notes

    def plain(self) -> tuple[Any, list[str]]:
        """Return a value as a reader of YAML 1.1 (PyYAML) takes it, and notes on differences."""
        if isinstance(self.data, list):
            pairs = [part.plain() for part in self.parts()]
            return [value for value, _ in pairs], [note for _, notes in pairs for note in notes]
        if isinstance(self.data, dict):
            named = {key: self[key].plain() for key in self.data}
            notes = [note for _, own in named.values() for note in own]
            return {key: value for key, (value, _) in named.items()}, notes
        return self._scalar()

    def _scalar(self) -> tuple[Any, list[str]]:
        position = self.document.positions.values.get(self.path, (0, 0))
        match = PLAIN.match(self.source.scalar_text(position))
        text = match[0].strip() if match else ""
        if self.source.suffix == ".json":
            return self.data, []
        if isinstance(self.data, str) and text == self.data:
            word = text.lower()
            if word in TRUE | FALSE:
                return word in TRUE, [
                    f"`{text}` is a truth value to YAML 1.1, which wrote the file"
                ]
            if OLD_INT.match(text):
                return int(text.replace("_", "")), []
        if isinstance(self.data, float) and NEW_FLOAT.match(text) and not OLD_FLOAT.match(text):
            return self.data, [f"`{text}` is text to YAML 1.1 (PyYAML), and a number here"]
        return self.data, []


def sections(source: Source) -> Iterator[Settings]:
    """Yield the documents of a YAML file that are mappings."""
    for document in source.documents:
        if isinstance(document.data, dict):
            yield Settings(source, document, (), document.data)
