"""Complete trials in the order of their scores."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from tunesmith.history import History, Metric, Trial, mean_of, std_of
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

if TYPE_CHECKING:
    import numpy as np

    from tunesmith.ledger.columns import TrialColumns

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
    # Columns of large histories lack them: no decision of so many trials looks at them.
    parts: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Parts of the rows in the fold scores of the first metric, as the ledger has them."""

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
        parts=tuple(fold.parts for fold in trial.folds),
    )


def gains_of(ranking: Sequence[Ranked], metric: Metric) -> "np.ndarray":
    """``(n_trials, n_folds)`` scores, turned so that larger is better, and bounded by ``MOST``."""
    import numpy as np

    if isinstance(ranking, RankedColumns):
        bounded: np.ndarray = np.clip(metric.sign * ranking.table(metric.name), -MOST, MOST)
        return bounded
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


class RankedColumns(Sequence[Ranked]):
    """A ranking of so many trials that each is made only when it is asked for.

    Args:
        columns: the trials, all complete ones of as many folds.
        metrics: what was recorded.
        numbers: of the ranked trials, best first.
        ranks: of each.
    """

    def __init__(
        self,
        columns: "TrialColumns",
        metrics: Sequence[Metric],
        numbers: "np.ndarray",
        ranks: "np.ndarray",
    ) -> None:
        self.columns, self.metrics, self.numbers, self.ranks = columns, metrics, numbers, ranks

    @classmethod
    def of(
        cls, columns: "TrialColumns", objectives: Sequence[Metric], metrics: Sequence[Metric]
    ) -> "RankedColumns":
        """Rank the complete trials, as ``ranked`` does."""
        import numpy as np

        complete = columns.complete
        losses = [-metric.sign * columns.means(metric.name)[complete] for metric in objectives]
        # `lexsort` sorts by its last key first; it is stable, so equals stay in trial order.
        order = np.lexsort(losses[::-1])
        first = losses[0][order]
        is_new = np.append(True, first[1:] != first[:-1])[: len(order)]
        ranks = np.maximum.accumulate(np.where(is_new, np.arange(1, len(order) + 1), 0))
        return cls(columns, metrics, complete[order], ranks)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Ranked: ...
    @overload
    def __getitem__(self, index: slice) -> list[Ranked]: ...
    def __getitem__(self, index: int | slice) -> Ranked | list[Ranked]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        number = int(self.numbers[index])
        columns, n = self.columns, int(self.columns.n_folds[number])
        rows = {m.name: columns.scores[m.name][number, :n].tolist() for m in self.metrics}
        return Ranked(
            number=number,
            params=json.loads(columns.params[number]),
            origin=columns.origins[number],
            rank=int(self.ranks[index]),
            means={name: mean_of(row) for name, row in rows.items()},
            stds={name: std_of(row) for name, row in rows.items()},
            scores={name: tuple(row) for name, row in rows.items()},
        )

    def take(self, places: "Sequence[int] | np.ndarray") -> "RankedColumns":
        """Return some of the trials, in this order."""
        rows = list(places)
        return RankedColumns(self.columns, self.metrics, self.numbers[rows], self.ranks[rows])

    def table(self, metric: str) -> "np.ndarray":
        """``(n_trials, n_folds)`` scores."""
        n = int(self.columns.n_folds[self.numbers[0]]) if len(self) else 0
        table: np.ndarray = self.columns.scores[metric][self.numbers, :n]
        return table


def taken(ranking: Sequence[Ranked], places: "Sequence[int] | np.ndarray") -> Sequence[Ranked]:
    """Return some trials of a ranking, in this order."""
    if isinstance(ranking, RankedColumns):
        return ranking.take(places)
    return [ranking[place] for place in places]


def numbers_of(ranking: Sequence[Ranked]) -> list[int]:
    """Trial numbers, in order."""
    if isinstance(ranking, RankedColumns):
        numbers: list[int] = ranking.numbers.tolist()
        return numbers
    return [trial.number for trial in ranking]


def means_of(ranking: Sequence[Ranked], metric: str) -> list[float]:
    """Mean scores, in order."""
    if isinstance(ranking, RankedColumns):
        means: list[float] = ranking.columns.means(metric)[ranking.numbers].tolist()
        return means
    return [trial.means[metric] for trial in ranking]


def keys_of(ranking: Sequence[Ranked]) -> list[str]:
    """Texts by which equal params are known, in order."""
    if isinstance(ranking, RankedColumns):
        return [ranking.columns.params[number] for number in ranking.numbers.tolist()]
    return [canonical_json(dict(trial.params)) for trial in ranking]


def find_ranked(ranking: Sequence[Ranked], number: int | None) -> Ranked | None:
    """Return the trial with a number; ``None`` if it is not ranked."""
    if isinstance(ranking, RankedColumns):
        places = (ranking.numbers == number).nonzero()[0].tolist() if number is not None else []
        return ranking[places[0]] if places else None
    return next((trial for trial in ranking if trial.number == number), None)


def first_from(ranking: Sequence[Ranked], origin: str) -> Params | None:
    """Params of the first trial of an origin; ``None`` without one."""
    if isinstance(ranking, RankedColumns):
        origins = ranking.columns.origins
        able = (i for i, n in enumerate(ranking.numbers.tolist()) if origins[n] == origin)
        return next((ranking[place].params for place in able), None)
    return next((trial.params for trial in ranking if trial.origin == origin), None)
