"""The scores in the order of the trials, and the best so far."""

from dataclasses import dataclass

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Axis, Chart, Line, Mark, Panel, Points, Role, Rug
from tunesmith.reporting.drawing.scales import count_axis, score_axis, tick_text
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
    violating: tuple[int, ...] = ()
    """Complete trials that violate a constraint on outcomes, and so cannot be the best."""
    winner: tuple[int, float] | None = None
    """Trial and score of the best one."""
    current: tuple[int, float] | None = None
    """Trial and score of the current parameters, if they were evaluated."""


def data(view: FigureView) -> HistoryData:
    """Complete trials with their scores, and the others."""
    numbers, at = [trial.number for trial in view.completed], view.current
    return HistoryData(
        metric=view.metric,
        trials=tuple(numbers[i] for i in view.successful),
        scores=tuple(view.scores[i] for i in view.successful),
        levels=tuple(view.levels[i] for i in view.successful),
        failed=tuple(numbers[i] for i in view.failed),
        pruned=tuple(numbers[i] for i in view.pruned),
        n_trials=view.summary.n_trials,
        best=steps(view.running_best),
        tied=view.tied,
        violating=tuple(numbers[i] for i in sorted(view.violating)),
        winner=None if view.best is None else (numbers[view.best], view.scores[view.best]),
        current=None if at is None else (numbers[at], view.scores[at]),
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
    x, y = count_axis("trial", content.n_trials), score_axis(content.scores, content.metric)
    marks: list[Mark] = [
        Line(
            tuple(float(n) for n, _ in content.best),
            tuple(score for _, score in content.best),
            label="best so far",
            is_stepped=True,
        ),
        Points(
            _floats(content.trials), content.scores, trials=content.trials, levels=content.levels
        ),
    ]
    if content.current is not None:
        # Behind the dots, over the whole width: every trial is to be compared with it.
        marks.insert(0, _current_line(content.current, x, y))
    marks += _told(content)
    if content.winner is not None:
        number, score = content.winner
        label = f"best (trial {number})"
        best = Points((float(number),), (score,), role="best", trials=(number,), label=label)
        marks.append(best)
    rows: tuple[tuple[str, Role, tuple[int, ...]], ...] = (
        ("stopped", "band", content.pruned),
        ("failed", "failed", content.failed),
    )
    for label, role, numbers in rows:
        if numbers:
            marks.append(Rug(_floats(numbers), label, role=role, trials=numbers))
    panel = Panel(x, y, tuple(marks))
    description = f"{content.metric.name} of {content.n_trials} trials, with the best so far."
    return Chart(title, description, panels=(panel,), key=content.metric.name)


def _told(content: HistoryData) -> list[Mark]:
    """Complete trials of which there is more to say than their score."""
    marks: list[Mark] = []
    kinds: tuple[tuple[tuple[int, ...], Role, str], ...] = (
        (content.tied, "tied", "tied with the best"),
        (content.violating, "failed", "violates subject_to"),
    )
    for numbers_meant, role, label in kinds:
        pairs, meant = zip(content.trials, content.scores, strict=True), frozenset(numbers_meant)
        told = [(number, score) for number, score in pairs if number in meant]
        if told:
            numbers, at = zip(*told, strict=True)
            marks.append(Points(_floats(numbers), at, role=role, trials=numbers, label=label))
    return marks


def _current_line(current: tuple[int, float], x: Axis, y: Axis) -> Line:
    """A dashed line at the score of the current parameters; a score off the scale is told."""
    number, score = current
    off = {-1: f", {tick_text(score)}, below the scale", 1: f", {tick_text(score)}, above it"}
    label = f"current parameters (trial {number}{off.get(y.side(score), '')})"
    ends, scores = ((x.low, x.high), (score, score)) if not y.side(score) else ((), ())
    return Line(ends, scores, role="current", label=label, is_dashed=True)


def _floats(trials: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(map(float, trials))


KIND = Kind(data, draw)
