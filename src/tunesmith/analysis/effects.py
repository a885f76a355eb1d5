"""Expected scores by value of each parameter, estimated by a model of the trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.analysis.importance import Importance
from tunesmith.analysis.numbers import is_number
from tunesmith.analysis.ranking import MOST, Ranked
from tunesmith.analysis.statistics.effects import Effects, ParameterColumn
from tunesmith.history import Metric
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.space.parameter import canonical_json

MIN_TRIALS = 8
MAX_PARAMETERS = 20
MAX_LEVELS = 20


@dataclass(frozen=True)
class Marginal:
    """Expected score by value of one parameter, the others as they were in the trials."""

    values: tuple[Any, ...]
    """The parameter's values, all of which were tried."""
    expected: tuple[float, ...]
    errors: tuple[float, ...]
    """Standard errors of ``expected``."""


def marginals(
    ranking: Sequence[Ranked], space: RecordedSpace, metric: Metric, importance: Importance
) -> dict[str, Marginal]:
    """Estimate the trends of all parameters that vary.

    Args:
        ranking: complete trials; fewer than 8 give no trends.
        space: of the study.
        metric: the first objective.
        importance: gives the order of the parameters; beyond 20 parameters no trends are drawn.
    """
    trials = sorted(ranking, key=lambda trial: trial.number)
    scores = np.clip([trial.means[metric.name] for trial in trials], -MOST, MOST)
    names = _by_importance(trials, importance)
    every = {name: _column(name, trials, log=space.is_log(name)) for name in names}
    columns = {n: c for n, c in every.items() if _varies(c[0])}
    if len(trials) < MIN_TRIALS or not columns or np.ptp(scores) == 0:
        return {}
    effects = Effects([column for column, _ in columns.values()], scores)
    return {name: _marginal(effects, name, columns[name][1]) for name in columns}


def _by_importance(trials: Sequence[Ranked], importance: Importance) -> list[str]:
    known = {name: place for place, (name, _) in enumerate(importance.shares)}
    names = {name for trial in trials for name in trial.params}
    ordered = sorted(names, key=lambda name: (known.get(name, len(known)), name))
    return ordered[:MAX_PARAMETERS]


def _column(
    name: str, trials: Sequence[Ranked], *, log: bool
) -> tuple[ParameterColumn, dict[float, Any]]:
    """Values as numbers, and the value that each number stands for."""
    given: dict[int, Any] = {
        row: trial.params[name] for row, trial in enumerate(trials) if name in trial.params
    }
    # One value that is no number, such as `null` or `auto`, has no place on a scale.
    is_category = not all(map(is_number, given.values()))
    if is_category:
        # Lists and mappings cannot be keys of a dictionary; their JSON texts can.
        texts = {row: canonical_json(value) for row, value in given.items()}
        levels = {text: code for code, text in enumerate(sorted(set(texts.values())))}
        numbers = np.array([levels[text] for text in texts.values()], dtype=float)
    else:
        numbers = _scaled(list(given.values()), log=log)
    codes = np.full(len(trials), np.nan)
    codes[list(given)] = numbers
    return ParameterColumn(name, codes, is_category), dict(
        zip(numbers.tolist(), given.values(), strict=True)
    )


def _scaled(values: Sequence[float], *, log: bool) -> np.ndarray:
    """From 0, the smallest, to 1, the largest: trees keep thresholds with few digits."""
    numbers = np.clip(np.array(values, dtype=float), -MOST, MOST)
    # A parameter may be logarithmic in one box of the space and have the value 0 in another.
    if log and numbers.min() > 0:
        numbers = np.log(numbers)
    low, high = numbers.min(), numbers.max()
    scaled: np.ndarray = (numbers - low) / (high - low if high > low else 1.0)
    return scaled


def _varies(column: ParameterColumn) -> bool:
    n_levels = len(np.unique(column.codes[np.isfinite(column.codes)]))
    # Each level of a category becomes a column of the forest's table; free text would widen it
    # without limit.
    return n_levels > 1 and (n_levels <= MAX_LEVELS or not column.is_category)


def _marginal(effects: Effects, name: str, meaning: Mapping[float, Any]) -> Marginal:
    trend = effects.trend(name)
    return Marginal(
        # The points are the columns' own 64-bit codes, so that an exact look-up finds them.
        tuple(meaning[float(point)] for point in trend.points),
        tuple(trend.expected.tolist()),
        tuple(trend.error.tolist()),
    )
