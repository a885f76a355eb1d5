"""Scores by step, one line a trial: the basis of learning curves and races."""

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.history import Metric
from tunesmith.reporting.drawing.chart import Chart, Line, Panel, Role
from tunesmith.reporting.drawing.scales import directed, linear_axis, score_axis
from tunesmith.reporting.figures.view import FigureView

MAX_COURSES = 300


@dataclass(frozen=True)
class ScoreCurve:
    """One trial's scores by step."""

    trial: int
    steps: tuple[float, ...]
    scores: tuple[float, ...]
    level: int
    has_failed: bool = False


@dataclass(frozen=True)
class CoursesData:
    """Courses in trial order."""

    metric: Metric
    courses: tuple[ScoreCurve, ...]
    best: int | None
    """The best trial's number."""
    n_left_out: int = 0


def courses_data(view: FigureView, courses: Sequence[ScoreCurve]) -> CoursesData:
    """Choose as many courses as a reader can distinguish: the best ones and an even sample.

    Args:
        view: names the metric and the best trial.
        courses: of trials, in order.
    """
    best = None if view.best is None else view.completed[view.best].number
    n_over = len(courses) - MAX_COURSES
    if n_over <= 0:
        return CoursesData(view.metric, tuple(courses), best, view.n_left_out)
    stride = len(courses) / MAX_COURSES
    kept = {int(index * stride) for index in range(MAX_COURSES)}
    shown = [c for i, c in enumerate(courses) if i in kept or c.trial == best]
    n_left_out = len(courses) - len(shown) + view.n_left_out
    return CoursesData(view.metric, tuple(shown), best, n_left_out)


def courses_chart(content: CoursesData, title: str, step: str, nothing: str) -> Chart:
    """Draw lines coloured by the trials' final scores, the best one on top.

    Args:
        content: the courses.
        title: of the chart.
        step: label of the axis.
        nothing: the note if there are no courses.
    """
    if not content.courses:
        return Chart(title, nothing, note=nothing)
    ordered = sorted(content.courses, key=lambda c: (c.trial == content.best, c.level, c.trial))
    lines = tuple(_line(course, content.best) for course in ordered)
    steps = [at for course in content.courses for at in course.steps]
    scores = [score for course in content.courses for score in course.scores]
    x = linear_axis(step, min(steps), max(steps), 0.02)
    note = f"{content.n_left_out} trials are left out." if content.n_left_out else ""
    panel = Panel(x, score_axis(scores, content.metric), lines)
    description = f"{content.metric.name} of {len(lines)} trials, step by step."
    return Chart(title, description, panels=(panel,), note=note, key=directed(content.metric))


def _line(course: ScoreCurve, best: int | None) -> Line:
    is_best = course.trial == best
    role: Role = "best" if is_best else "failed" if course.has_failed else "trial"
    label = "best" if is_best else "failed" if course.has_failed else ""
    level = None if is_best or course.has_failed else course.level
    return Line(
        course.steps, course.scores, role=role, label=label, trial=course.trial, level=level
    )
