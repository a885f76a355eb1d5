"""The score over two parameters at once."""

import math
from dataclasses import dataclass

import numpy as np

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Cells, Chart, Mark, Panel, Points, levels_of
from tunesmith.reporting.drawing.scales import directed, fenced, share
from tunesmith.reporting.figures.columns import AxisColumn
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

SIDE = 48
"""Cells along a numeric axis."""
WIDTH = 0.07
"""Width of the kernel, as a share of an axis."""
SAME = 1e-9
"""Difference of places, as a share of an axis, that is one of rounding."""
REACH = 2.0
"""Farther than this many widths from every trial, nothing is drawn."""


SMOOTHED = "Smoothed between trials; nothing is shown where no trial is near."
TILED = "Mean score of the trials with each pair of values."


@dataclass(frozen=True, kw_only=True)
class ContourData:
    """Trials on two axes, and smoothed scores between them."""

    metric: Metric
    x: AxisColumn | None
    y: AxisColumn | None
    places: tuple[tuple[float, float], ...]
    scores: tuple[float, ...]
    trials: tuple[int, ...]
    best: int | None
    """Position of the best one in the lists above."""
    surface: tuple[tuple[float, ...], ...]
    """Rows from the top; NaN if no trial is near."""


def data(view: FigureView) -> ContourData:
    """Return data of the two requested parameters, or of those that tell the most together."""
    if len(view.pair) < 2:
        return ContourData(
            metric=view.metric,
            x=None,
            y=None,
            places=(),
            scores=(),
            trials=(),
            best=None,
            surface=(),
        )
    x, y = (view.column(name) for name in view.pair)
    both = [
        (i, (at, beside))
        for i in view.successful
        if (at := x.positions[i]) is not None and (beside := y.positions[i]) is not None
    ]
    places = tuple(place for _, place in both)
    scores = tuple(view.scores[i] for i, _ in both)
    order = [view.metric.sign * score for score in scores]
    return ContourData(
        metric=view.metric,
        x=x,
        y=y,
        places=places,
        scores=scores,
        trials=tuple(view.completed[i].number for i, _ in both),
        best=int(np.argmax(order)) if order else None,
        surface=_surface(x, y, places, scores),
    )


def _surface(
    x: AxisColumn, y: AxisColumn, places: tuple[tuple[float, float], ...], scores: tuple[float, ...]
) -> tuple[tuple[float, ...], ...]:
    """Kernel means (Nadaraya 1964, Watson 1964) at the centres of cells, in the axes' own scale.

    Categories do not blend into each other.
    """
    if not places:
        return ()
    across = _weights(x, [place for place, _ in places])
    # Reversed, because rows are drawn from the top and the axis grows upwards.
    down = _weights(y, [place for _, place in places])[::-1]
    total = down @ across.T
    # Scores are centred, so that huge ones lose no digits.
    middle = float(np.mean(scores))
    sums = (down * (np.array(scores) - middle)) @ across.T
    # The weight of a single trial at `REACH` widths.
    near = total > math.exp(-(REACH**2) / 2)
    means = np.where(near, middle + sums / np.where(near, total, 1.0), np.nan)
    return tuple(tuple(map(float, row)) for row in means)


def _weights(column: AxisColumn, places: list[float]) -> np.ndarray:
    """``(n_cells, n_trials)`` kernel weights along one axis."""
    at = np.array([share(column.axis, place) for place in places])
    n = len(column.names) or SIDE
    centres = (np.arange(n) + 0.5) / n
    if column.axis.values:
        # Each cell shows the listed value that is next to it: between two of them there is none.
        listed = np.array([share(column.axis, value) for value in column.axis.values])
        nearest = np.abs(centres[:, None] - listed[None, :]).argmin(axis=1)
        return np.asarray(np.abs(listed[nearest][:, None] - at[None, :]) < SAME, dtype=float)
    distance = np.abs(centres[:, None] - at[None, :])
    if column.names:
        # A category has weight in its own cell alone: between two of them there is nothing.
        return np.asarray(distance < 0.5 / n, dtype=float)
    return np.asarray(np.exp(-0.5 * (distance / WIDTH) ** 2))


def draw(content: ContourData) -> Chart:
    """Coloured cells under the trials."""
    title = "Score over two parameters"
    if content.x is None or content.y is None or not content.places:
        note = "There are no two parameters that varied together in complete trials."
        return Chart(title, note, note=note)
    low, high = fenced(np.array(content.scores), content.metric)
    ends = sorted((content.metric.sign * low, content.metric.sign * high))
    flat = [content.metric.sign * value for row in content.surface for value in row]
    shown = [levels_of([v], *ends)[0] if math.isfinite(v) else -1 for v in flat]
    cells = Cells(len(content.surface[0]), len(content.surface), tuple(shown))
    x, y = zip(*content.places, strict=True)
    marks: list[Mark] = [cells, Points(x, y, role="band", trials=content.trials, label="trials")]
    if content.best is not None:
        marks.append(Points((x[content.best],), (y[content.best],), role="best", label="best"))
    names = f"{content.x.name} and {content.y.name}"
    panel = Panel(content.x.axis, content.y.axis, tuple(marks))
    is_tiled = all(column.names or column.axis.values for column in (content.x, content.y))
    note = TILED if is_tiled else SMOOTHED
    description = f"{content.metric.name} over {names}."
    return Chart(title, description, panels=(panel,), note=note, key=directed(content.metric))


KIND = Kind(data, draw)
