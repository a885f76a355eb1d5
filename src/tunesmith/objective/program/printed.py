"""Results in what a program prints: searched as it comes, so that a shortened log loses nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.objective.program.metrics import MetricsError, number

MAX_LINE = 1 << 16
"""Of a longer line, or of a match over lines, so many bytes are looked at in one piece."""
LINE_END = re.compile(rb"\r\n|\n|\r")
SPACE = re.compile(rb"\s")
OVER_LINES = re.compile(r"\\n|\n|\(\?[a-zA-Z]*s")
"""In a pattern: it is meant for more than a line."""


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
        """By the names of its groups; a single one without a name is ``""``."""

    def feed(self, data: bytes) -> None:
        """Take what was printed next."""
        if self._is_by_line and LINE_END.search(data):
            *lines, data = LINE_END.split(self._joined() + data)
            # The last match counts: what stands before it need not be looked at.
            any(self._search(line) for line in reversed(lines))
        self._parts.append(data)
        self._n_bytes += len(data)
        if self._n_bytes > 4 * MAX_LINE:
            rest = self._joined()
            self._search(rest)
            self._parts = [self._kept(rest)]
            self._n_bytes = len(self._parts[0])

    def _joined(self) -> bytes:
        """What has not been searched yet; it is taken away."""
        rest = b"".join(self._parts)
        self._parts, self._n_bytes = [], 0
        return rest

    def _kept(self, rest: bytes) -> bytes:
        """The end of what was searched, from where a word begins: a match may go on there."""
        end = rest[-2 * MAX_LINE :]
        found = SPACE.search(end, 0, MAX_LINE) if self._is_by_line else LINE_END.search(end)
        return end[found.end() :] if found else end

    def close(self) -> None:
        """Take the end; the last line need not be complete."""
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
        """Take the ends of both."""
        self.stdout.close()
        self.stderr.close()


@dataclass(frozen=True)
class PrintedResults:
    """Results in what the program prints: the last match counts."""

    pattern: str
    metrics: tuple[str, ...]

    def listen(self) -> Printed:
        """What a run's output is given to as it comes."""
        return Printed(self.pattern)

    def read(self, printed: Printed) -> dict[str, float]:
        """A finite number for every metric, once the run has ended.

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
        """What is to be said of where the result was found; empty if there is nothing to say."""
        if printed.stdout.last is not None:
            return ""
        return (
            "stderr: the result was read from standard error,"
            f" since nothing on standard output matches `{self.pattern}`"
        )
