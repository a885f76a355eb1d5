"""Proposal of points that the history does not contain; the one place that avoids repeats.

Points that the history contains are drawn again. If that keeps failing in a finite space, its
numbered points are walked through in a random order until enough new ones are found. So exhaustion
is detected exactly, and a suggestion gets slow only if hardly a point is left.
"""

import math
from collections.abc import Callable, Container, Iterator
from itertools import islice

from numpy.random import Generator

from tunesmith.errors import UsageError
from tunesmith.history import History
from tunesmith.space import Grid, SearchSpace
from tunesmith.space.grid import endless_parameters
from tunesmith.types import Params, Value

TRIES = 100
WALK_LIMIT = 1_000_000
"""Numbers of a finite space that are tried before it counts as exhausted."""
DRAW_LIMIT = 10_000
"""Random points of an endless space that are tried before it counts as exhausted."""


def unseen(
    propose: Callable[[], Params | None],
    space: SearchSpace,
    history: History,
    n: int,
    rng: Generator,
    *,
    tries: int = TRIES,
) -> list[Params]:
    """Find up to ``n`` different points that the history does not contain.

    Args:
        propose: draws a point; may repeat itself, may return ``None`` when it has no more.
        space: searched for what is left, once drawing keeps failing.
        history: points to avoid, finished and running.
        n: at least 1.
        rng: for what is left.
        tries: draws per point before that.

    Returns:
        Fewer than ``n`` points only when the space is exhausted.

    Raises:
        UsageError: the constraints leave practically nothing of an endless space.
    """
    points: dict[str, Params] = {}
    for _ in range(tries * n):
        params = propose()
        if params is None:
            break
        key = space.key(params)
        # `params_at`, from which proposals may come, does not look at constraints.
        if is_new(key, history, points) and space.allows(params):
            points[key] = params
        if len(points) == n:
            return list(points.values())
    for params in _others(space, rng):
        key = space.key(params)
        # `_others` has checked the constraints already.
        if is_new(key, history, points):
            points[key] = params
        if len(points) == n:
            break
    return list(points.values())


def is_new(key: str, history: History, taken: Container[str]) -> bool:
    """True if neither the history nor this call contains the point."""
    return key not in taken and not history.has(key)


def sampled(space: SearchSpace, rng: Generator) -> Params | None:
    """Draw a random point; ``None`` if the constraints leave next to nothing."""
    try:
        return space.sample(rng)
    except ValueError:
        return None


def _others(space: SearchSpace, rng: Generator) -> Iterator[Params]:
    """Yield all points of a finite space in random order; many of an endless one."""
    if endless_parameters(space):
        yield from _random_points(space, rng)
        return
    grid = Grid(space)
    for number in islice(_shuffled(grid.n_numbers, rng), WALK_LIMIT):
        params = grid.point(number)
        if params is not None:
            yield params


def _random_points(space: SearchSpace, rng: Generator) -> Iterator[Params]:
    for _ in range(DRAW_LIMIT):
        params = sampled(space, rng)
        if params is None:
            raise UsageError("space: no random point meets the constraints; loosen them")
        yield params


def _shuffled(n: int, rng: Generator) -> Iterator[int]:
    """Yield the numbers below ``n`` in a random order, without storing them.

    Steps of a size that shares no factor with ``n`` come past every number once.
    """
    number, step = _below(n, rng), 1 + _below(n, rng)
    while math.gcd(step, n) > 1:
        step += 1
    for _ in range(min(n, WALK_LIMIT)):
        yield number
        number = (number + step) % n


def _below(n: int, rng: Generator) -> int:
    """Draw a random number below ``n``, which may exceed 64 bits."""
    # Eight bytes more than needed, so that the remainder hardly favours small numbers.
    return int.from_bytes(rng.bytes(n.bit_length() // 8 + 8), "little") % n


def params_at(space: SearchSpace, units: list[float]) -> dict[str, Value]:
    """Point of a space at coordinates of the unit cube.

    Args:
        space: of several boxes, the first coordinate picks one.
        units: ``n_units(space)`` numbers in [0, 1).

    Returns:
        Canonical params, which may break a constraint.
    """
    boxes = space.boxes
    if len(boxes) > 1:
        box, rest = boxes[int(units[0] * len(boxes))], units[1:]
    else:
        box, rest = boxes[0], units
    # Not strict: the box with most parameters sets the number of coordinates.
    return dict(sorted(box.point(dict(zip(box.order, rest, strict=False))).items()))


def n_units(space: SearchSpace) -> int:
    """Number of coordinates that ``params_at`` reads."""
    return max(len(box.order) for box in space) + (len(space.boxes) > 1)
