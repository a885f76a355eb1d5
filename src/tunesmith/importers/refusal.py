"""A part of a setup that has no equal here."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Place: TypeAlias = tuple[int, int]
"""Line and column, both from 1; zeros if unknown."""


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A part that cannot be converted without a change of its meaning.

    Args:
        message: the part, and the reason.
        place: of the part in the file, or its syntax node.
        hint: the likely way out.
    """

    def __init__(self, message: str, place: "Place | ast.AST" = (0, 0), hint: str = "") -> None:
        super().__init__(message)
        self.place: Place = place_of(place) if isinstance(place, ast.AST) else place
        self.hint = hint


class Invalid(Refused):
    """A part with which the other tool itself would fail."""


def place_of(node: Any) -> Place:
    """Return line and column of a syntax node."""
    line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1)
    return line, column + 1


@dataclass
class Refusals:
    """Collector: one part that is refused does not hide the others."""

    items: list[Refused] = field(default_factory=list)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep a refusal, and go on."""
        try:
            yield
        except RefusedAll as several:
            self.items += several.items
        except Refused as one:
            self.items.append(one)

    def done(self) -> None:
        """End with all refusals, if there are any.

        Raises:
            RefusedAll: there are some.
        """
        if self.items:
            raise RefusedAll(self.items)


class RefusedAll(Refused):
    """Several refusals of one setup."""

    def __init__(self, items: list[Refused]) -> None:
        first = items[0]
        super().__init__(str(first), first.place, first.hint)
        self.items = items
