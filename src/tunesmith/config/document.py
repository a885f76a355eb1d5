"""The result of reading a file: plain data, and the position of each part in the text."""

from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import FilePosition, Path


class SourceError(Exception):
    """The text is not in the format of its suffix; line and column from 1, 0 if unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


@dataclass
class Positions:
    """(line, column) of every key and value, by its path."""

    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def find(self, path: Path) -> tuple[int, int]:
        """Return the position of a path, or else of its nearest ancestor; (0, 0) if unknown.

        Keys before values: an error about ``depth: {…}`` belongs to the word ``depth``.
        """
        for length in range(len(path), -1, -1):
            position = self.keys.get(path[:length]) or self.values.get(path[:length])
            if position:
                return position
        return 0, 0


@dataclass(frozen=True)
class Document:
    """Plain data with positions."""

    data: Any
    positions: Positions
    file: str = ""

    def place(self, path: Path) -> FilePosition:
        """Return the place of a path, for an error message."""
        return FilePosition(self.file, *self.positions.find(path))
