"""Results in a program's output, searched as it comes, so that a shortened log loses nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.objective.program.results.cpu_limit import CpuLimitError, cpu_limit
from tunesmith.objective.program.results.metrics import MetricsError, number

PATIENCE_S = 5.0
"""CPU seconds that the search of one line, or of one piece of the output, may take."""
MAX_LINE = 1 << 16
"""Bytes of a long line, or of a match over lines, that are searched in one piece."""
LINE_END = re.compile(rb"\r\n|\n|\r")
SPACE = re.compile(rb"\s")
BEFORE = re.compile(r"(?:[0-9]\.?|(?<!\w)[+-]\.?|(?<!\w)\.)\Z")
AFTER = re.compile(r"\.?[0-9]|[eE][+-]?[0-9]|_[0-9]|(?<=0)[xX][0-9a-fA-F]")
GROUPED = re.compile(r"(?:,[0-9]{3})+(?![0-9])")
"""Texts on both sides of a part of a number: digits, a sign, an exponent, groups of digits."""
DECIMAL_COMMA = re.compile(r",[0-9]+(?![0-9,.])")
"""Text after whole digits, as in ``0,25`` or ``1.234,5``: where languages write a comma."""
ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B])")
"""A sequence that tells a terminal the colour, or where to write: it is no part of the text."""
NAMES_ESCAPES = re.compile(r"\x1b|\\(?:x1[bB]|033|u001[bB])")
"""Parts of a pattern that looks for such sequences itself."""
NEAR = 64
"""Characters on both sides of a match that may belong to the number."""
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
        self._has_escapes = NAMES_ESCAPES.search(pattern) is not None
        self.last: Mapping[str, str | None] | None = None
        """The last match by the names of its groups; a single group without a name is ``""``."""
        self.cut: Mapping[str, str] = {}
        """Groups that have found a part of a number only, with the whole number."""
        self.is_slow = False
        """True if a search took too long; then nothing more is searched."""

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
        match = SPACE.search(end, 0, MAX_LINE) if self._is_by_line else LINE_END.search(end)
        return end[match.end() :] if match else end

    def close(self) -> None:
        """Search the end; the last line need not be complete."""
        self._search(self._joined())

    def _search(self, data: bytes) -> bool:
        if self.is_slow:
            return False
        try:
            # A pattern such as `(a+)+$` takes years to see that a line does not match.
            with cpu_limit(PATIENCE_S):
                return self._found(data)
        except CpuLimitError:
            self.is_slow = True
            return False

    def _found(self, data: bytes) -> bool:
        text = data.decode(errors="replace")
        if "\x1b" in text and not self._has_escapes:
            text = ESCAPE.sub("", text)
        if not self._is_by_line:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        last = None
        for match in self._pattern.finditer(text):
            last = match
        if last is not None:
            self.last = last.groupdict() or {"": last[1]}
            self.cut = {name: whole for name in self.last if (whole := _cut(last, name or 1))}
        return last is not None


def _cut(found: re.Match[str], group: str | int) -> str:
    """Return the number of which a group has found only a part; ``""`` if it is whole.

    >>> _cut(re.search("loss ([0-9.]+)", "loss 9.5e-05"), 1)
    '9.5e-05'
    """
    text, (begin, end) = found[group], found.span(group)
    if not text or not re.fullmatch(r"[+-]?[0-9.]*[0-9.][eE]?[+-]?[0-9]*", text):
        return ""
    before, after = found.string[max(0, begin - NEAR) : begin], found.string[end : end + NEAR]
    # A pattern that continues with a comma means columns, not groups of digits.
    is_grouped = found.end() == end and (
        (text.isdigit() and len(text) < 4 and GROUPED.match(after))
        or (re.fullmatch(r"[+-]?[0-9]+(?:\.[0-9]{3})*", text) and DECIMAL_COMMA.match(after))
    )
    is_begun = text[0] not in "+-" and BEFORE.search(before)
    if not (is_begun or is_grouped or AFTER.match(found.string, end)):
        return ""
    head, tail = re.search(r"[\w.,+-]*\Z", before), re.match(r"[\w.,+-]*", after)
    return f"{head[0] if head else ''}{text}{tail[0] if tail else ''}"


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
            MetricsError: nothing matches, or no number does, or the search took too long.
        """
        if printed.stdout.is_slow or printed.stderr.is_slow:
            raise MetricsError(
                "slow-pattern",
                f"the search for `{self.pattern}` in one line took over {PATIENCE_S:g} s: write"
                " it without repeats inside of repeats, such as (a+)+",
            )
        found = printed.stderr if printed.stdout.last is None else printed.stdout
        last = found.last
        if last is None:
            raise MetricsError("no-metrics", f"nothing printed matches `{self.pattern}`")
        groups = {self.metrics[0]: last[""]} if "" in last else last
        for group, whole in found.cut.items():
            if (name := group or self.metrics[0]) in self.metrics:
                raise MetricsError(
                    "bad-metrics",
                    f"printed {name} is {groups[name]!r}, a part of {whole!r}: let the pattern"
                    " match the whole number, e.g. with (\\S+)",
                )
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
