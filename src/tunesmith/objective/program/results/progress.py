"""Values that a program streams, step by step, compared with pruning thresholds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tunesmith.history import Metric, score_at

MAX_POINTS = 1000


class ProgressSource(Protocol):
    """A stream of values."""

    names: set[str]
    """Names of all values that have come, also of those that no metric needs."""

    def new(self) -> Iterable[tuple[int, Mapping[str, float]]]:
        """New values since the last call: (step, value by metric), in order."""

    def rest(self) -> Iterable[tuple[int, Mapping[str, float]]]:
        """The same once the program has ended, including a last line that has no end."""


@dataclass
class StreamedValues:
    """Values of one run so far.

    The step at which a run falls short depends on its values only, never on how soon that was seen:
    values after that step are dropped.
    """

    metric: Metric
    thresholds: Mapping[int, float]
    """Pruning thresholds: step -> least gain (score times the metric's sign) to continue."""
    source: ProgressSource
    _rows: dict[int, Mapping[str, float]] = field(default_factory=dict)

    def is_enough(self) -> bool:
        """Read new values; return true if the run has fallen short."""
        for step, values in self.source.new():
            self._rows[step] = values
        return self.stopped_at is not None

    def has_fallen_short(self) -> bool:
        """Return the same once the program has ended."""
        for step, values in self.source.rest():
            self._rows[step] = values
        return self.stopped_at is not None

    @property
    def stopped_at(self) -> int | None:
        """First step with a threshold that the run did not reach."""
        points = self._points()
        for step in sorted(self.thresholds):
            # Until a value at or after the step has come, the score at the step may still change.
            has_come = bool(points) and points[-1][0] >= step
            if has_come and self.metric.sign * score_at(points, step) < self.thresholds[step]:
                return step
        return None

    def _points(self) -> list[tuple[int, float]]:
        name = self.metric.name
        return [(s, values[name]) for s, values in sorted(self._rows.items()) if name in values]

    def scores(self) -> dict[str, float]:
        """Last value of each metric; if the run fell short, only of the deciding one at that step.

        The others may or may not have come before the run was stopped.
        """
        end = self.stopped_at
        if end is not None:
            return {self.metric.name: score_at(self._points(), end)}
        latest: dict[str, float] = {}
        for _, values in sorted(self._rows.items()):
            latest |= values
        return latest

    def curve(self) -> tuple[tuple[int, float], ...]:
        """Course of the score up to the end, as (step, score), thinned out if it is long."""
        end = self.stopped_at
        every = self._points()
        # The first value may have come after the threshold already.
        points = [point for point in every if end is None or point[0] <= end] or every[:1]
        stride = -(-len(points) // MAX_POINTS)
        kept = points[:: stride or 1]
        wanted = set(self.thresholds)
        # Thinning keeps the points at thresholds: a later study may ask for the score at these
        # steps.
        between = [point for point in points if point[0] in wanted]
        return tuple(sorted({*kept, *between, *points[-1:]}))
