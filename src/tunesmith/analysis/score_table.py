"""Scores of a study as a table: ties, choices by every rule, selection bias, comparisons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.analysis.choice.preference import Order, Preference
from tunesmith.analysis.choice.simplicity import complexity_of_ranking
from tunesmith.analysis.ranking import (
    Ranked,
    gains_of,
    keys_of,
    means_of,
    numbers_of,
    taken,
)
from tunesmith.analysis.statistics.gate import Verdict, weigh
from tunesmith.analysis.statistics.leakage import perfect_score
from tunesmith.analysis.statistics.optimism import corrected
from tunesmith.analysis.statistics.ties import ALPHA, near_best, pick, ties, within_one_se
from tunesmith.history import Metric
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

USUAL_MARGIN = "10%"
"""Margin of ``selection: simplest`` and ``fastest``: a share of the gain of the search."""


@dataclass(frozen=True)
class Ties:
    """Trials that the folds do not distinguish from the best."""

    numbers: tuple[int, ...] = ()
    """Trial numbers in the order of their ranks; empty if nothing is known."""
    alpha: float = ALPHA
    """Probability that the truly best trial is not among them."""
    reason: str = ""
    """Reason for which nothing is known."""


@dataclass(frozen=True)
class Optimism:
    """Selection bias of the chosen trial's score, which was picked among many."""

    score: float
    """Corrected mean of the first objective."""
    bias: float
    """Uncorrected mean minus ``score``; positive."""
    low: float
    high: float
    """Ends of the 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class ReferenceComparison:
    """The chosen trial against a reference on the same folds."""

    name: str
    """``current`` or ``defaults``."""
    reference: Ranked
    gain: float
    """Mean over folds of chosen minus reference, positive if the chosen one is better."""
    error: float
    """Its standard error, corrected for overlapping training sets; NaN with a single fold."""
    low: float
    high: float
    """Ends of the interval of the gain, each with probability 0.95, corrected for the choice
    among all trials."""
    verdict: Verdict

    @property
    def is_clear(self) -> bool:
        """True if the gain is more than chance and large enough."""
        return self.verdict == "adopt"


@dataclass(frozen=True, eq=False)
class RuleChoice:
    """RuleChoice of a trial by one rule."""

    row: int
    among: np.ndarray
    """``(n_trials,)`` booleans: trials that the rule may take."""
    cost: np.ndarray
    """``(n_trials,)``: of those, the one with the smallest is taken."""

    @property
    def order(self) -> np.ndarray:
        """Rows that the rule may take, those that it prefers first."""
        rows = np.flatnonzero(self.among)
        # Stable: rows are in the order of ranks.
        return rows[np.argsort(self.cost[rows], kind="stable")]


class ScoreTable:
    """The ranking as an array of gains, each point once, in the order of preference.

    Args:
        ranking: complete trials, best first; at least one.
        metrics: that decide, the most important one first.
        ratio: test rows per training row of a fold.
        preference: trade-off between several metrics.
    """

    def __init__(
        self,
        ranking: Sequence[Ranked],
        metrics: Sequence[Metric],
        ratio: float,
        preference: Preference = Preference(),  # noqa: B008 - frozen
    ) -> None:
        first: dict[Any, int] = {}
        # The same parameters twice would count as two comparisons, and tie with themselves.
        # Of metrics that do not repeat, such as times, each result is one of its own.
        own = [means_of(ranking, m.name) for m in metrics] if len(metrics) > 1 else []
        keys: Iterable[Any] = keys_of(ranking)
        for place, key in enumerate(zip(keys, *own, strict=True) if own else keys):
            first.setdefault(key, place)
        order = Order(taken(ranking, list(first.values())), metrics, preference)
        self.trials, self.gains, self.may_win = order.trials, order.gains, order.may_win
        self.rows: dict[str, int] = {}
        for row, key in enumerate(keys_of(self.trials)):
            self.rows.setdefault(key, row)
        self.metric, self.ratio = metrics[0], ratio
        self.tied = ties(self.gains, ratio)

    def ties(self) -> Ties:
        """Trials that the folds do not distinguish from the best."""
        if self.tied is None:
            return Ties(reason="of a single fold nothing is known")
        tied = zip(numbers_of(self.trials), self.tied, strict=True)
        return Ties(tuple(number for number, is_tied in tied if is_tied))

    def margin(self, within: float | str | None, references: Mapping[str, int]) -> float:
        """Return what a simpler or faster trial may lack, in the metric's own unit.

        Args:
            within: a number in this unit, or percent of the gain of the search; ``None`` for the
                usual margin.
            references: rows of the current parameters and of the estimator's defaults.
        """
        if isinstance(within, float):
            return within
        means = self.gains.mean(axis=1)
        rows = [references[name] for name in ("defaults", "current") if name in references]
        # The defaults first: they stay the same, while the current parameters change with every
        # study, so that the next one would undo what this one has simplified.
        base = means[rows[0]] if rows else np.median(means)
        share = float((within or USUAL_MARGIN).removesuffix("%")) / 100
        return share * max(float(means[0] - base), 0.0)

    def choices(self, times: Mapping[int, float], margin: float) -> dict[str, RuleChoice]:
        """Choices by ``selection``.

        Args:
            times: mean fit time by trial number.
            margin: what the simplest and the fastest trial may lack.
        """
        is_best = np.arange(len(self.trials)) == 0
        found = near_best(self.gains, self.ratio, margin)
        # Of a single fold nothing is known, so only the best is certain to be as good as the best.
        near = is_best if found is None else found
        cost = complexity_of_ranking(self.trials)
        clock = np.array([times.get(number, np.inf) for number in numbers_of(self.trials)])
        return {
            "best": RuleChoice(0, is_best, cost),
            "one_se": self._picked(within_one_se(self.gains), cost),
            "simplest": self._picked(near, cost),
            "fastest": self._picked(near, clock),
        }

    def _picked(self, among: np.ndarray, cost: np.ndarray) -> RuleChoice:
        rows = np.arange(len(self.trials))
        # Of several metrics, the winner is on the Pareto front; in any case the first may win.
        able = (among & self.may_win) | (rows == 0)
        return RuleChoice(pick(able, cost, rows), able, cost)

    def optimism(self, choice: RuleChoice) -> Optimism | None:
        """First metric of a chosen trial, corrected for selection bias, on its own scale."""
        gains = gains_of(self.trials, self.metric)
        corrected_score = corrected(gains, self.ratio, choice.row, choice.order)
        if corrected_score is None:
            return None
        limit = perfect_score(self.metric.name)
        # No score exceeds the metric's own maximum.
        high = corrected_score.high if limit is None else min(corrected_score.high, limit)
        # The sign of a metric that is minimized turns the interval around.
        sign = self.metric.sign
        bounds = sorted((sign * corrected_score.low, sign * high))
        return Optimism(sign * corrected_score.score, corrected_score.bias, bounds[0], bounds[1])

    def compared(self, name: str, chosen: int, reference: int, least: float) -> ReferenceComparison:
        """Compare one row with another."""
        # All trials are passed, not only these two: the test is corrected for the choice among
        # them.
        weighed = weigh(self.gains, chosen, reference, self.ratio, least)
        trial = self.trials[reference]
        return ReferenceComparison(
            name=name,
            reference=trial,
            gain=weighed.gain,
            error=weighed.error,
            low=weighed.low,
            high=weighed.high,
            verdict=weighed.verdict,
        )


def key_of(params: Params) -> str:
    """Text by which equal params are known."""
    return canonical_json(dict(params))
