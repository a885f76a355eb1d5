"""Pace of a run: the time from one result to the next, whatever it was spent on."""

from dataclasses import dataclass, field

MAX_MARKS = 4096


@dataclass
class Pace:
    """Time per evaluation by the clock: fits, proposals, dispatch and waiting together.

    The time that fits take, divided by the number of workers, would leave out all but the first:
    workers wait for each other, and for the next proposal.
    """

    _marks: list[float] = field(default_factory=list)
    """Time of every ``_stride``-th evaluation, in seconds since the first fit was submitted."""
    _stride: int = 1
    _n: int = 0
    _began: float | None = None

    def begin(self, now: float) -> None:
        """Start the clock with the first fit; later calls change nothing."""
        if self._began is None:
            self._began = now

    def count(self, n: int, now: float) -> None:
        """Count evaluations that have just ended."""
        self.begin(now)
        for _ in range(n):
            self._n += 1
            if self._n % self._stride == 0:
                self._marks.append(now - (self._began or 0.0))
        if len(self._marks) > MAX_MARKS:
            self._marks = self._marks[1::2]
            self._stride *= 2

    def seconds_each(self, now: float, n_running: int) -> float | None:
        """Return the seconds per evaluation, over their later half; ``None`` before the first.

        The earlier half holds the start of the workers, and proposals that need no model yet.

        Args:
            now: by the same clock as before.
            n_running: evaluations under way; half done on average.
        """
        if self._began is None or not self._marks:
            return None
        half = len(self._marks) // 2
        since = self._marks[half - 1] if half else 0.0
        # In the steady state, as many are under way at the end of a time as at its beginning.
        n = (len(self._marks) - half) * self._stride + (0 if half else n_running / 2)
        return max(now - self._began - since, 0.0) / n
