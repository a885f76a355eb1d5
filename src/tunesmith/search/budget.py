"""Budgets: how far each trial may go, decided by completed trials only.

Successive halving (Jamieson & Talwalkar 2016) in the asynchronous form of Li et al. (2020), in
which a trial is promoted as soon as it is among the best 1/factor of those with the same budget;
Hyperband (Li et al. 2018) as brackets of it; and the median rule (Golovin et al. 2017). The
decision depends on completed trials, in their order, which makes the asynchronous form repeatable.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Rule = Literal["hyperband", "halving", "median"]
KEPT_SHARE = 0.2
"""Share of a study's budget that is kept for its end, to finish the best trials under way."""
MEDIAN_SHARE = 2
MEDIAN_STARTUP = 5
"""Number of trials from which on their median means something."""


@dataclass(frozen=True)
class Budgets:
    """The budgets of a study, and the rule of promotion to the next larger one."""

    min: int
    max: int
    factor: int = 3
    rule: Rule = "hyperband"

    @cached_property
    def ladder(self) -> tuple[int, ...]:
        """All budgets, smallest first; the last one is ``max``.

        >>> Budgets(1, 81).ladder
        (1, 3, 9, 27, 81)
        """
        # From the top downwards, so that the last budget is exactly `max`.
        budgets = [self.max]
        while (smaller := math.ceil(budgets[-1] / self.factor)) >= self.min and smaller < budgets[
            -1
        ]:
            budgets.append(smaller)
        return tuple(reversed(budgets))

    @property
    def share(self) -> int:
        """Share of promoted trials: one in ``share``."""
        return MEDIAN_SHARE if self.rule == "median" else self.factor

    @property
    def n_least(self) -> int:
        """Number of trials with the same budget before any is promoted or pruned."""
        return MEDIAN_STARTUP if self.rule == "median" else self.factor

    @cached_property
    def brackets(self) -> tuple[int, ...]:
        """Trials that each bracket begins with, in proportion; bracket b begins at ladder[b].

        >>> Budgets(1, 81).brackets
        (81, 34, 15, 8, 5)
        """
        n = len(self.ladder)
        if self.rule != "hyperband":
            return (1,)
        top = n - 1
        return tuple(math.ceil(n / (s + 1) * self.factor**s) for s in range(top, -1, -1))

    def bracket_of(self, index: int) -> int:
        """Bracket of the new trial with number ``index``; promoted trials are not counted.

        Brackets fill up at the same time, each in proportion: the one that lags most is next.
        """
        counts, total = [0] * len(self.brackets), sum(self.brackets)
        if len(counts) == 1:
            return 0
        chosen = 0
        # The pattern repeats after one full set of brackets.
        for number in range(index % total + 1):
            lags = [
                size * (number + 1) / total - n
                for size, n in zip(self.brackets, counts, strict=True)
            ]
            chosen = lags.index(max(lags))
            counts[chosen] += 1
        return chosen

    def n_going_on(self, n_completed: int) -> int:
        """Number of trials, out of ``n``, that are promoted.

        >>> [Budgets(1, 9).n_going_on(n) for n in (2, 3, 8, 9)]
        [0, 1, 2, 3]
        """
        return n_completed // self.share if n_completed >= self.n_least else 0

    def mean_budget(self) -> float:
        """Budget of a trial on average, promoted ones counted, in a long study.

        >>> round(Budgets(1, 27, rule="halving").mean_budget(), 2)
        2.7
        """
        n = cost = 0.0
        for first, n_begin in enumerate(self.brackets):
            for step, budget in enumerate(self.ladder[first:]):
                n_at = n_begin / self.share**step
                n, cost = n + n_at, cost + n_at * budget
        return cost / n

    def n_kept(self, n_trials: int) -> int:
        """Number of last trials that are kept for the full budget, at least 1.

        They take about ``KEPT_SHARE`` of the sum of all budgets.

        >>> [Budgets(1, 27, rule="halving").n_kept(n) for n in (1, 24, 200)]
        [1, 1, 4]
        """
        mean = self.mean_budget()
        of_one = self.max * (1 - KEPT_SHARE) + mean * KEPT_SHARE
        return max(1, int(KEPT_SHARE * n_trials * mean / of_one))

    def threshold(self, gains: Sequence[float]) -> float:
        """Pruning threshold: the least gain to continue, given the gains of other trials.

        >>> Budgets(1, 9).threshold([0.1, 0.5, 0.3])
        0.5
        """
        n = self.n_going_on(len(gains))
        return sorted(gains, reverse=True)[n - 1] if n else -math.inf
