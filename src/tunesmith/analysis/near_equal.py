"""Groups of trials that are nearly the same point, so that lists hold different answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.analysis.ranking import Ranked
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.space.parameter import canonical_json

NEAR = 0.1 + 1e-9
"""Largest difference of a parameter, as a share of its range on the scale of the search; a tenth,
but for rounding."""
LEAST_DISTINCT = 3
"""Different fold scores from which on two trials do not agree in all of them by chance."""
MAX_GROUPS = 200
"""Groups that are made; trials beyond them stand for themselves."""


def near_equal(ranking: Sequence[Ranked], space: RecordedSpace) -> dict[int, tuple[int, ...]]:
    """Group trials around the best of them.

    The best trial leads the first group; the best of those that are left leads the next, and so
    on. A trial belongs to a group if each of its parameters lies near the leader's. Values of lists
    and categories have to be the same, and so has the set of active parameters. A trial that scored
    the same in every fold and every metric, to the last digit, gave the same models: it belongs to
    the group as well.

    Args:
        ranking: complete trials, best first.
        space: the recorded space.

    Returns:
        Number of the leader -> numbers of the other trials of its group, best first.
    """
    if not ranking:
        return {}
    places, labels = _coordinates(ranking, space)
    scored = np.array([_repeated(trial) for trial in ranking], dtype=object)
    is_left = np.ones(len(ranking), dtype=bool)
    groups: dict[int, tuple[int, ...]] = {}
    for row, leader in enumerate(ranking):
        if not is_left[row]:
            continue
        is_left[row] = False
        members: np.ndarray = np.empty(0, dtype=int)
        if len(groups) < MAX_GROUPS:
            rest = np.flatnonzero(is_left)
            is_near = (np.abs(places[rest] - places[row]) <= NEAR).all(axis=1)
            is_near &= (labels[rest] == labels[row]).all(axis=1)
            members = rest[is_near | ((scored[rest] == scored[row]) & (scored[row] != ""))]
        is_left[members] = False
        groups[leader.number] = tuple(ranking[i].number for i in members)
    return groups


def _repeated(trial: Ranked) -> str:
    """Text of all fold scores; empty if they may agree by chance, as few or equal ones do."""
    distinct = {score for scores in trial.scores.values() for score in scores}
    return repr(sorted(trial.scores.items())) if len(distinct) >= LEAST_DISTINCT else ""


def n_groups(groups: Mapping[int, Sequence[int]], numbers: Sequence[int]) -> int:
    """Number of groups that hold any of some trials.

    >>> n_groups({4: (2,), 1: ()}, [2, 4])
    1
    """
    wanted = set(numbers)
    return sum(not wanted.isdisjoint((leader, *others)) for leader, others in groups.items())


def _coordinates(ranking: Sequence[Ranked], space: RecordedSpace) -> tuple[np.ndarray, np.ndarray]:
    """Return positions ``(n_trials, n_numbers)`` from 0 to 1, and ``(n_trials, n_params)`` labels.

    Two trials can be near only if all their labels are the same.
    """
    names = sorted({name for trial in ranking for name in trial.params})
    places, labels = [np.zeros(len(ranking))], [np.zeros(len(ranking), dtype=int)]
    for name in names:
        values = [trial.params.get(name) for trial in ranking]
        ends = _ends(name, space, values)
        if ends is None:
            texts = [
                canonical_json(trial.params[name]) if name in trial.params else ""
                for trial in ranking
            ]
            labels.append(np.unique(texts, return_inverse=True)[1])
            continue
        labels.append(np.array([int(value is not None) for value in values]))
        # Inactive ones are nowhere, and all in the same place.
        positions = np.array([ends[0] if value is None else value for value in values], dtype=float)
        places.append(_unit(positions, ends, space.is_log(name)))
    return np.column_stack(places), np.column_stack(labels)


def _ends(name: str, space: RecordedSpace, values: Sequence[Any]) -> tuple[float, float] | None:
    """Ends of the range of a parameter over all boxes; ``None`` if it is not searched as one."""
    found = [box[name].bounds for box in space.boxes if name in box]
    ends = [pair for pair in found if pair is not None]
    if not ends or len(ends) < len(found) or not all(map(_is_number_or_none, values)):
        return None
    return min(low for low, _ in ends), max(high for _, high in ends)


def _is_number_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _unit(values: np.ndarray, ends: tuple[float, float], is_log: bool) -> np.ndarray:
    low, high = ends
    if is_log and low > 0:
        values, low, high = np.log(np.clip(values, low, None)), np.log(low), np.log(high)
    unit: np.ndarray = (values - low) / ((high - low) or 1.0)
    return unit
