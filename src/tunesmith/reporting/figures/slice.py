"""The score over each parameter."""

from dataclasses import dataclass

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Band, Chart, Line, Mark, Numbers, Panel, Points, Rug
from tunesmith.reporting.drawing.scales import score_axis
from tunesmith.reporting.figures.columns import AxisColumn
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView


@dataclass(frozen=True)
class TrendBand:
    """A marginal trend with its band, at places on a parameter's axis."""

    x: Numbers
    mean: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One parameter: positions and scores of the trials that have it."""

    column: AxisColumn
    x: tuple[float, ...]
    scores: tuple[float, ...]
    trials: tuple[int, ...]
    levels: tuple[int, ...]
    failed: tuple[int, ...]
    """Failed trials with this parameter."""
    failed_x: tuple[float, ...]
    best: tuple[float, float] | None
    trend: TrendBand | None = None


@dataclass(frozen=True)
class SliceData:
    """All slices share the scores' axis."""

    metric: Metric
    scores: tuple[float, ...]
    slices: tuple[Slice, ...]


def data(view: FigureView) -> SliceData:
    """A slice a parameter, in order of importance."""
    slices = tuple(_slice(view, view.column(name)) for name in view.params)
    return SliceData(view.metric, tuple(view.scores[i] for i in view.successful), slices)


def _slice(view: FigureView, column: AxisColumn) -> Slice:
    x = column.positions
    shown = [(i, place) for i in view.successful if (place := x[i]) is not None]
    failed = [(i, place) for i in view.failed if (place := x[i]) is not None]
    at = None if view.best is None else x[view.best]
    return Slice(
        column=column,
        x=tuple(place for _, place in shown),
        scores=tuple(view.scores[i] for i, _ in shown),
        trials=tuple(view.completed[i].number for i, _ in shown),
        levels=tuple(view.levels[i] for i, _ in shown),
        failed=tuple(view.completed[i].number for i, _ in failed),
        failed_x=tuple(place for _, place in failed),
        best=None if view.best is None or at is None else (at, view.scores[view.best]),
        trend=_trend(view, column),
    )


def _trend(view: FigureView, column: AxisColumn) -> TrendBand | None:
    """Expected score by value of the parameter, with one standard error."""
    marginal = view.summary.marginals.get(column.name)
    # The summary's model is of its own metric.
    if marginal is None or view.metric != view.summary.metric:
        return None
    rows = zip(map(column.place, marginal.values), marginal.expected, marginal.errors, strict=True)
    known = sorted((place, mean, error) for place, mean, error in rows if place is not None)
    return TrendBand(
        tuple(place for place, _, _ in known),
        tuple(mean for _, mean, _ in known),
        tuple(mean - error for _, mean, error in known),
        tuple(mean + error for _, mean, error in known),
    )


def draw(content: SliceData) -> Chart:
    """A small panel a parameter."""
    title = "Score by parameter"
    if not content.slices or not content.scores:
        note = "There is no parameter that varied in complete trials."
        return Chart(title, note, note=note)
    panels = tuple(_panel(one, content) for one in content.slices)
    description = f"{content.metric.name} over each of {len(panels)} parameters."
    n_columns = min(len(panels), 3)
    return Chart(title, description, panels=panels, columns=n_columns, key=content.metric.name)


def _panel(one: Slice, content: SliceData) -> Panel:
    y = score_axis(content.scores, content.metric, label=content.metric.name)
    marks: list[Mark] = []
    if one.trend is not None:
        marks.append(Band(one.trend.x, one.trend.low, one.trend.high, label="expected ± error"))
        marks.append(Line(one.trend.x, one.trend.mean, role="trial"))
    marks.append(Points(one.x, one.scores, trials=one.trials, levels=one.levels))
    if one.failed:
        marks.append(Rug(one.failed_x, "failed", role="failed", trials=one.failed))
    if one.best is not None:
        marks.append(Points((one.best[0],), (one.best[1],), role="best", label="best"))
    return Panel(one.column.axis, y, tuple(marks))


KIND = Kind(data, draw)
