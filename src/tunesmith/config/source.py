"""Reading of a configuration file: plain data, and the position of every value."""

import json
import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path as FilePath
from typing import Any

from tunesmith.config.document import Document, Positions, SourceError
from tunesmith.config.yaml12 import read_yaml
from tunesmith.errors import ConfigError, FilePosition, Path, UsageError, Violation

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_DIGITS = 300
MAX_BITS = 1000
CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
BOTH_SIDES = (
    "a merge has left both sides here; keep one, and remove the markers"
    " (`<<<<<<<`, `=======`, `>>>>>>>`)"
)


def read_document(path: FilePath) -> Document:
    """Read a YAML, JSON or TOML file, chosen by its suffix.

    Raises:
        UsageError: it cannot be read, is too large, or has another suffix.
        ConfigError: its text is not valid.
    """
    # The name goes first: its error says more than that of a file that is no text.
    _reader(path)
    return parse_document(read_text(path), path)


def parse_document(text: str, path: FilePath, kind: FilePath | None = None) -> Document:
    """Parse the text of such a file.

    Args:
        text: of the document.
        path: as errors name it.
        kind: a name whose suffix tells the format, if that of ``path`` does not.

    Raises:
        UsageError: the name has another suffix.
        ConfigError: the text is not valid.
    """
    reader = _reader(kind or path)
    # Editors on Windows put a byte order mark before the text.
    text = text.removeprefix("\ufeff")
    try:
        document = reader(text)
        _refuse_odd_values(document)
    except SourceError as error:
        place = FilePosition(str(path), error.line, error.column)
        if conflict := CONFLICT.search(text):
            place = FilePosition(str(path), text.count("\n", 0, conflict.start()) + 1)
            error = SourceError(BOTH_SIDES)
        raise ConfigError([Violation((), str(error), place=place)]) from None
    return Document(document.data, document.positions, str(path))


def _reader(path: FilePath) -> Callable[[str], Document]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path}: not a configuration file by its name; it must end in {', '.join(READERS)}"
        )
    return reader


def read_text(path: FilePath) -> str:
    """Return the text of a configuration or of a file of parameters.

    Raises:
        UsageError: it cannot be read, is too large, or is no text.
    """
    try:
        size = path.stat().st_size
        # Before it is read: by mistake it may be a table of gigabytes.
        if size > MAX_BYTES:
            raise UsageError(f"{path}: {size:,} bytes; a configuration has at most {MAX_BYTES:,}")
        # Editors on Windows put a byte order mark before the text.
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _refuse_odd_values(document: Document) -> None:
    """Refuse values that JSON, TOML and escapes allow but no later step can hold."""
    # A stack, not recursion: a deeply nested file must not end in a RecursionError.
    stack: list[tuple[Path, Any]] = [((), document.data)]
    while stack:
        path, value = stack.pop()
        problem = _oddity(value) if len(path) <= MAX_DEPTH else f"nested more than {MAX_DEPTH} deep"
        if problem:
            raise SourceError(problem, *document.positions.find(path))
        if isinstance(value, dict):
            stack += [((*path, key), item) for key, item in value.items()]
            # Keys may hold half a character as well as values.
            stack += [((*path, key), key) for key in value if not key.isascii()]
        elif isinstance(value, list):
            stack += [((*path, index), item) for index, item in enumerate(value)]


def _oddity(value: Any) -> str:
    if isinstance(value, date | datetime | time):
        return "a date or time is no value here; write it in quotes"
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return f"a whole number with more than {MAX_DIGITS} digits"
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return "half of a character (a lone surrogate); write the whole character"
    return ""


def read_json(text: str) -> Document:
    """Parse JSON: no repeated keys, no NaN.

    Raises:
        SourceError: with line and column.
    """
    try:
        # By itself Python takes `NaN`, and of a key that is given twice the last value.
        data = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_short
        )
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:] if text.strip() else "the file is empty"
        raise SourceError(f"not valid JSON: {message}", error.lineno, error.colno) from None
    except RecursionError:
        raise SourceError(f"nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        raise _json_error(text, str(error)) from None
    return Document(data, _json_positions(text))


JSON_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity|-?\d+', re.DOTALL)


def _json_error(text: str, message: str) -> SourceError:
    """Error at the place that Python's reader refuses without naming it."""

    for part in JSON_PARTS.finditer(text):
        is_long = len(part[0]) > MAX_DIGITS and part[0][-1].isdigit()
        if is_long or part[0].endswith(("NaN", "Infinity")):
            line = text.count("\n", 0, part.start()) + 1
            column = part.start() - text.rfind("\n", 0, part.start())
            long = f"a whole number with more than {MAX_DIGITS} digits"
            return SourceError(long if is_long else message, line, column)
    try:
        read_yaml(text.replace("\t", " "))
    except SourceError as error:
        # A key given twice, with both places.
        return error
    return SourceError(message)


def _json_positions(text: str) -> Positions:
    """Positions in JSON, read as YAML: only tabs differ, and outside of strings they are blanks."""

    try:
        return read_yaml(text.replace("\t", " ")).positions
    except SourceError:
        return Positions()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice}` is given twice")
    return mapping


def _short(digits: str) -> int:
    # Python takes quadratic time to read a long number.
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a whole number with more than {MAX_DIGITS} digits")
    return int(digits)


def _no_constant(word: str) -> Any:
    raise ValueError(f"`{word}` is not JSON; numbers must be finite")


def read_toml(text: str) -> Document:
    """Parse TOML; positions are the lines of the keys, as far as they can be told.

    Raises:
        SourceError: with line and column if the parser tells them.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Before Python 3.14 the error tells its place in its text alone.
        match = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        place = (int(match[1]), int(match[2])) if match else (0, 0)
        message = str(error).partition(" (at ")[0]
        message = message.replace("Cannot overwrite a value", "a key is given twice")
        raise SourceError(f"not valid TOML: {message}", *place) from None
    except RecursionError:
        raise SourceError(f"nested more than {MAX_DEPTH} deep") from None
    except ValueError:
        # Too many digits: the only numbers of TOML that Python's own parser refuses.
        raise SourceError(f"a whole number with more than {MAX_DIGITS} digits") from None
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

    return read_yaml(text)


READERS: dict[str, Callable[[str], Document]] = {
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": read_json,
    ".toml": read_toml,
}
