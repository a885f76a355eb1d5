"""The program's own parameters file: as it is in the project, and with a trial's values."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith import registry
from tunesmith.config.program import ParamsFileSection
from tunesmith.errors import UsageError
from tunesmith.formats import FormatError, MissingPlaceError, PlacedFormat, dotted, format_of
from tunesmith.formats.tree import get_at
from tunesmith.types import Params, Value

UNTYPED = ("env", "ini")
"""Formats that have only texts."""


@dataclass(frozen=True)
class Template:
    """A parameters file of the project, in which values are set."""

    section: ParamsFileSection
    text: str
    """Text of the file; empty if it is missing: then it is made, with all parameters."""

    @classmethod
    def of(cls, section: ParamsFileSection, root: Path) -> "Template":
        """Read the file as it is in the project.

        Raises:
            UsageError: it cannot be read, or its name tells no format.
        """
        path = root / section.path
        try:
            # Text mode would replace the file's line ends.
            text = path.read_bytes().decode() if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise _error(section, f"cannot be read: {error}") from None
        template = cls(section, text)
        template.form  # noqa: B018 - an unknown format is told at once
        return template

    def __getstate__(self) -> dict[str, Any]:
        # `form`, once asked for, is a module, and modules cannot be pickled.
        return {"section": self.section, "text": self.text}

    @property
    def is_made(self) -> bool:
        """True if there is no file yet."""
        return not self.text.strip("\ufeff \t\r\n")

    @property
    def format(self) -> str | None:
        """The name of the format."""
        return self.section.format or format_of(self.section.path)

    @cached_property
    def form(self) -> Any:
        """The module that reads and edits such files.

        Raises:
            UsageError: the name tells no format.
        """
        if self.format is None:
            known, path = ", ".join(registry.names("formats")), self.section.path
            raise UsageError(
                f"objective.params_file: the name of {path} tells no format."
                f"\n  Write `params_file: {{path: {path}, format: …}}`, one of {known}."
            )
        return registry.load("formats", self.format)

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """Content of the file.

        Raises:
            UsageError: its text is not of its format.
        """
        try:
            content: Mapping[str, Any] = self.form.read(self.text)
        except FormatError as error:
            raise _error(self.section, str(error)) from None
        return content

    def has(self, name: str) -> bool:
        """True if the file holds a parameter."""
        try:
            self._at(name)
        except KeyError:
            return False
        return True

    def values(self, names: Iterable[str]) -> dict[str, Value]:
        """Values in the file, of those parameters that it holds."""
        values = {name: self._at(name) for name in names if self.has(name)}
        return {k: _meant(v) for k, v in values.items()} if self.format in UNTYPED else values

    def _at(self, name: str) -> Any:
        place, form = place_of(name, self.section), self.form
        return (
            form.get(self.data, place)
            if isinstance(form, PlacedFormat)
            else get_at(self.data, place)
        )

    def places(self) -> list[str]:
        """Places that hold a value, in the usual notation."""
        return [dotted(place) for place in _leaves(self.data, ())]

    def blocker(self, name: str, value: Value) -> str:
        """Give the reason why a parameter cannot be set to a value.

        Empty if it can, or if nothing but its place is missing.
        """
        try:
            self.form.update(self.text, {place_of(name, self.section): value})
        except MissingPlaceError:
            return ""
        except FormatError as error:
            return str(error)
        return ""

    def filled(self, params: Params) -> str:
        """Set values in the text; missing keys are added, but not to a Python module.

        Raises:
            UsageError: the format cannot hold one of them.
        """
        is_closed = self.format == "python" and not self.is_made
        kept = {n: v for n, v in params.items() if not is_closed or self.has(n)}
        values = {place_of(name, self.section): value for name, value in kept.items()}
        try:
            text: str = self.form.update(self.text, values)
        except FormatError as error:
            raise _error(self.section, str(error)) from None
        return text

    def with_held(self, params: Params) -> str:
        """Set the values of those parameters that the file holds.

        Raises:
            UsageError: the format cannot hold one of them.
        """
        return self.filled({name: value for name, value in params.items() if self.has(name)})


def place_of(name: str, section: ParamsFileSection) -> tuple[str, ...]:
    """The place of a parameter in the file.

    >>> place_of("lr", ParamsFileSection(path="a.yaml", at="train", names={"lr": "optimizer.lr"}))
    ('train', 'optimizer', 'lr')
    """
    before = tuple(section.at.split(".")) if section.at else ()
    return (*before, *section.names.get(name, name).split("."))


def _error(section: ParamsFileSection, message: str) -> UsageError:
    return UsageError(f"objective.params_file: {section.path}: {message}")


def _leaves(data: Any, before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, (*before, str(key)))
    elif before:
        yield before


def _meant(text: Any) -> Any:
    """Value that a text stands for, in a format that has only texts."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
