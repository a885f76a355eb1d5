"""The scores in the order of the trials, and the best so far."""

from dataclasses import dataclass

from tunesmith.analysis.ranking import running_best
from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Chart, Line, Mark, Panel, Points
from tunesmith.reporting.drawing.scales import count_axis, score_axis
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView


@dataclass(frozen=True)
class HistoryData:
    """Scores by trial."""

    metric: Metric
    trials: tuple[int, ...]
    scores: tuple[float, ...]
    levels: tuple[int, ...]
    failed: tuple[int, ...]
    pruned: tuple[int, ...]
    n_trials: int
    best: tuple[tuple[int, float], ...]
    """Trial and score at each change of the best so far; then the last trial."""
    tied: tuple[int, ...] = ()
    """Trials that the folds do not distinguish from the best."""


def data(view: FigureView) -> HistoryData:
    """Complete trials with their scores, and the others."""
    numbers = [trial.number for trial in view.told]
    return HistoryData(
        view.metric,
        tuple(numbers[i] for i in view.complete),
        tuple(view.scores[i] for i in view.complete),
        tuple(view.levels[i] for i in view.complete),
        tuple(numbers[i] for i in view.failed),
        tuple(numbers[i] for i in view.pruned),
        len(numbers),
        steps(running_best(view.scores, view.metric)),
        view.tied,
    )


def steps(best: list[float]) -> tuple[tuple[int, float], ...]:
    """Return the positions at which a running best changes, and its end."""
    found: list[tuple[int, float]] = []
    for number, score in enumerate(best):
        # False for NaN, which stands for trials before the first complete one.
        if score == score and (not found or score != found[-1][1]):
            found.append((number, score))
    if found and found[-1][0] != len(best) - 1:
        found.append((len(best) - 1, found[-1][1]))
    return tuple(found)


def draw(found: HistoryData) -> Chart:
    """Dots, and the best so far as a stepped line."""
    title = "Optimisation history"
    if not found.n_trials:
        return Chart(title, "No trials yet.", note="There is no trial yet.")
    y = score_axis(found.scores, found.metric)
    scores = tuple(found.scores)
    marks: list[Mark] = [
        Line(
            tuple(float(n) for n, _ in found.best),
            tuple(score for _, score in found.best),
            label="best so far",
            is_stepped=True,
        ),
        Points(_floats(found.trials), scores, trials=found.trials, levels=found.levels),
    ]
    if found.pruned:
        x, rug = _floats(found.pruned), (y.low,) * len(found.pruned)
        marks.append(Points(x, rug, role="band", trials=found.pruned, label="stopped early"))
    if found.failed:
        x, rug = _floats(found.failed), (y.low,) * len(found.failed)
        marks.append(Points(x, rug, role="failed", trials=found.failed, label="failed"))
    tied = [(n, s) for n, s in zip(found.trials, scores, strict=True) if n in found.tied]
    if tied:
        numbers, at = zip(*tied, strict=True)
        marks.append(Points(_floats(numbers), at, role="tied", label="tied with the best"))
    description = f"{found.metric.name} of {found.n_trials} trials, with the best so far."
    panel = Panel(count_axis("trial", found.n_trials), y, tuple(marks))
    return Chart(title, description, (panel,), key=found.metric.name)


def _floats(found: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(map(float, found))


KIND = Kind(data, draw)
