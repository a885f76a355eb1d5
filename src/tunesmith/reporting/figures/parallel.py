"""All parameters and the score, one upright axis each, one line a trial."""

from dataclasses import dataclass

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Chart, Parallel
from tunesmith.reporting.drawing.scales import directed, score_axis
from tunesmith.reporting.figures.columns import AxisColumn
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

MAX_AXES = 16


@dataclass(frozen=True, kw_only=True)
class ParallelData:
    """Complete trials on every axis."""

    metric: Metric
    columns: tuple[AxisColumn, ...]
    """With the positions of complete trials alone."""
    scores: tuple[float, ...]
    trials: tuple[int, ...]
    levels: tuple[int, ...]
    n_left_out: int
    """Parameters for which there was no room, the least important ones."""


def data(view: FigureView) -> ParallelData:
    """The most important parameters on the right, beside the score."""
    shown = view.params[:MAX_AXES]
    columns = [view.column(name) for name in reversed(shown)]
    return ParallelData(
        metric=view.metric,
        columns=tuple(
            AxisColumn(c.name, c.axis, tuple(c.positions[i] for i in view.successful), c.names)
            for c in columns
        ),
        scores=tuple(view.scores[i] for i in view.successful),
        trials=tuple(view.completed[i].number for i in view.successful),
        levels=tuple(view.levels[i] for i in view.successful),
        n_left_out=len(view.params) - len(shown),
    )


def draw(content: ParallelData) -> Chart:
    """Lines coloured by score."""
    title = "Parallel coordinates"
    if not content.columns or not content.trials:
        note = "There is no parameter that varied in complete trials."
        return Chart(title, note, note=note)
    axes = [column.axis for column in content.columns]
    axes.append(score_axis(content.scores, content.metric, label=content.metric.name))
    columns = [*(column.positions for column in content.columns), content.scores]
    note = ""
    if content.n_left_out:
        note = f"{content.n_left_out} less important parameters are left out."
    panel = Parallel(tuple(axes), tuple(columns), content.trials, content.levels)
    description = f"{len(content.trials)} trials over {len(axes) - 1} parameters and the score."
    return Chart(title, description, panels=(panel,), note=note, key=directed(content.metric))


KIND = Kind(data, draw)
