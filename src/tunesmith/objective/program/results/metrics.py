"""Results of a program: read if it has ended well, and accepted only if they are plain.

A file must be a regular one with a single link and of modest size. Numbers must be finite.
"""

import csv
import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any

from tunesmith.errors import did_you_mean
from tunesmith.formats import FormatError, yaml
from tunesmith.formats.tree import get_at
from tunesmith.history import Metric
from tunesmith.system.portable.abilities import NO_LINKS, NO_WAITING

MAX_BYTES = 1 << 20
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
"""A number as programs print it; ``float`` of Python also takes underscores and other digits."""
NO_NUMBER = re.compile(r"[+-]?(?:nan|inf|infinity)\Z", re.IGNORECASE)


class MetricsError(Exception):
    """There is no valid result; ``kind`` groups failures with the same cause."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class FileResults:
    """Results in a file that the program writes."""

    path: str
    form: str
    """``json``, ``yaml``, ``csv``, ``tsv`` or ``jsonl``."""
    keys: Mapping[str, str]
    """Metric -> its place in the file."""
    best_by: Metric | None = None
    """Metric by which the best row of a table is taken; by default the last row counts."""

    def read(self, file: Path) -> dict[str, float]:
        """Read a finite number for every metric.

        Raises:
            MetricsError: something is missing or odd.
        """
        text = plain_text(file, self.path)
        value_at = READERS[self.form](text, self)
        return {
            name: number(value_at(key), f"{self.path}: {key}", is_text=self.is_text)
            for name, key in self.keys.items()
        }

    @property
    def is_text(self) -> bool:
        """True if the format has only texts, so that a text may stand for a number."""
        return self.form in ("csv", "tsv")


def plain_text(file: Path, name: str) -> str:
    """Read a file that must be a regular text file.

    Args:
        file: its path.
        name: its name in messages.

    Raises:
        MetricsError: it is missing, no plain file, or too large.
    """
    try:
        # Without blocking: opening a pipe would wait until some process writes into it.
        handle = os.open(file, os.O_RDONLY | NO_LINKS | NO_WAITING)
    except FileNotFoundError:
        raise MetricsError("no-metrics", f"there is no file {name}") from None
    except OSError as error:
        raise MetricsError("bad-metrics", f"{name} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(handle)
        # A second link could be a file outside of the run's folder.
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise MetricsError("bad-metrics", f"{name} is no plain file of its own")
        if status.st_size > MAX_BYTES:
            size = f"{status.st_size / 1e6:,.0f} MB"
            raise MetricsError("bad-metrics", f"{name} is too large for results: {size}")
        with open(handle, "rb", closefd=False) as opened:
            return opened.read(MAX_BYTES).decode(errors="replace").removeprefix("\ufeff")
    finally:
        os.close(handle)


def number(value: Any, where: str, *, is_text: bool = False) -> float:
    """Check that a result is a finite number.

    Args:
        value: the result.
        where: its name in messages.
        is_text: true if a text may stand for a number: ``1.5e-3``, in ASCII and without ``_``.

    Raises:
        MetricsError: it is none.
    """
    if isinstance(value, str):
        value = _meant(value, where, is_text=is_text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = json.dumps(value, default=str)[:80]
        raise MetricsError("bad-metrics", f"{where} is {shown}, no number")
    try:
        result = float(value)
    except OverflowError:
        raise MetricsError("bad-metrics", f"{where} is too large a number") from None
    if not isfinite(result):
        raise MetricsError("nan" if isnan(result) else "inf", f"{where} is {result}")
    return result


def _meant(text: str, where: str, *, is_text: bool) -> float:
    clean = text.strip(" \t")
    if is_text and NUMBER.match(clean):
        return float(clean)
    if is_text and NO_NUMBER.match(clean):
        return float(clean)
    what = "" if is_text else "the text "
    raise MetricsError("bad-metrics", f"{where} is {what}{text[:80]!r}, no number")


# -- formats -------------------------------------------------------------------------------------

Getter = Callable[[str], Any]


def _in_tree(data: Any, source: FileResults) -> Getter:
    def get(key: str) -> Any:
        # A key of a flat file may contain dots itself.
        for place in ((key,), tuple(key.split("."))):
            try:
                return get_at(data, place)
            except KeyError:
                continue
        known = list(_places(data))
        hint = did_you_mean(key, known) if known else "It holds nothing."
        raise MetricsError("no-metrics", f"{source.path} has no `{key}`. {hint}")

    return get


def _places(data: Any, before: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _places(value, f"{before}.{key}" if before else str(key))
    elif before:
        yield before


def _json(text: str, source: FileResults) -> Getter:
    return _in_tree(strict_json(text, source.path), source)


def strict_json(text: str, name: str) -> Any:
    """Parse a JSON document without NaN, infinities and repeated keys.

    Raises:
        MetricsError: it is none.
    """
    try:
        return json.loads(text, parse_constant=_constant, object_pairs_hook=_unique)
    except MetricsError as error:
        raise MetricsError(error.kind, f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise MetricsError("bad-metrics", f"{name} is no JSON: {error}") from None


def _constant(word: str) -> Any:
    raise MetricsError("nan" if word == "NaN" else "inf", f"holds {word}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MetricsError("bad-metrics", f"the key {twice!r} is there twice")
    return mapping


def _yaml(text: str, source: FileResults) -> Getter:
    try:
        return _in_tree(yaml.read(text), source)
    except FormatError as error:
        raise MetricsError("bad-metrics", f"{source.path} {error}") from None


def _table(separator: str) -> Callable[[str, FileResults], Getter]:
    def read(text: str, source: FileResults) -> Getter:
        try:
            reader = csv.DictReader(io.StringIO(text), delimiter=separator)
            rows = list(reader)
        except csv.Error as error:
            raise MetricsError("bad-metrics", f"{source.path}: {error}") from None
        # Spaces around a name are seldom meant.
        header = [name.strip() for name in reader.fieldnames or ()]
        if twice := [name for name in header if name and header.count(name) > 1]:
            message = f"{source.path} has two columns `{twice[0]}`: which one is meant?"
            raise MetricsError("bad-metrics", message)
        # Some programs (R) leave out the name of the first column; then all names are shifted.
        if any(None in row for row in rows):
            message = f"{source.path} has a row with more values than there are names of columns"
            raise MetricsError("bad-metrics", message)
        if not rows:
            raise MetricsError("no-metrics", f"{source.path} has no row")
        return _in_tree(dict(_chosen(rows, source)), source)

    return read


def _json_lines(text: str, source: FileResults) -> Getter:
    # Not `splitlines`, which also parts lines at characters that a JSON text may hold.
    # The program has ended: its last line is as complete as the others, with or without an end.
    rows = [strict_json(line, source.path) for line in text.split("\n") if line.strip()]
    if not rows:
        raise MetricsError("no-metrics", f"{source.path} has no line")
    return _in_tree(_chosen(rows, source), source)


def _chosen(rows: list[Any], source: FileResults) -> Any:
    if source.best_by is None:
        return rows[-1]
    metric, key = source.best_by, source.keys[source.best_by.name]
    scored = []
    for row in rows:
        try:
            score = number(_in_tree(row, source)(key), key, is_text=source.is_text)
            scored.append((metric.sign * score, row))
        except MetricsError:
            continue
    if not scored:
        raise MetricsError("no-metrics", f"{source.path} has no row with a number as `{key}`")
    return max(scored, key=lambda item: item[0])[1]


READERS: dict[str, Callable[[str, FileResults], Getter]] = {
    "json": _json,
    "yaml": _yaml,
    "csv": _table(","),
    "tsv": _table("\t"),
    "jsonl": _json_lines,
}
