"""The scores of the best trials, fold by fold."""

import math
from dataclasses import dataclass

import numpy as np

from tunesmith.analysis import numbers
from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Cells, Chart, Panel, levels_of
from tunesmith.reporting.drawing.scales import category_axis, directed, fenced
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

MAX_TRIALS = 30


@dataclass(frozen=True)
class FoldsData:
    """Fold scores of the best trials, the best first."""

    metric: Metric
    trials: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    """A row a trial."""
    n_complete: int
    tied: tuple[int, ...] = ()
    """Trials that the folds do not distinguish from the best."""


def data(view: FigureView) -> FoldsData:
    """The first trials in order of the metric."""
    order = sorted(view.successful, key=lambda i: (-view.metric.sign * view.scores[i], i))
    best = [view.completed[i] for i in order[:MAX_TRIALS]]
    return FoldsData(
        view.metric,
        tuple(trial.number for trial in best),
        tuple(tuple(map(float, trial.scores(view.metric.name))) for trial in best),
        view.n_complete,
        view.tied,
    )


def draw(content: FoldsData) -> Chart:
    """A cell a fold."""
    title = "Scores by fold"
    n_folds = max(map(len, content.scores), default=0)
    if n_folds < 1:
        return Chart(title, "No complete trial.", note="There is no complete trial yet.")
    rows = [[*row, *[math.nan] * (n_folds - len(row))] for row in content.scores]
    flat = [score for row in rows for score in row]
    finite = np.array([score for score in flat if math.isfinite(score)])
    ends = sorted(content.metric.sign * end for end in fenced(finite, content.metric))
    shown = [
        levels_of([max(content.metric.sign * s, ends[0])], *ends)[0] if math.isfinite(s) else -1
        for s in flat
    ]
    texts = [
        f"trial {trial}, fold {fold}: {numbers.plain(score)}"
        for trial, row in zip(content.trials, rows, strict=True)
        for fold, score in enumerate(row)
    ]
    labels = [f"{trial} ≈" if trial in content.tied else str(trial) for trial in content.trials]
    # An axis grows upwards, and rows are read from the top.
    y = category_axis("trial, best first", labels[::-1], MAX_TRIALS)
    x = category_axis("fold", [str(fold) for fold in range(n_folds)])
    panel = Panel(x, y, (Cells(n_folds, len(rows), tuple(shown), tuple(texts)),))
    note = f"The best {len(rows)} of {content.n_complete} complete trials."
    note += " ≈ cannot be told from the best." if content.tied else ""
    description = f"{content.metric.name} of {len(rows)} trials on {n_folds} folds."
    return Chart(title, description, panels=(panel,), note=note, key=directed(content.metric))


KIND = Kind(data, draw)
