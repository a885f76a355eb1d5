"""Predictions row by row: confusion, calibration or residuals, and groups of rows."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.analysis.statistics.predicted import (
    Calibration,
    Confusion,
    GroupedColumn,
    Predicted,
    Residuals,
)
from tunesmith.reporting.drawing.chart import (
    N_LEVELS,
    Axis,
    Band,
    Bars,
    Cells,
    Chart,
    Line,
    Panel,
    Points,
)
from tunesmith.reporting.drawing.scales import category_axis, linear_axis, nice_ticks, tick_text
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

NONE = "There are no predictions of the winner: name a file, `outputs: {predictions: …}`, and run."
DARKER = "Beside a class: the share found; darker: more."
LABELS = 24
ROOM = 1.4
"""Length of the axis of bars, for the text beside the longest one."""


@dataclass(frozen=True)
class PredictionsData:
    """Predictions of the winner; ``None`` without any."""

    predicted: Predicted | None


def data(view: FigureView) -> PredictionsData:
    """Return the summary's look at the predictions."""
    return PredictionsData(view.summary.predicted)


def draw(content: PredictionsData) -> Chart:
    """A panel for each view of the rows."""
    title, found = "Predictions by row", content.predicted
    if found is None:
        return Chart(title, "No predictions.", note=NONE)
    panels = tuple(_panels(found))
    note = f"Trial {found.trial}, by models that had not seen the rows."
    note += "" if found.confusion is None else f" {DARKER}"
    description = f"Out-of-fold predictions of trial {found.trial} for {found.n_rows} rows."
    return Chart(title, description, panels=panels, note=note, columns=2)


def _panels(found: Predicted) -> Iterator[Panel]:
    if found.confusion is not None:
        yield _confusion(found.confusion)
    if found.calibration is not None:
        yield _calibration(found.calibration)
    if found.residuals is not None:
        yield _residuals(found.residuals)
    what = "share of right predictions" if found.is_classes else "mean absolute residual"
    for part in found.slices:
        yield _slice(part, what, most=1.0 if found.is_classes else math.inf)


def _confusion(found: Confusion) -> Panel:
    n = len(found.labels)
    x = category_axis("predicted", found.labels, LABELS)
    # An axis grows upwards, and rows are read from the top.
    counts = zip(found.labels, found.counts, strict=True)
    names = [f"{label} {_found(row, at)}" for at, (label, row) in enumerate(counts)]
    y = category_axis("true", names[::-1], LABELS)
    levels, texts = [], []
    for label, row in zip(found.labels, found.counts, strict=True):
        for other, count in zip(found.labels, row, strict=True):
            share = count / sum(row) if sum(row) else 0.0
            levels.append(min(int(share * N_LEVELS), N_LEVELS - 1) if count else -1)
            texts.append(f"{label} predicted as {other}: {count:,}")
    return Panel(x, y, (Cells(n, n, tuple(levels), tuple(texts)),), "Confusion")


def _found(row: tuple[int, ...], place: int) -> str:
    return f"{row[place] / sum(row):.0%}" if sum(row) else "–"


def _calibration(found: Calibration) -> Panel:
    of = f"class {found.of}" if found.of else "the predicted class"
    ticks = tuple((tick, tick_text(tick)) for tick in nice_ticks(0.0, 1.0))
    x = Axis(f"probability of {of}", "linear", 0.0, 1.0, ticks)
    y = Axis("observed share", "linear", 0.0, 1.0, ticks)
    at, seen = (tuple(getattr(one, name) for one in found.bins) for name in ("mean", "observed"))
    marks = (
        Line((0.0, 1.0), (0.0, 1.0), role="band", label="perfect"),
        Line(at, seen, role="best", label="observed"),
        Points(at, seen, role="trial"),
    )
    return Panel(x, y, marks, f"Calibration, error {found.error:.3f}")


def _residuals(found: Residuals) -> Panel:
    at = tuple(one.mean for one in found.bins)
    low, high = (tuple(getattr(one, name) for one in found.bins) for name in ("low", "high"))
    means = tuple(one.mean - one.observed for one in found.bins)
    x = linear_axis("predicted", min(at), max(at))
    y = linear_axis("predicted minus true", min((0.0, *low)), max((0.0, *high)))
    marks = (
        Band(at, low, high, label="90 % of the rows"),
        Line((x.low, x.high), (0.0, 0.0), role="band"),
        Line(at, means, role="best", label="mean"),
        Points(at, means, role="trial"),
    )
    return Panel(x, y, marks, "Residuals")


def _slice(part: GroupedColumn, what: str, *, most: float) -> Panel:
    """Bars of a column's groups; an interval ends where no value can lie."""
    names = [one.name for one in part.groups][::-1]
    values = tuple(one.value for one in part.groups)
    errors = tuple(0.0 if one.error != one.error else one.error for one in part.groups)
    ends = tuple((max(v - e, 0.0), min(v + e, most)) for v, e in zip(values, errors, strict=True))
    axis = linear_axis(what, 0.0, max(high for _, high in ends))
    x = Axis(axis.label, "linear", 0.0, axis.high * ROOM, axis.ticks)
    texts = tuple(f"{one.value:.3g} ({one.n:,})" for one in part.groups)
    y = category_axis(part.column, names, len(names))
    return Panel(x, y, (Bars(values, ends, texts),), part.column)


KIND = Kind(data, draw)
