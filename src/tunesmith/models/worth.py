"""Worth of a choice that was made on the folds, estimated by folds that had no part in it.

Whoever chooses by scores and reports the same scores flatters the choice. So the choice is made
again without each fold, and is scored on the fold that was left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.models.greedy import Blends, Counts

N_DRAWS = 2_000
SHARE = 0.9
"""Share of the draws that the interval covers."""
LEAST_ERRORS = 0.25
"""Standard errors that a corrected gain has to exceed. Chosen on half of the data sets of
``benchmarks/ensembles``: on the other half, 9 % of the studies that use the ensemble only then are
worse than the default, and 12 % if any gain above 0 is enough."""
Choice = Callable[[Sequence[int]], Counts]
"""Chooses a blend by some folds."""


@dataclass(frozen=True)
class Worth:
    """Scores of a choice, by the metric that decides."""

    chosen: float
    """Mean score of the choice on the folds that chose it: it flatters."""
    corrected: float
    """Mean score on folds that were left out of the choice."""
    by_fold: tuple[float, ...]
    """The corrected scores, by fold."""

    def gain_over(self, other: "Worth", sign: int = 1) -> float:
        """Corrected improvement over another choice; positive is better.

        Args:
            other: on the same folds.
            sign: +1 if larger scores are better, -1 if smaller ones are.
        """
        return sign * (self.corrected - other.corrected)

    def is_better_than(self, other: "Worth", sign: int = 1) -> bool:
        """Tell whether the corrected gain is enough to prefer this choice, with two folds or more.

        This is no test of significance, which would nearly always say no after five folds.
        """
        gains = sign * (np.array(self.by_fold) - np.array(other.by_fold))
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        return bool(gains.mean() > LEAST_ERRORS * error)

    def interval_over(self, other: "Worth", sign: int = 1) -> tuple[float, float]:
        """Interval of that improvement by the bootstrap over folds, of 90 %.

        Folds share training rows, so that the interval is too narrow if anything.
        """
        gains = sign * (np.array(self.by_fold) - np.array(other.by_fold))
        rng = np.random.default_rng(0)
        means = gains[rng.integers(len(gains), size=(N_DRAWS, len(gains)))].mean(axis=1)
        low, high = np.quantile(means, [(1 - SHARE) / 2, (1 + SHARE) / 2])
        return float(low), float(high)


def worth(blends: Blends, choose: Choice) -> Worth:
    """Estimate the worth of a way to choose.

    Args:
        blends: of the candidates.
        choose: makes the choice from some of the folds.
    """
    folds = list(range(blends.n_folds))
    chosen = float(blends.scores(choose(folds)).mean())
    if len(folds) == 1:
        return Worth(chosen, float("nan"), (float("nan"),))
    # The whole choice is repeated, weights and number of members included.
    outside = tuple(
        float(blends.scores(choose([one for one in folds if one != fold]))[fold]) for fold in folds
    )
    return Worth(chosen, float(np.mean(outside)), outside)


def best_alone(blends: Blends) -> Choice:
    """Return the choice of the best single candidate."""

    def choose(folds: Sequence[int]) -> Counts:
        alone = [blends.alone(place) for place in range(len(blends.candidates))]
        return max(alone, key=lambda counts: blends.gain(counts, folds))

    return choose


def always(counts: Counts) -> Choice:
    """Return the choice that looks at no score."""
    return lambda _folds: counts
