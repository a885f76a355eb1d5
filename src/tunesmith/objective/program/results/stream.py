"""Intermediate values that a program writes while it runs, read as they come."""

import json
import os
import stat
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from tunesmith.system.portable.abilities import NO_LINKS, NO_WAITING

MAX_LINE = 1 << 16
MAX_NAMES = 100


class ProgressFollower:
    """Reads a JSON-lines file of intermediate values as it grows.

    A line is ``{"step": 3, "loss": 0.41}`` or ``{"step": 3, "metric": "loss", "value": 0.41}``.
    Other lines are skipped: they may be notes. If a step comes twice, the later value counts.

    Args:
        file: its path; it need not exist yet.
        keys: metric -> its key in a line.
    """

    def __init__(self, file: Path, keys: Mapping[str, str]) -> None:
        self._file, self._names = file, {key: name for name, key in keys.items()}
        self._position, self._rest = 0, b""
        self.names: set[str] = set()
        """Names of all values that were streamed, also of those that no metric needs."""

    def new(self) -> list[tuple[int, dict[str, float]]]:
        """New values, as (step, value by metric), of the lines completed since the last call."""
        try:
            # A pipe would block the worker, and a link may lead to a file that is not the run's.
            handle = os.open(self._file, os.O_RDONLY | NO_LINKS | NO_WAITING)
        except OSError:
            return []
        with os.fdopen(handle, "rb") as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return []
            opened.seek(self._position)
            data = opened.read()
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        # A program that never ends its line must not fill the worker's memory.
        self._rest = self._rest[:MAX_LINE]
        return [row for line in lines if (row := self._row(line)) is not None]

    def rest(self) -> list[tuple[int, dict[str, float]]]:
        """The remaining values once the program has ended: the last line need have no end."""
        rows = self.new()
        last = self._row(self._rest)
        self._rest = b""
        return rows if last is None else [*rows, last]

    def _row(self, line: bytes) -> tuple[int, dict[str, float]] | None:
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            return None
        step = content.get("step") if isinstance(content, dict) else None
        if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 2**53:
            return None
        if "metric" in content and "value" in content:
            content = {str(content["metric"]): content["value"]}
        self.names |= {key[:80] for key in list(content)[:MAX_NAMES] if key != "step"}
        values = {self._names[k]: v for k, v in content.items() if k in self._names}
        numbers = {name: float(v) for name, v in values.items() if _is_finite(v)}
        return (step, numbers) if numbers else None


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return isfinite(float(value))
    except OverflowError:
        return False
