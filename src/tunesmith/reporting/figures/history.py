"""The scores in the order of the trials, and the best so far."""

from dataclasses import dataclass

from tunesmith.analysis.ranking import running_best
from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Chart, Line, Mark, Panel, Points
from tunesmith.reporting.drawing.scales import count_axis, score_axis
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView


@dataclass(frozen=True, kw_only=True)
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
        metric=view.metric,
        trials=tuple(numbers[i] for i in view.complete),
        scores=tuple(view.scores[i] for i in view.complete),
        levels=tuple(view.levels[i] for i in view.complete),
        failed=tuple(numbers[i] for i in view.failed),
        pruned=tuple(numbers[i] for i in view.pruned),
        n_trials=len(numbers),
        best=steps(running_best(view.scores, view.metric)),
        tied=view.tied,
    )


def steps(best: list[float]) -> tuple[tuple[int, float], ...]:
    """Return the positions at which a running best changes, and its end."""
    changes: list[tuple[int, float]] = []
    for number, score in enumerate(best):
        # False for NaN, which stands for trials before the first complete one.
        if score == score and (not changes or score != changes[-1][1]):
            changes.append((number, score))
    if changes and changes[-1][0] != len(best) - 1:
        changes.append((len(best) - 1, changes[-1][1]))
    return tuple(changes)


def draw(content: HistoryData) -> Chart:
    """Dots, and the best so far as a stepped line."""
    title = "Optimisation history"
    if not content.n_trials:
        return Chart(title, "No trials yet.", note="There is no trial yet.")
    y = score_axis(content.scores, content.metric)
    scores = tuple(content.scores)
    marks: list[Mark] = [
        Line(
            tuple(float(n) for n, _ in content.best),
            tuple(score for _, score in content.best),
            label="best so far",
            is_stepped=True,
        ),
        Points(_floats(content.trials), scores, trials=content.trials, levels=content.levels),
    ]
    if content.pruned:
        x, rug = _floats(content.pruned), (y.low,) * len(content.pruned)
        marks.append(Points(x, rug, role="band", trials=content.pruned, label="stopped early"))
    if content.failed:
        x, rug = _floats(content.failed), (y.low,) * len(content.failed)
        marks.append(Points(x, rug, role="failed", trials=content.failed, label="failed"))
    tied = [(n, s) for n, s in zip(content.trials, scores, strict=True) if n in content.tied]
    if tied:
        numbers, at = zip(*tied, strict=True)
        marks.append(Points(_floats(numbers), at, role="tied", label="tied with the best"))
    description = f"{content.metric.name} of {content.n_trials} trials, with the best so far."
    panel = Panel(count_axis("trial", content.n_trials), y, tuple(marks))
    return Chart(title, description, panels=(panel,), key=content.metric.name)


def _floats(trials: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(map(float, trials))


KIND = Kind(data, draw)
