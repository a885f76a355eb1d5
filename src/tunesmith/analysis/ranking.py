"""Complete trials in the order of their scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.history import History, Metric, Trial, std_of
from tunesmith.types import Params

if TYPE_CHECKING:
    import numpy as np

MOST = 1e100
"""Larger numbers count as this one in statistics: their squares would not be numbers."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A complete trial with its place."""

    number: int
    params: Params
    origin: str
    rank: int
    """Rank by the first objective; equals share the better rank, as in ``rank_test_score``."""
    means: Mapping[str, float]
    stds: Mapping[str, float]
    scores: Mapping[str, tuple[float, ...]]
    """Fold scores by metric."""

    def error(self, metric: str) -> float:
        """Standard error of the mean over folds; NaN for a single fold."""
        return standard_error(self.scores[metric])


def standard_error(scores: "Sequence[float] | np.ndarray") -> float:
    """Standard error of the mean of fold scores; NaN for a single one.

    >>> standard_error([1, 3])
    1.0
    """
    n = len(scores)
    return std_of(scores, 1) / math.sqrt(n) if n > 1 else math.nan


def ranked(history: History, metrics: Sequence[Metric]) -> tuple[Ranked, ...]:
    """Complete trials that can win with their ranks, best first.

    Equals by the first metric are in the order of further metrics that decide, then of trials.
    Trials that violate a constraint on outcomes are not among them (``violating``).
    """
    metric = history.objectives[0]
    # Ties go to the earlier trial, so that a longer study does not change its winner.
    trials = sorted(
        history.admissible,
        key=lambda t: (*(-m.sign * t.mean(m.name) for m in history.objectives), t.number),
    )
    ranking: list[Ranked] = []
    for place, trial in enumerate(trials, start=1):
        ties = ranking and ranking[-1].means[metric.name] == trial.mean(metric.name)
        ranking.append(as_ranked(trial, ranking[-1].rank if ties else place, metrics))
    return tuple(ranking)


def as_ranked(trial: Trial, rank: int, metrics: Sequence[Metric]) -> Ranked:
    """Return a complete trial with a rank."""
    return Ranked(
        number=trial.number,
        params=trial.params,
        origin=trial.origin,
        rank=rank,
        means={m.name: trial.mean(m.name) for m in metrics},
        stds={m.name: trial.std(m.name) for m in metrics},
        scores={m.name: tuple(trial.fold_scores(m.name)) for m in metrics},
    )


def gains_of(ranking: Sequence[Ranked], metric: Metric) -> "np.ndarray":
    """``(n_trials, n_folds)`` scores, turned so that larger is better, and bounded by ``MOST``."""
    import numpy as np

    scores = [trial.scores[metric.name] for trial in ranking]
    gains: np.ndarray = np.clip(metric.sign * np.array(scores, dtype=float), -MOST, MOST)
    # An array of no rows would have one dimension, and callers ask for the number of folds.
    return gains if ranking else np.empty((0, 0))


def running_best(scores: Sequence[float], metric: Metric) -> list[float]:
    """The best score up to each trial."""
    bests, best = [], math.nan
    for score in scores:
        # Written with `not`, because a comparison with NaN, the first best, is always false.
        if math.isfinite(score) and not metric.sign * score <= metric.sign * best:
            best = score
        bests.append(best)
    return bests
