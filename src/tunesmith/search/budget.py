"""Budgets: how far each trial may go, decided from what is told alone.

Successive halving (Jamieson & Talwalkar 2016) in the asynchronous form of Li et al. (2020), where
a trial goes on as soon as it is among the best 1/factor of those that have come as far; Hyperband
(Li et al. 2018) as brackets of it; and the median rule (Golovin et al. 2017). Deciding by told
trials, in their order, makes the asynchronous form repeatable.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Rule = Literal["hyperband", "halving", "median"]
MEDIAN_SHARE = 2
MEDIAN_STARTUP = 5
"""Fewer trials than this have no median worth the name."""


@dataclass(frozen=True)
class Budgets:
    """The budgets of a study, and who gets the next larger one."""

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
        found = [self.max]
        while (smaller := math.ceil(found[-1] / self.factor)) >= self.min and smaller < found[-1]:
            found.append(smaller)
        return tuple(reversed(found))

    @property
    def share(self) -> int:
        """One trial in so many goes on."""
        return MEDIAN_SHARE if self.rule == "median" else self.factor

    @property
    def n_least(self) -> int:
        """So many must have come as far before any goes on, or has to stop."""
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
        """The bracket of the trial that is proposed as number ``index`` (promotions not counted).

        Brackets fill up side by side, each in proportion: the one that lags most is next.
        """
        counts, total = [0] * len(self.brackets), sum(self.brackets)
        if len(counts) == 1:
            return 0
        chosen = 0
        for number in range(index % total + 1):
            lags = [
                size * (number + 1) / total - n
                for size, n in zip(self.brackets, counts, strict=True)
            ]
            chosen = lags.index(max(lags))
            counts[chosen] += 1
        return chosen

    def n_going_on(self, n_told: int) -> int:
        """How many of so many trials may have a larger budget.

        >>> [Budgets(1, 9).n_going_on(n) for n in (2, 3, 8, 9)]
        [0, 1, 2, 3]
        """
        return n_told // self.share if n_told >= self.n_least else 0

    def bound(self, gains: Sequence[float]) -> float:
        """The least gain with which a trial goes on where others had these.

        >>> Budgets(1, 9).bound([0.1, 0.5, 0.3])
        0.5
        """
        n = self.n_going_on(len(gains))
        return sorted(gains, reverse=True)[n - 1] if n else -math.inf
