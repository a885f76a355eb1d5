"""Learning curves: values that programs with a budget report while they run."""

from collections.abc import Sequence

import numpy as np

from tunesmith.history import Trial
from tunesmith.reporting.drawing.chart import Chart
from tunesmith.reporting.figures.courses import CoursesData, ScoreCurve, courses_chart, courses_data
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

NOTHING = "No trial reported scores on its way."


def data(view: FigureView) -> CoursesData:
    """A curve a trial: at each step the mean over the folds that reported it."""
    curves = []
    for i, trial in enumerate(view.completed):
        points = mean_progress([fold.progress for fold in trial.folds])
        if points:
            steps, values = zip(*points, strict=True)
            curves.append(
                ScoreCurve(trial.number, steps, values, view.levels[i], _has_failed(trial))
            )
    return courses_data(view, curves)


def mean_progress(
    folds: Sequence[Sequence[tuple[float, float]]],
) -> tuple[tuple[float, float], ...]:
    """The mean value at each step, over the folds that came so far.

    >>> mean_progress([[(1, 0.5), (2, 0.75)], [(1, 0.25)]])
    ((1.0, 0.375), (2.0, 0.75))
    """
    values: dict[float, list[float]] = {}
    for progress in folds:
        for step, value in progress:
            values.setdefault(float(step), []).append(float(value))
    return tuple((step, float(np.mean(values[step]))) for step in sorted(values))


def _has_failed(trial: Trial) -> bool:
    return trial.failure is not None


def draw(content: CoursesData) -> Chart:
    """Values by step."""
    return courses_chart(content, "Learning curves", "step", NOTHING)


KIND = Kind(data, draw)
