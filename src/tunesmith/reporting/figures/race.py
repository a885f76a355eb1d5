"""The mean score of each trial as its folds came in."""

import math

import numpy as np

from tunesmith.reporting.drawing.chart import Chart
from tunesmith.reporting.figures.courses import CoursesData, ScoreCurve, courses_chart, courses_data
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView

NOTHING = "There is no trial with more than one fold."


def data(view: FigureView) -> CoursesData:
    """A course a trial, over folds; a trial that failed or was dropped ends early."""
    courses = []
    for i, trial in enumerate(view.completed):
        scores = trial.scores(view.metric.name)
        n = next((k for k, score in enumerate(scores) if not math.isfinite(score)), len(scores))
        if n and len(scores) > 1:
            means = np.cumsum(scores[:n]) / np.arange(1, n + 1)
            steps = tuple(map(float, range(1, n + 1)))
            course = tuple(map(float, means))
            courses.append(
                ScoreCurve(trial.number, steps, course, view.levels[i], i in view.failed)
            )
    return courses_data(view, courses)


def draw(content: CoursesData) -> Chart:
    """Means over the folds so far."""
    return courses_chart(content, "Race over folds", "folds so far", NOTHING)


KIND = Kind(data, draw)
