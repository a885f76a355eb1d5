"""A configuration file -> plain data, and where in the file every value stands."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from tunesmith.errors import ConfigError, Path, Place, UsageError, Violation

MAX_BYTES = 1 << 20


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


def read_document(path: FilePath) -> Document:
    """Read a YAML, JSON or TOML file, chosen by its suffix.

    Raises:
        UsageError: it cannot be read, is too large, or has another suffix.
        ConfigError: its text is not valid.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: not a configuration file; known: {', '.join(READERS)}")
    text = _text(path)
    try:
        document = reader(text)
    except SourceError as error:
        place = Place(str(path), error.line, error.column)
        raise ConfigError([Violation((), str(error), place=place)]) from None
    return Document(document.data, document.positions, str(path))


def _text(path: FilePath) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UsageError(f"{path}: {size:,} bytes; a configuration has at most {MAX_BYTES:,}")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def read_json(text: str) -> Document:
    """Parse JSON: no repeated keys, no NaN.

    Raises:
        SourceError: with line and column.
    """
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise SourceError(f"not valid JSON: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise SourceError("nested too deeply") from None
    except ValueError as error:
        raise SourceError(str(error)) from None
    return Document(data, _json_positions(text))


def _json_positions(text: str) -> Positions:
    """JSON is YAML but for tabs, which are only blanks outside of strings."""
    from tunesmith.config.yaml12 import read_yaml

    try:
        return read_yaml(text.replace("\t", " ")).positions
    except SourceError:
        return Positions()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice}` is given twice")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"`{word}` is not JSON; numbers must be finite")


def read_toml(text: str) -> Document:
    """Parse TOML; positions are the lines of the keys, as far as they can be told.

    Raises:
        SourceError: with line and column where the parser tells them.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        place = (int(found[1]), int(found[2])) if found else (0, 0)
        message = str(error).partition(" (at ")[0]
        raise SourceError(f"not valid TOML: {message}", *place) from None
    except (RecursionError, ValueError) as error:
        raise SourceError(f"not valid TOML: {error}") from None
    return Document(data, _toml_positions(text))


TOML_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
TOML_KEY = re.compile(r"(\s*)([\w.\-\"' ]+?)\s*=")


def _toml_positions(text: str) -> Positions:
    positions = Positions()
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := TOML_TABLE.match(line):
            table = _toml_path(header[1])
            positions.keys[table] = (number, line.index("[") + 1)
        elif key := TOML_KEY.match(line):
            positions.keys[(*table, *_toml_path(key[2]))] = (number, len(key[1]) + 1)
    return positions


def _toml_path(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))


def _read_yaml(text: str) -> Document:
    from tunesmith.config.yaml12 import read_yaml

    return read_yaml(text)


READERS: dict[str, Callable[[str], Document]] = {
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": read_json,
    ".toml": read_toml,
}
