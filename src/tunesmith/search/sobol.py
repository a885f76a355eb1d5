"""Quasi-random search: a scrambled Sobol sequence fills the space more evenly than chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from tunesmith.history import History
from tunesmith.search.unseen import n_units, params_at, unseen
from tunesmith.space import SearchSpace
from tunesmith.system.portable.versions import sobol
from tunesmith.types import Params

MAX_DIMENSIONS = 21_201
BLOCK = 256
"""Number of points made at a time: a power of two, which the balance of the sequence needs."""
MAX_BLOCKS = (1 << 30) // BLOCK


@dataclass(frozen=True)
class SobolSampler:
    """Scrambled Sobol points (Owen 1998); the study's seed fixes the scrambling."""

    looks_back: ClassVar[bool] = False

    seed: int = 0

    def blocker(self, space: SearchSpace) -> str | None:
        """Objection to more dimensions than the sequence has."""
        if n_units(space) > MAX_DIMENSIONS:
            return f"more than {MAX_DIMENSIONS - 1} parameters; use random search"
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Suggest the points of the sequence that follow the last trial's."""
        # The place in the sequence follows from the history alone, so that a resumed study goes on
        # as one that was never interrupted.
        points = sobol_points(space, self.seed, skip=len(history))
        return unseen(lambda: next(points, None), space, history, n, rng)


def sobol_points(space: SearchSpace, seed: int, skip: int = 0) -> Iterator[Params]:
    """Sobol points of a space from number ``skip`` on; some may break a constraint."""
    n_dimensions = n_units(space)
    for number in count(skip):
        block, offset = divmod(number, BLOCK)
        if block >= MAX_BLOCKS:
            return
        yield params_at(space, _block(n_dimensions, seed, block)[offset].tolist())


@lru_cache(maxsize=16)
def _block(n_dimensions: int, seed: int, block: int) -> np.ndarray:
    """Points of the sequence in [0, 1), ``(BLOCK, n_dimensions)``."""
    # 30 bits allow the 2^30 points to which MAX_BLOCKS holds the numbers.
    sequence = sobol(n_dimensions, seed, bits=30)
    if block:
        sequence.fast_forward(block * BLOCK)
    points: np.ndarray = sequence.random(BLOCK)
    # Cached: a change made by one caller would reach all the others.
    points.flags.writeable = False
    return points
