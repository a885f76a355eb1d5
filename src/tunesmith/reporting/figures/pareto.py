"""Trials in the plane of two objectives, and those that no other beats in all."""

from dataclasses import dataclass
from itertools import combinations

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Chart, Mark, Panel, Points
from tunesmith.reporting.drawing.scales import score_axis
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

MAX_PAIRS = 6


@dataclass(frozen=True)
class ParetoData:
    """Complete trials with a score in every objective."""

    objectives: tuple[Metric, ...]
    trials: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    """A column an objective."""
    front: tuple[int, ...]


def data(view: FigureView) -> ParetoData:
    """Every objective's scores, and the front."""
    objectives = view.record.objectives
    complete = [view.told[i] for i in view.complete]
    return ParetoData(
        objectives,
        tuple(trial.number for trial in complete),
        tuple(tuple(trial.mean(m.name) for trial in complete) for m in objectives),
        tuple(sorted(trial.number for trial in view.summary.front)),
    )


def draw(content: ParetoData) -> Chart:
    """A panel a pair of objectives."""
    title = "Pareto front"
    if len(content.objectives) < 2 or not content.trials:
        reason = "no complete trial" if len(content.objectives) > 1 else "one objective only"
        note = f"No Pareto front: there is {reason}."
        return Chart(title, note, note=note)
    pairs = list(combinations(range(len(content.objectives)), 2))
    panels = tuple(_panel(content, *pair) for pair in pairs[:MAX_PAIRS])
    left_out = len(pairs) - len(panels)
    note = f"{left_out} further pairs of objectives are left out." if left_out else ""
    description = f"{len(content.front)} of {len(content.trials)} trials are on the front."
    return Chart(title, description, panels=panels, note=note, columns=min(len(panels), 2))


def _panel(content: ParetoData, first: int, second: int) -> Panel:
    x, y = content.scores[first], content.scores[second]
    front = set(content.front)
    on = [i for i, trial in enumerate(content.trials) if trial in front]
    # Drawn as a line only in the plane: of three objectives two do not show the front.
    marks: list[Mark] = [Points(x, y, trials=content.trials, label="trials")]
    best = Points(
        tuple(x[i] for i in on),
        tuple(y[i] for i in on),
        role="front",
        trials=tuple(content.trials[i] for i in on),
        label="no trial beats these in all",
    )
    metrics = content.objectives
    return Panel(score_axis(x, metrics[first]), score_axis(y, metrics[second]), (*marks, best))


KIND = Kind(data, draw)
