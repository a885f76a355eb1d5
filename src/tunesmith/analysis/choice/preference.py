"""Preference among several metrics: the trade-off that the chosen trial is the best by.

Every rule is a sum of metrics, one number for each trial and fold, so that statistics over folds
apply to it as they do to a metric.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tunesmith.analysis.ranking import MOST, Ranked, gains_of, means_of, taken
from tunesmith.config.model import PreferenceSection
from tunesmith.history import Metric, non_dominated
from tunesmith.ledger.recorded_study import RecordedPreference

if TYPE_CHECKING:  # the usual rule needs no arrays, and commands that read must start quickly
    import numpy as np

LEAST_RANGE = 1e-12
"""Metrics that differ less on the front, as a share of their size, count as equal there."""
Rule: TypeAlias = Literal["lexicographic", "weights", "knee"]


@dataclass(frozen=True)
class Preference:
    """Rule that chooses among trials of which none beats another in every metric."""

    rule: Rule = "lexicographic"
    weights: tuple[tuple[str, float], ...] = ()
    """(metric, weight per unit of the metric), if the rule is a weighted sum."""

    @classmethod
    def of(cls, section: PreferenceSection | RecordedPreference) -> "Preference":
        """Read the section of the configuration, present or recorded."""
        if section.weights:
            return cls("weights", tuple(section.weights.items()))
        return cls(section.rule)

    def factors(self, metrics: Sequence[Metric], front: "np.ndarray") -> "np.ndarray":
        """``(n_metrics,)``: factor of each metric's gains in the sum.

        Args:
            metrics: that decide, the most important one first.
            front: ``(n, n_metrics)`` means of the trials on the front, larger is better.
        """
        import numpy as np

        factors: np.ndarray = self._factors(metrics, front)
        first_alone: np.ndarray = np.eye(len(metrics))[0]
        # If all metrics are the same on the front, the first one still orders the other trials.
        return factors if factors.any() else first_alone

    def _factors(self, metrics: Sequence[Metric], front: "np.ndarray") -> "np.ndarray":
        import numpy as np

        if self.rule == "weights":
            by_name = dict(self.weights)
            return np.array([by_name.get(metric.name, 0.0) for metric in metrics])
        if self.rule == "knee":
            ranges, sizes = np.ptp(front, axis=0), np.abs(front).max(axis=0)
            # A metric that is the same all over the front decides nothing.
            differs = ranges > np.maximum(LEAST_RANGE * sizes, 1 / MOST)
            by_range: np.ndarray = np.divide(1.0, ranges, out=np.zeros_like(ranges), where=differs)
            return by_range
        return np.zeros(len(metrics))

    def sums(self, means: "np.ndarray", factors: "np.ndarray") -> "np.ndarray":
        """``(n,)``: the sum of each trial, by which the first one is the best.

        Args:
            means: ``(n, n_metrics)``, larger is better.
            factors: of the metrics.
        """
        if self.rule == "lexicographic":
            return means[:, 0]
        import numpy as np

        # The last digits of a sum say nothing, and would decide between the ends of a front.
        return np.array([float(f"{total:.12g}") for total in means @ factors])


class Order:
    """Trials in the order of a preference, and the Pareto front, which holds the winner.

    Args:
        trials: complete, at least one.
        metrics: that decide, the most important one first.
        preference: rule of the trade-off; one metric alone leaves no choice.
    """

    def __init__(
        self, trials: Sequence[Ranked], metrics: Sequence[Metric], preference: Preference
    ) -> None:
        import numpy as np

        signs = np.array([metric.sign for metric in metrics])
        means = signs * np.column_stack([means_of(trials, m.name) for m in metrics])
        means = np.clip(means, -MOST, MOST)
        is_on_front = non_dominated(means)
        factors = preference.factors(metrics, means[is_on_front])
        # `lexsort` sorts by its last key first: the front, the sum, then metric by metric.
        keys = (*(-means.T[::-1]), -preference.sums(means, factors), ~is_on_front)
        is_single = len(metrics) == 1
        rows = np.arange(len(trials)) if is_single else np.lexsort(keys)
        self.trials: Sequence[Ranked] = taken(trials, rows)
        """Trials on the front before all others, the preferred one first; equals as they came."""
        self.may_win: np.ndarray = is_on_front[rows] | is_single
        """``(n_trials,)`` booleans: true on the front; with one metric, a worse trial may be chosen
        for other reasons."""
        parts = [f * gains_of(self.trials, m) for f, m in zip(factors, metrics, strict=True)]
        self.gains: np.ndarray = np.sum(parts, axis=0)
        """``(n_trials, n_folds)`` of the sum, larger is better."""
