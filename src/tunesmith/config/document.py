"""What reading a file gives: plain data, and where in the text each part of it stands."""

from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import Path, Place


class SourceError(Exception):
    """The text is not what its suffix promises; line and column from 1, 0 where unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


@dataclass
class Positions:
    """(line, column) of every key and value, by its path."""

    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def find(self, path: Path) -> tuple[int, int]:
        """Where a path stands, or else its nearest ancestor; (0, 0) where nothing is known.

        Keys before values: an error about ``depth: {…}`` belongs to the word ``depth``.
        """
        for length in range(len(path), -1, -1):
            found = self.keys.get(path[:length]) or self.values.get(path[:length])
            if found:
                return found
        return 0, 0


@dataclass(frozen=True)
class Document:
    """Plain data with positions."""

    data: Any
    positions: Positions
    file: str = ""

    def place(self, path: Path) -> Place:
        """The place of a path, for an error message."""
        return Place(self.file, *self.positions.find(path))
