"""Shares of the variance over a space, from functions that can be evaluated anywhere.

A parameter's variance is that of the score if it alone varies, on average over the others: the
total effect of Homma & Saltelli (1996), by Jansen's estimator (1999). A parameter on which others
depend is looked at with these averaged out, so that what happens within a branch belongs to the
parameters of the branch. The interaction of two parameters is their superset importance (Liu &
Owen, 2006): all that neither does without the other.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Protocol

import numpy as np

from tunesmith.analysis.importance.claims import Draws, most_important
from tunesmith.analysis.importance.measure import Measure
from tunesmith.system.portable.versions import sobol

N_EVALUATED = 4096
"""Points at which functions are evaluated, about."""
LEAST, MOST = 64, 1024
"""Base points, powers of two."""
ROUNDS = 8
"""Times as many points are drawn before a space counts as too sparse."""
N_TOP = 3
"""Parameters of which every pair is looked at."""
N_PARTS = 8
"""Parts of the base points whose disagreement is the error of the sum."""


class Functions(Protocol):
    """Functions that the trials allow."""

    def at(self, points: np.ndarray) -> np.ndarray:
        """Values of all functions at ``(k, m)`` features: ``(n_functions, k)``."""


class SparseSpaceError(ValueError):
    """Constraints leave too few points of a space."""


@dataclass(frozen=True, eq=False)
class Design:
    """Points of a space, and what they become if some parameters are drawn anew."""

    measure: Measure
    rng: np.random.Generator
    _redrawn: dict[frozenset[str], np.ndarray] = field(default_factory=dict)

    @cached_property
    def n(self) -> int:
        """Number of base points."""
        wanted = N_EVALUATED / (len(self.measure.names) + 1)
        return int(np.clip(2 ** round(np.log2(wanted)), LEAST, MOST))

    @cached_property
    def _pool(self) -> tuple[np.ndarray, np.ndarray]:
        """Base points, and the units that they take if they are drawn anew."""
        width = self.measure.n_units
        sequence = sobol(2 * width, self.rng)
        found = np.empty((0, 2 * width))
        for _ in range(ROUNDS):
            drawn = sequence.random(self.n)
            found = np.vstack([found, drawn[self.measure.allowed(drawn[:, :width])]])
            if len(found) >= self.n:
                break
        if len(found) < LEAST:
            raise SparseSpaceError
        found = found[: self.n]
        return found[:, :width], found[:, width:]

    @property
    def base(self) -> np.ndarray:
        """Units of the base points."""
        return self._pool[0]

    def redrawn(self, names: frozenset[str]) -> np.ndarray:
        """Units with those of some names drawn anew, given the others."""
        if not names:
            return self.base
        if names not in self._redrawn:
            moved = self.measure.redrawn(self.base, self._pool[1], names, self.rng)
            self._redrawn[names] = moved
        return self._redrawn[names]

    def both(self, first: frozenset[str], second: frozenset[str]) -> np.ndarray:
        """Units with two groups as each was drawn anew alone."""
        moved = self.redrawn(first).copy()
        columns = self.measure.columns(second)
        moved[:, columns] = self.redrawn(second)[:, columns]
        return moved


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Variances of all functions over a space."""

    measure: Measure
    functions: Functions
    rng: np.random.Generator

    @cached_property
    def design(self) -> Design:
        """The points."""
        return Design(self.measure, self.rng)

    @cached_property
    def _known(self) -> dict[frozenset[str], np.ndarray]:
        """``(n_functions, n)`` values after some parameters were drawn anew."""
        return {frozenset(): self._values(self.design.base)}

    def _values(self, units: np.ndarray) -> np.ndarray:
        rows = self.measure.rows(units)
        return self.functions.at(self.measure.coordinates.features(rows))

    def _after(self, names: frozenset[str]) -> np.ndarray:
        if names not in self._known:
            self._known[names] = self._values(self.design.redrawn(names))
        return self._known[names]

    def draws(self) -> Draws:
        """Total variance, and that of each parameter and of the pairs of the largest.

        Raises:
            SparseSpaceError: constraints leave too few points.
        """
        single = {name: self._single(name) for name in self.measure.names}
        total = np.hstack(list(self._known.values())).var(axis=1)
        means = {name: np.maximum(v.mean(axis=1), 0.0) for name, v in single.items()}
        wobble = {name: _wobble(v, total) for name, v in single.items()}
        pairs = {}
        for first, second in combinations(most_important(means, N_TOP), 2):
            if (strength := self._pair(first, second)) is not None:
                pairs[first, second] = strength
        return Draws(total, means, pairs, wobble)

    def _single(self, name: str) -> np.ndarray:
        """``(n_functions, n)`` contributions to a parameter's variance."""
        inner = self.measure.dependents(name)
        # By the law of total variance: what depends on it is averaged out.
        return np.asarray(self._changes(frozenset({name}) | inner) - self._changes(inner))

    def _changes(self, names: frozenset[str]) -> np.ndarray:
        """``(n_functions, n)`` half the squared changes after some names were drawn anew."""
        return np.asarray(0.5 * (self._after(frozenset()) - self._after(names)) ** 2)

    def _pair(self, first: str, second: str) -> np.ndarray | None:
        """``(n_functions,)`` variance of an interaction; ``None`` if one depends on the other."""
        inner = [self.measure.dependents(name) for name in (first, second)]
        if second in inner[0] or first in inner[1] or not self._meet(first, second):
            return None
        one, two = frozenset({first}) | inner[0], frozenset({second}) | inner[1]
        found = self._joint(one, two)
        # Without what the parameters that depend on them do with the other one.
        found -= self._joint(inner[0], two) + self._joint(one, inner[1])
        found += self._joint(inner[0], inner[1])
        return np.asarray(np.maximum(found, 0.0))

    def _meet(self, first: str, second: str) -> bool:
        """Tell whether two parameters are ever active in one point."""
        active = self.measure.active(self.design.base)
        return bool((active[first] & active[second]).any())

    def _joint(self, one: frozenset[str], two: frozenset[str]) -> np.ndarray:
        """``(n_functions,)`` superset importance of two groups."""
        if not one or not two or one & two:
            return np.zeros(len(self._after(frozenset())))
        units = self.design.both(one, two)
        mixed = self._after(frozenset()) - self._after(one) - self._after(two) + self._values(units)
        # A point of the four may not exist.
        return np.asarray(0.25 * (mixed[:, self.measure.allowed(units)] ** 2).mean(axis=1))


def _wobble(contributions: np.ndarray, total: np.ndarray) -> float:
    """Standard error of a share: parts of the base points disagree."""
    scale = np.where(total > 0, total, 1.0)[:, None]
    parts = np.array_split(contributions / scale, N_PARTS, axis=1)
    means = [float(part.mean()) for part in parts]
    return float(np.std(means, ddof=1) / np.sqrt(N_PARTS))
