"""Results in a program's output, searched as it comes, so that a shortened log loses nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.objective.program.results.metrics import MetricsError, number

MAX_LINE = 1 << 16
"""Bytes of a long line, or of a match over lines, that are searched in one piece."""
LINE_END = re.compile(rb"\r\n|\n|\r")
SPACE = re.compile(rb"\s")
OVER_LINES = re.compile(r"\\n|\n|\(\?[a-zA-Z]*s")
"""Parts of a pattern that is meant for more than one line."""


class Matches:
    """The last match of a pattern in one stream.

    Args:
        pattern: a regular expression; searched in each line, or, if it holds a line break or has
            the flag ``s``, in all of the text.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._parts: list[bytes] = []
        self._n_bytes = 0
        self._is_by_line = not OVER_LINES.search(pattern)
        self.last: Mapping[str, str | None] | None = None
        """The last match by the names of its groups; a single group without a name is ``""``."""

    def feed(self, data: bytes) -> None:
        """Search the next part of the output."""
        if self._is_by_line and LINE_END.search(data):
            *lines, data = LINE_END.split(self._joined() + data)
            # The last match counts, so the text before it need not be searched.
            any(self._search(line) for line in reversed(lines))
        self._parts.append(data)
        self._n_bytes += len(data)
        if self._n_bytes > 4 * MAX_LINE:
            rest = self._joined()
            self._search(rest)
            self._parts = [self._kept(rest)]
            self._n_bytes = len(self._parts[0])

    def _joined(self) -> bytes:
        """Take the text that has not been searched yet."""
        rest = b"".join(self._parts)
        self._parts, self._n_bytes = [], 0
        return rest

    def _kept(self, rest: bytes) -> bytes:
        """Keep the end of the searched text from a word on: a match may continue there."""
        end = rest[-2 * MAX_LINE :]
        found = SPACE.search(end, 0, MAX_LINE) if self._is_by_line else LINE_END.search(end)
        return end[found.end() :] if found else end

    def close(self) -> None:
        """Search the end; the last line need not be complete."""
        self._search(self._joined())

    def _search(self, data: bytes) -> bool:
        text = data.decode(errors="replace")
        if not self._is_by_line:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        last = None
        for found in self._pattern.finditer(text):
            last = found
        if last is not None:
            self.last = last.groupdict() or {"": last[1]}
        return last is not None


class Printed:
    """Both streams of one run."""

    def __init__(self, pattern: str) -> None:
        self.stdout, self.stderr = Matches(pattern), Matches(pattern)

    def close(self) -> None:
        """Search the ends of both."""
        self.stdout.close()
        self.stderr.close()


@dataclass(frozen=True)
class PrintedResults:
    """Results in the output of the program: the last match counts."""

    pattern: str
    metrics: tuple[str, ...]

    def listen(self) -> Printed:
        """Listen to the output of a run."""
        return Printed(self.pattern)

    def read(self, printed: Printed) -> dict[str, float]:
        """Read a finite number for every metric, after the run has ended.

        Raises:
            MetricsError: nothing matches, or no number does.
        """
        last = printed.stderr.last if printed.stdout.last is None else printed.stdout.last
        if last is None:
            raise MetricsError("no-metrics", f"nothing printed matches `{self.pattern}`")
        groups = {self.metrics[0]: last[""]} if "" in last else last
        return {
            name: number(groups[name], f"printed {name}", is_text=True) for name in self.metrics
        }

    def warning(self, printed: Printed) -> str:
        """Warning about the place of the result; empty if there is none."""
        if printed.stdout.last is not None:
            return ""
        return (
            "stderr: the result was read from standard error,"
            f" since nothing on standard output matches `{self.pattern}`"
        )
