"""Stopping criteria that look at scores: a target, patience, convergence.

With several metrics they look at the Pareto front: a study goes on while its front moves. With one
metric the front is the best trial.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.history import History, Metric, Trial

SETTLED = 10
"""Number of trials without a new one on the front, for a target that names none of several
metrics."""


@dataclass(frozen=True)
class TargetScore:
    """Ends if one trial's mean scores are good enough.

    Args:
        score: by the name of the metric, all of which must be reached; or one number for the first
            metric. If there are others, the study then goes on until its front has settled.
    """

    score: float | Mapping[str, float]

    def is_spent(self, history: History, elapsed_s: float) -> str | None:
        """Look for a trial on the front that reaches every target."""
        metrics = {metric.name: metric for metric in history.objectives}
        first = history.objectives[0].name
        targets = self.score if isinstance(self.score, Mapping) else {first: self.score}
        # Only the front: what a trial beyond it reaches, one on the front reaches as well.
        front = [history[number] for number in history.front_at(history.n_completed)]
        if not any(all(_reaches(t, metrics[n], s) for n, s in targets.items()) for t in front):
            return None
        if isinstance(self.score, Mapping) or len(metrics) == 1:
            return _reached(targets)
        settled = Patience(SETTLED).is_spent(history, elapsed_s)
        return settled and f"{_reached(targets)}, and {settled}"


def _reached(targets: Mapping[str, float]) -> str:
    listed = [f"{name} {score:g}" for name, score in targets.items()]
    if len(listed) > 1:
        return f"a trial reached the targets {', '.join(listed)}"
    name, score = next(iter(targets.items()))
    return f"{name} reached the target {score:g}"


def _reaches(trial: Trial, metric: Metric, score: float) -> bool:
    return metric.sign * (trial.mean(metric.name) - score) >= 0


@dataclass(frozen=True)
class Patience:
    """Ends if no trial has moved the Pareto front for a number of trials.

    With one metric that is a trial with a better score. Failed trials count: they move nothing.
    Trials with less than the full budget do not count.
    """

    n: int

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Count the trials completed since the last one that moved the front."""
        front, counts = history.front_at(history.n_completed), history.n_conclusive
        since = counts[-1] - (counts[front[-1] + 1] if front else 0)
        if since < self.n:
            return None
        trials = "1 trial" if self.n == 1 else f"{self.n} trials"
        if len(history.objectives) > 1:
            return f"no new trial on the Pareto front in {trials}"
        return f"no better score in {trials}"


@dataclass(frozen=True)
class Convergence:
    """Ends if the gain of the last trials is smaller than the noise of the folds.

    A trial of the last ``window`` that is on the Pareto front is a gain if it beats every trial of
    the front before, in one metric at least, by more than the standard error of the difference of
    the two, fold by fold: effects of a fold that all trials share (most of the folds' spread)
    cancel in the difference. With one metric, that compares the best trial now with the one before.
    Trials with less than the full budget do not count.
    """

    window: int = 20

    def is_spent(self, history: History, elapsed_s: float) -> str | None:  # noqa: ARG002
        """Compare the front now with the front ``window`` trials ago."""
        counts = history.n_conclusive
        if counts[-1] <= self.window:
            return None
        n_before = bisect_left(counts, counts[-1] - self.window)
        before = history.front_at(n_before)
        new = set(history.front_at(history.n_completed)) - set(before)
        if not before:
            return None
        olds = [history[number] for number in before]
        if any(_is_gain(history[number], olds, history.objectives) for number in new):
            return None
        return f"the gain of the last {self.window} trials is below the folds' noise"


def _is_gain(new: Trial, olds: Sequence[Trial], metrics: Sequence[Metric]) -> bool:
    return all(any(_beats(new, old, metric) for metric in metrics) for old in olds)


def _beats(left: Trial, right: Trial, metric: Metric) -> bool:
    """Tell whether a trial's mean is better than another's by more than the folds' noise."""
    gain = metric.sign * (left.mean(metric.name) - right.mean(metric.name))
    return gain > _noise(left, right, metric.name)


def _noise(left: Trial, right: Trial, metric: str) -> float:
    difference = left.scores(metric) - right.scores(metric)
    # A single fold has no spread, so any gain counts.
    if len(difference) < 2:
        return 0.0
    return float(np.std(difference, ddof=1) / np.sqrt(len(difference)))
