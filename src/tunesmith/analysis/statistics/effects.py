"""Effects of parameters on scores: predictions of a forest that was fitted to the trials.

Samplers look where scores are good, so that a mean over the trials near a value mixes the value's
effect with those of the others. A model separates them (Friedman, Greedy function approximation,
2001, section 8: partial dependence).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

N_FORESTS = 16
N_TREES = 4
MAX_TRIALS = 1000
MAX_POINTS = 11
N_BEHIND = 50
"""Trials over which an effect is averaged."""


@dataclass(frozen=True, eq=False)
class ParameterColumn:
    """One parameter's values in all trials."""

    name: str
    codes: np.ndarray
    """``(n_trials,)`` numbers on the scale that the parameter is searched on, or of categories; NaN
    if a trial lacks the parameter."""
    is_category: bool


@dataclass(frozen=True, eq=False)
class ModelTrend:
    """Expected scores by value of one parameter, all else being as in the trials."""

    points: np.ndarray
    """``(n_points,)`` codes, ascending."""
    expected: np.ndarray
    """``(n_points,)`` scores."""
    error: np.ndarray
    """``(n_points,)`` standard errors: how much it moves with the sample of trials."""


class Effects:
    """Forests on resampled trials; their disagreement is the error.

    Args:
        columns: parameters with at least two different values.
        scores: ``(n_trials,)``. Of more than 1,000 trials that many are taken, evenly.
        seed: of the resampling; the same trials give the same effects.
    """

    def __init__(
        self, columns: Sequence[ParameterColumn], scores: np.ndarray, seed: int = 0
    ) -> None:
        rows = _evenly(len(scores), MAX_TRIALS)
        self.columns = {column.name: column for column in columns}
        self._places: dict[str, slice] = {}
        blocks: list[np.ndarray] = []
        for column in columns:
            block = _encoded(column, column.codes[rows])
            start = sum(part.shape[1] for part in blocks)
            self._places[column.name] = slice(start, start + block.shape[1])
            blocks.append(block)
        # Trees of scikit-learn compare in 32 bits; a copy at each prediction would cost time.
        self._table = np.hstack(blocks).astype(np.float32)
        self._rows = rows
        self._forests = _forests(self._table, scores[rows], seed)

    def trend(self, name: str) -> ModelTrend:
        """The partial dependence on one parameter, over the trials that have it."""
        column = self.columns[name]
        points = _points(column)
        behind = self._behind([name])
        curves = self._averages([(name, points)], behind)
        return ModelTrend(points, curves.mean(axis=0), curves.std(axis=0, ddof=1))

    def _behind(self, names: Sequence[str]) -> np.ndarray:
        """Trials that have the parameters, evenly chosen."""
        codes = [self.columns[name].codes[self._rows] for name in names]
        having = np.flatnonzero(np.isfinite(codes).all(axis=0))
        chosen: np.ndarray = having[_evenly(len(having), N_BEHIND)]
        return chosen

    def _averages(self, given: Sequence[tuple[str, np.ndarray]], behind: np.ndarray) -> np.ndarray:
        """``(N_FORESTS, n_points)``: mean prediction with some parameters set to each point."""
        n_points = len(given[0][1])
        asked = np.repeat(self._table[behind][None], n_points, axis=0)
        for name, codes in given:
            block = _encoded(self.columns[name], codes).astype(np.float32)
            asked[:, :, self._places[name]] = block[:, None]
        flat = asked.reshape(-1, self._table.shape[1])
        trees = [
            # `tree_.predict` skips the checks of the input, which each tree would repeat.
            np.mean([tree.tree_.predict(flat)[:, 0] for tree in forest.estimators_], axis=0)
            for forest in self._forests
        ]
        averages: np.ndarray = np.reshape(trees, (len(trees), n_points, len(behind))).mean(axis=2)
        return averages


def _forests(table: np.ndarray, scores: np.ndarray, seed: int) -> list[Any]:
    from sklearn.ensemble import ExtraTreesRegressor

    rng = np.random.default_rng(seed)
    n, forests = len(scores), []
    for number in range(N_FORESTS):
        # Resampled here and not by `bootstrap`: all trees of a forest see one sample, so that the
        # forests differ as samples of trials do.
        drawn = rng.integers(n, size=n)
        # Leaves of two trials, so that a single noisy score makes no step of its own.
        forest = ExtraTreesRegressor(N_TREES, min_samples_leaf=2, random_state=number)
        forests.append(forest.fit(table[drawn], scores[drawn]))
    return forests


def _encoded(column: ParameterColumn, codes: np.ndarray) -> np.ndarray:
    """``(n, width)``: a number as it is, a category as one column a level."""
    if not column.is_category:
        # A NaN may stay, because scikit-learn's trees have a branch for missing values.
        return codes[:, None]
    levels = np.unique(column.codes[np.isfinite(column.codes)])
    return np.where(np.isfinite(codes)[:, None], codes[:, None] == levels, 0.0)


def _points(column: ParameterColumn) -> np.ndarray:
    """Values that occur, evenly by rank: nothing is claimed for values that no trial had."""
    distinct: np.ndarray = np.unique(column.codes[np.isfinite(column.codes)])
    return distinct if column.is_category else distinct[_evenly(len(distinct), MAX_POINTS)]


def _evenly(n: int, at_most: int) -> np.ndarray:
    if n <= at_most:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, at_most).round().astype(int))
