"""Trials in the plane of two objectives, and those that no other beats in all."""

from collections.abc import Container
from dataclasses import dataclass
from itertools import combinations

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Chart, Panel, Points, Role
from tunesmith.reporting.drawing.scales import score_axis
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

MAX_PAIRS = 6


@dataclass(frozen=True, kw_only=True)
class ParetoData:
    """Complete trials with a score in every objective."""

    objectives: tuple[Metric, ...]
    trials: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    """A column an objective."""
    front: tuple[int, ...]
    violating: tuple[int, ...] = ()
    """Trials that violate a constraint on outcomes, and so cannot be on the front."""
    n_complete: int
    """Complete trials, also those that are not shown."""
    chosen: int | None = None
    """The trial whose parameters are the result; ``None`` if there is none."""


def data(view: FigureView) -> ParetoData:
    """Every objective's scores, and the front."""
    objectives = view.record.objectives
    successful, chosen = [view.completed[i] for i in view.successful], view.summary.chosen
    return ParetoData(
        objectives=objectives,
        trials=tuple(trial.number for trial in successful),
        scores=tuple(tuple(trial.mean(m.name) for trial in successful) for m in objectives),
        front=tuple(sorted(trial.number for trial in view.summary.front)),
        violating=tuple(view.completed[i].number for i in sorted(view.violating)),
        n_complete=view.n_complete,
        chosen=None if chosen is None else chosen.number,
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
    description = f"{len(content.front)} of {content.n_complete} trials are on the front."
    return Chart(title, description, panels=panels, note=note, columns=min(len(panels), 2))


def _panel(content: ParetoData, first: int, second: int) -> Panel:
    x, y = content.scores[first], content.scores[second]

    def marked(trials: Container[int | None], role: Role, label: str) -> Points:
        at = [i for i, trial in enumerate(content.trials) if trial in trials]
        return Points(
            tuple(x[i] for i in at),
            tuple(y[i] for i in at),
            role=role,
            trials=tuple(content.trials[i] for i in at),
            label=label,
        )

    # Points only: of three objectives, two do not show the front as a line.
    marks = [
        Points(x, y, trials=content.trials, label="trials"),
        marked(content.violating, "failed", "violates subject_to"),
        marked(content.front, "front", "no trial beats these in all"),
        marked((content.chosen,), "best", "chosen"),
    ]
    metrics = content.objectives
    shown = tuple(mark for mark in marks if mark.x)
    return Panel(score_axis(x, metrics[first]), score_axis(y, metrics[second]), shown)


KIND = Kind(data, draw)
