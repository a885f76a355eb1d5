"""Scores by values of each parameter, as observed: values, bins, ends of ranges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.analysis import numbers
from tunesmith.analysis.numbers import is_number
from tunesmith.analysis.ranking import Ranked
from tunesmith.history import Metric
from tunesmith.ledger.recorded_study import RecordedParameter, RecordedSpace

MAX_BINS = 5
AT_END = 0.01
"""Share of a range next to its end within which a winner says that the range may be too narrow."""
LIMITS: dict[str, tuple[float, ...]] = {
    "C": (0,),
    "alpha": (0,),
    "bagging_fraction": (0, 1),
    "ccp_alpha": (0,),
    "colsample_bylevel": (0, 1),
    "colsample_bynode": (0, 1),
    "colsample_bytree": (0, 1),
    "degree": (1,),
    "dropout": (0, 1),
    "feature_fraction": (0, 1),
    "fraction": (0, 1),
    "gamma": (0,),
    "k": (1,),
    "l1_ratio": (0, 1),
    "l2_leaf_reg": (0,),
    "l2_regularization": (0,),
    "lambda_l1": (0,),
    "lambda_l2": (0,),
    "learning_rate": (0,),
    "max_depth": (1,),
    "max_features": (1.0,),
    "max_iter": (1,),
    "max_leaf_nodes": (2,),
    "max_samples": (1.0,),
    "min_child_samples": (1,),
    "min_child_weight": (0,),
    "min_data_in_leaf": (1,),
    "min_impurity_decrease": (0,),
    "min_samples_leaf": (1,),
    "min_samples_split": (2,),
    "min_split_gain": (0,),
    "min_weight_fraction_leaf": (0, 0.5),
    "momentum": (0, 1),
    "n_clusters": (1,),
    "n_components": (1,),
    "n_estimators": (1,),
    "n_neighbors": (1,),
    "p": (1,),
    "percentile": (0, 100),
    "quantile": (0, 1),
    "reg_alpha": (0,),
    "reg_lambda": (0,),
    "rsm": (0, 1),
    "subsample": (0, 1),
    "threshold": (0,),
    "tol": (0,),
    "weight_decay": (0,),
}
"""Values beyond which a parameter means nothing, by its name without those of steps before it."""


@dataclass(frozen=True)
class Edge:
    """A parameter whose winning value lies at the end of its range."""

    name: str
    value: float
    side: str
    """``low`` or ``high``."""
    end: float
    """The end itself; a continuous value is hardly ever exactly there."""


@dataclass(frozen=True)
class Level:
    """Trials that share a value, or a bin of values, of one parameter."""

    label: str
    n: int
    mean: float
    best: float


def trends(ranking: Sequence[Ranked], metric: Metric) -> dict[str, tuple[Level, ...]]:
    """Per parameter: mean and best score by value, or by bin of as many distinct values."""
    names = sorted({name for trial in ranking for name in trial.params})
    every = {name: _levels(name, ranking, metric) for name in names}
    return {name: levels for name, levels in every.items() if len(levels) > 1}


def _levels(name: str, ranking: Sequence[Ranked], metric: Metric) -> tuple[Level, ...]:
    with_it = [trial for trial in ranking if name in trial.params]
    values = [trial.params[name] for trial in with_it]
    # By `repr`: 1, 1.0 and `True` are one key to a dictionary, and lists cannot be keys.
    distinct = {repr(value): value for value in values}
    if len(distinct) <= MAX_BINS or not all(map(is_number, values)):
        groups: dict[str, list[Ranked]] = {text: [] for text in distinct}
        for trial in with_it:
            groups[repr(trial.params[name])].append(trial)
        ordered = sorted(groups, key=lambda text: _order(distinct[text]))
        return tuple(_level(_label([distinct[t]]), groups[t], metric) for t in ordered)
    levels = []
    # Parts of as many distinct values: on a logarithmic scale, equally wide bins would be empty.
    for part in np.array_split(sorted({_number(value) for value in values}), MAX_BINS):
        within = [t for t in with_it if part[0] <= _number(t.params[name]) <= part[-1]]
        # The values as they were given, because `part` holds floats, and integers should look like
        # it.
        bounds = sorted((trial.params[name] for trial in within), key=_number)
        levels.append(_level(_label([bounds[0], bounds[-1]]), within, metric))
    return tuple(levels)


def _level(label: str, trials: Sequence[Ranked], metric: Metric) -> Level:
    scores = [trial.means[metric.name] for trial in trials]
    best = max(scores) if metric.sign > 0 else min(scores)
    return Level(label, len(trials), float(np.mean(scores)), best)


def _label(values: Sequence[Any]) -> str:
    low, high = numbers.value(values[0]), numbers.value(values[-1])
    return low if low == high else f"{low} – {high}"


def _number(value: Any) -> float:
    return float(value)


def _order(value: Any) -> tuple[int, float, str]:
    # Python does not compare numbers with texts: numbers come first.
    return (0, float(value), "") if is_number(value) else (1, 0.0, str(value))


def edges(chosen: Ranked | None, space: RecordedSpace) -> tuple[Edge, ...]:
    """Find parameters whose winning value is at the end of its range, which may be too narrow.

    Within 1 % of the range, on its own scale, counts; of listed values, the first and the last
    alone. Ends that are the parameter's own limit (``LIMITS``) are not named: nothing lies beyond
    them.
    """
    if chosen is None:
        return ()
    # Other boxes may give a parameter another range.
    boxes = space.around(chosen.params)
    ends = [_edge(n, chosen.params.get(n), own) for box in boxes for n, own in box.items()]
    by_name = {edge.name: edge for edge in ends if edge is not None}
    return tuple(by_name[name] for name in sorted(by_name))


def _edge(name: str, value: Any, parameter: RecordedParameter) -> Edge | None:
    bounds = parameter.bounds or parameter.ends
    if bounds is None or not is_number(value) or bounds[0] == bounds[1]:
        return None
    place = _place(_number(value), bounds, is_log=parameter.is_log)
    end = bounds[place > 0.5]
    # Lists are mostly logarithmic: of 0.001, 0.01, …, 100, the middle is next to the first one.
    width = AT_END if parameter.bounds else 0.0
    # Starting points may lie outside of the space.
    if not 0 <= min(place, 1 - place) <= width or end in LIMITS.get(short_name(name), ()):
        return None
    return Edge(name, _number(value), "high" if place > 0.5 else "low", end)


def _place(value: float, bounds: tuple[float, float], *, is_log: bool) -> float:
    """Place of a value within its bounds, from 0 to 1."""
    low, high = bounds
    if is_log and min(low, value) > 0:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def short_name(name: str) -> str:
    """A parameter's name without those of the steps before it.

    >>> short_name("clf__max_depth"), short_name("tree.max_depth"), short_name("C")
    ('max_depth', 'max_depth', 'C')
    """
    return name.rpartition("__")[2].rpartition(".")[2]
