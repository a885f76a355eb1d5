"""Computing time of the trials, and the best score over it."""

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from tunesmith.analysis.ranking import running_best
from tunesmith.history import Metric, Trial
from tunesmith.reporting.drawing.chart import Axis, Chart, Line, Mark, Panel, Points
from tunesmith.reporting.drawing.scales import count_axis, linear_axis, log_axis, score_axis
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView


@dataclass(frozen=True, kw_only=True)
class TimelineData:
    """Seconds of fits and scoring, by trial; folds add up, however many ran at a time.

    The ledger keeps how long evaluations took, not when they ran: an evaluation may be older
    than the study that uses it.
    """

    metric: Metric
    trials: tuple[int, ...]
    seconds: tuple[float, ...]
    spent: tuple[float, ...]
    """Seconds until each trial had its result, of all trials."""
    best: tuple[float, ...]
    """Best score when each trial got its result; NaN before the first complete one."""
    failed: tuple[int, ...]
    n_trials: int
    """Of the study; of a large one, some are shown."""


def data(view: FigureView) -> TimelineData:
    """Return the seconds of each trial."""
    numbers, sample = tuple(trial.number for trial in view.completed), view.summary.sample
    seconds = tuple(seconds_of(trial) for trial in view.completed)
    if sample is None:
        spent, best = tuple(accumulate(seconds)), tuple(running_best(view.scores, view.metric))
    else:
        every = np.nansum(sample.columns.fit_s + sample.columns.score_s, axis=1).cumsum()
        spent = tuple(every[list(numbers)].tolist())
        best = tuple(view.running_best[number] for number in numbers)
    failed = tuple(view.completed[i].number for i in view.failed)
    return TimelineData(
        metric=view.metric,
        trials=numbers,
        seconds=seconds,
        spent=spent,
        best=best,
        failed=failed,
        n_trials=view.summary.n_trials,
    )


def seconds_of(trial: Trial) -> float:
    """Seconds that a trial's folds took, together."""
    return sum(fold.fit_time_s + fold.score_time_s for fold in trial.folds)


def draw(content: TimelineData) -> Chart:
    """The best score over time spent, and the time of each trial."""
    title = "Time"
    if not content.trials:
        return Chart(title, "No trials yet.", note="There is no trial yet.")
    spent, total = content.spent, content.spent[-1]
    known = [i for i, score in enumerate(content.best) if math.isfinite(score)]
    line = Line(
        tuple(spent[i] for i in known),
        tuple(content.best[i] for i in known),
        label="best so far",
        is_stepped=True,
    )
    y = score_axis([content.best[i] for i in known], content.metric)
    bought = Panel(linear_axis("computing time, s", 0.0, total, 0.02), y, (line,))
    each = Panel(count_axis("trial", content.n_trials), _axis(content), _marks(content))
    note = "Seconds of all folds, added up. Shared fits count once a candidate."
    description = f"{content.n_trials} trials took {total:.3g} s of computing."
    return Chart(title, description, panels=(bought, each), note=note, columns=2)


def _axis(content: TimelineData) -> Axis:
    positive = [seconds for seconds in content.seconds if seconds > 0]
    label = "seconds a trial"
    # On a linear axis nearly all trials would lie at its end.
    if positive and max(positive) > 50 * min(positive):
        return log_axis(label, min(positive), max(positive))
    return linear_axis(label, 0.0, max(content.seconds))


def _marks(content: TimelineData) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    failed = set(content.failed)
    for is_failed in (False, True):
        shown = [i for i, n in enumerate(content.trials) if (n in failed) is is_failed]
        if not shown:
            continue
        marks.append(
            Points(
                tuple(float(content.trials[i]) for i in shown),
                tuple(content.seconds[i] for i in shown),
                role="failed" if is_failed else "trial",
                trials=tuple(content.trials[i] for i in shown),
                label="failed" if is_failed else "complete",
            )
        )
    return tuple(marks)


KIND = Kind(data, draw)
