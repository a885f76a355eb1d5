"""Complexity of candidates, to choose the simplest of several equally good ones."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np

from tunesmith.analysis.ranking import Ranked, RankedColumns

GROWS = frozenset(
    {
        "C",
        "colsample_bytree",
        "degree",
        "depth",
        "epochs",
        "gamma",
        "hidden_layer_sizes",
        "iterations",
        "k",
        "leaves",
        "max_bins",
        "max_depth",
        "max_features",
        "max_iter",
        "max_leaf_nodes",
        "max_leaves",
        "n_clusters",
        "n_components",
        "n_epochs",
        "n_estimators",
        "n_features_to_select",
        "n_iter",
        "n_knots",
        "num_boost_round",
        "num_iterations",
        "num_leaves",
        "num_trees",
        "rounds",
    }
)
"""Parameters whose larger values make a model more flexible or larger."""
SHRINKS = frozenset(
    {
        "alpha",
        "ccp_alpha",
        "l1_ratio",
        "l2_leaf_reg",
        "l2_regularization",
        "lambda_l1",
        "lambda_l2",
        "min_child_samples",
        "min_child_weight",
        "min_data_in_leaf",
        "min_impurity_decrease",
        "min_samples_leaf",
        "min_samples_split",
        "min_split_gain",
        "min_weight_fraction_leaf",
        "n_neighbors",
        "reg_alpha",
        "reg_lambda",
        "var_smoothing",
        "weight_decay",
    }
)
"""Parameters whose larger values make it simpler or smoother."""


def complexity(candidates: Iterable[Mapping[str, Any]]) -> np.ndarray:
    """``(n_candidates,)`` from 0 (simplest) to 1, compared with each other.

    It is the mean, over the parameters that are known to make models larger or smaller, of the rank
    of a candidate's value among all values tried. ``None`` counts as no limit. Other parameters do
    not count.

    >>> complexity([{"max_depth": 3, "x": 1}, {"max_depth": None, "x": 0}]).tolist()
    [0.0, 1.0]
    """
    columns: dict[str, list[float | None]] = {}
    signs: dict[str, int] = {}
    n = 0
    for n, params in enumerate(candidates, start=1):
        for name, value in params.items():
            if name not in signs:
                signs[name] = _sign(name)
            if sign := signs[name]:
                sizes = columns.setdefault(name, [])
                # Those without the parameter are simplest.
                sizes += [-inf] * (n - 1 - len(sizes))
                sizes.append(_size(value, sign))
    for sizes in columns.values():
        sizes += [-inf] * (n - len(sizes))
    return _mean_place(columns, n)


def complexity_of_ranking(ranking: Sequence[Ranked]) -> np.ndarray:
    """Return the same for the trials of a ranking, in its order."""
    if not isinstance(ranking, RankedColumns):
        return complexity(trial.params for trial in ranking)
    # Late, because of the database behind it, which a search in memory does not need.
    from tunesmith.ledger.columns import MISSING

    numbers: list[int] = ranking.numbers.tolist()
    columns: dict[str, list[float | None]] = {}
    for name, values in ranking.columns.values.items():
        if sign := _sign(name):
            own = [values[number] for number in numbers]
            if any(value is not MISSING for value in own):
                columns[name] = [-inf if v is MISSING else _size(v, sign) for v in own]
    return _mean_place(columns, len(numbers))


def _mean_place(columns: Mapping[str, Sequence[float | None]], n: int) -> np.ndarray:
    places = (_places(columns[name]) for name in sorted(columns))
    known = [place for place in places if place is not None]
    return np.mean(known, axis=0) if known else np.zeros(n)


def _sign(name: str) -> int:
    """Direction in which a parameter makes models more complex; 0 if it is not known to."""
    short = name.rpartition("__")[2]
    return 1 if short in GROWS else -1 if short in SHRINKS else 0


def _places(sizes: Sequence[float | None]) -> np.ndarray | None:
    """Rank of each size among all; ``None`` if one is not known."""
    if None in sizes:
        return None
    # Ranks can be averaged over parameters; the values cannot, since their scales differ.
    levels, places = np.unique(np.array(sizes, dtype=float), return_inverse=True)
    ranks: np.ndarray = places / max(len(levels) - 1, 1)
    return ranks


def _size(value: Any, sign: int) -> float | None:
    """A value on a scale that grows with complexity; ``None`` if it is no number."""
    # Hundreds of thousands of values are plain numbers.
    if type(value) is float or type(value) is int:
        return sign * value
    if value is None:
        return inf
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return None
    return sign * float(value)
