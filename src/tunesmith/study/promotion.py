"""Order in which trials with the same budget are promoted.

With one metric the best come first. With several, those come first that no other dominates, then
those that only the first ones dominate, and so on, as in NSGA-II (Deb et al. 2002): so that trials
with the full budget show the whole front, and not its one end.
"""

from collections.abc import Sequence

import numpy as np

from tunesmith.history import non_dominated

LARGEST = 1e150
"""Size beyond which gains count as equal."""


def promotion_order(gains: np.ndarray, weights: Sequence[float] = ()) -> list[int]:
    """Return the places of trials, the first to be promoted first.

    Within a front, the largest weighted sum comes first; without weights, the best trial of the
    first metric, the best ones of the others, and then those farthest from their neighbours.

    Args:
        gains: ``(n, n_metrics)``, larger is better; of equal trials the first one comes first.
        weights: of the metrics, if the preference of the study is a weighted sum.

    >>> promotion_order(np.array([[0.5], [0.9], [0.5]]))
    [1, 0, 2]
    >>> promotion_order(np.array([[0.9, 0.1], [0.8, 0.05], [0.1, 0.9], [0.5, 0.5]]))
    [0, 2, 3, 1]
    """
    # Differences of larger numbers would be infinite.
    gains = np.clip(gains, -LARGEST, LARGEST)
    numbers, ordered = front_numbers(gains), list[int]()
    for number in range(int(numbers.max(initial=-1)) + 1):
        places = np.flatnonzero(numbers == number)
        ordered += [int(place) for place in places[_within(gains[places], weights)]]
    return ordered


def front_numbers(gains: np.ndarray) -> np.ndarray:
    """``(n,)``: 0 for points that none dominates, 1 for those that only these dominate, …

    With one metric these are the ranks.

    >>> front_numbers(np.array([[0.9, 0.1], [0.8, 0.05], [0.1, 0.9]])).tolist()
    [0, 1, 0]
    """
    numbers = np.full(len(gains), -1)
    number = 0
    while len(left := np.flatnonzero(numbers < 0)):
        numbers[left[non_dominated(gains[left])]] = number
        number += 1
    return numbers


def _within(gains: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """``(n,)``: order of the points of a front."""
    first = -gains[:, 0]
    if len(weights):
        return np.lexsort((first, -(gains @ np.asarray(weights))))
    return np.lexsort((first, -_room(gains)))


def _room(gains: np.ndarray) -> np.ndarray:
    """``(n,)``: distance to the neighbours on a front, infinite at its ends."""
    room = np.zeros(len(gains))
    for metric in gains.T:
        extent = np.ptp(metric)
        # A metric that is the same all over the front has no ends.
        if extent == 0:
            continue
        order = np.argsort(-metric, kind="stable")
        room[order[1:-1]] += (metric[order[:-2]] - metric[order[2:]]) / extent
        room[(metric == metric.max()) | (metric == metric.min())] = np.inf
    return room
