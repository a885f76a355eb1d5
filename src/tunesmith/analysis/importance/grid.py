"""Analysis of variance of a complete grid: its trials are all points of the space.

The variance over the grid splits exactly into main effects and interactions (Fisher). Measured
means hold noise, too: trials are measured on folds, and what trial and fold effects leave tells
how much. Each term of the split is therefore drawn from what its sum of squares allows, given the
noise: effects within a term are taken as draws of one normal distribution of unknown variance
(random effects: Searle, Casella & McCulloch, Variance Components, 1992, chapter 9), which may be 0.
So a term as large as noise alone would be is drawn near 0, and a term far above the noise as it was
measured. How many terms are there is learnt from all of one order: a grid of eight parameters has
247 interactions, and each of them alone could be a little more than noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np

from tunesmith.analysis.importance.claims import Draws, most_important
from tunesmith.analysis.statistics.noise import residuals
from tunesmith.space import Categorical, Float, Int, Parameter, SearchSpace
from tunesmith.types import Params

MOST_PARAMETERS = 8
"""A split has two to this power terms."""
N_DRAWS = 1000
N_STEPS = 20
RATIOS = np.append(0.0, np.logspace(-1, 5, 40))
"""Variances of the effects of a term, as multiples of that of the noise."""
N_TOP = 4
"""Parameters of which every pair is looked at."""
ALPHA = 0.05
"""Probability of finding any difference between points although there is none."""


@dataclass(frozen=True, eq=False)
class CompleteGrid:
    """A measured table.

    Args:
        names: parameters that vary, one per axis.
        table: ``(n_levels, …, n_folds)`` scores.
    """

    names: tuple[str, ...]
    table: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Mean score of each point, centred."""
        means = self.table.mean(axis=-1)
        return np.asarray(means - means.mean())

    @property
    def residual(self) -> tuple[float, int] | None:
        """Variance of the noise of a mean, and its degrees of freedom; ``None`` if unknown."""
        flat = self.table.reshape(-1, self.table.shape[-1])
        n, k = flat.shape
        if k < 2:
            return None
        freedom = (n - 1) * (k - 1)
        return float((residuals(flat) ** 2).sum() / freedom / k), freedom

    @property
    def differs(self) -> bool:
        """True if the points differ by more than the noise of the folds (F-test, 5 %)."""
        between = float((self.cells**2).sum()) / (self.cells.size - 1)
        if self.residual is None:
            return between > 0
        noise, freedom = self.residual
        # Equal scores differ in their last bits.
        if between <= 1e-24 * float(np.square(self.table).mean()):
            return False
        from scipy.stats import f

        return noise == 0 or bool(f.sf(between / noise, self.cells.size - 1, freedom) < ALPHA)

    def terms(self) -> dict[frozenset[int], float]:
        """Variance of each main effect and interaction, by the axes that take part."""
        axes = range(self.cells.ndim)
        every = [frozenset(c) for r in axes for c in combinations(axes, r + 1)]
        closed: dict[frozenset[int], float] = {}
        parts: dict[frozenset[int], float] = {}
        for term in every:
            others = tuple(axis for axis in axes if axis not in term)
            closed[term] = float((self.cells.mean(axis=others) ** 2).mean())
            inner = (p for p in every if p < term)
            # Rounding can make a variance slightly negative.
            parts[term] = max(closed[term] - sum(parts[p] for p in inner), 0.0)
        return parts

    def draws(self, rng: np.random.Generator) -> Draws:
        """Draw the variances of all terms, and add them up by parameter."""
        parts, levels = self.terms(), self.cells.shape
        freedom = {term: prod(levels[axis] - 1 for axis in term) for term in parts}
        noise = self._noise(parts, freedom, rng)
        n = self.cells.size
        chances = self._chances(parts, freedom, float(np.median(noise)))
        drawn = {
            t: _drawn(n * parts[t], freedom[t], noise, chances[len(t)], rng) / n for t in parts
        }
        axis = {name: number for number, name in enumerate(self.names)}
        single = {
            name: sum((v for t, v in drawn.items() if axis[name] in t), np.zeros(N_DRAWS))
            for name in self.names
        }
        pairs = {
            (a, b): sum((v for t, v in drawn.items() if {axis[a], axis[b]} <= t), np.zeros(N_DRAWS))
            for a, b in combinations(most_important(single, N_TOP), 2)
        }
        return Draws(sum(drawn.values(), np.zeros(N_DRAWS)), single, pairs)

    def _chances(
        self, parts: dict[frozenset[int], float], freedom: dict[frozenset[int], int], noise: float
    ) -> dict[int, float]:
        """Prior probability that a term of an order is there."""
        orders = range(1, self.cells.ndim + 1)
        if noise <= 0:
            return dict.fromkeys(orders, 0.5)
        sums = {term: self.cells.size * part for term, part in parts.items()}
        of_order = {r: [(sums[t], freedom[t]) for t in parts if len(t) == r] for r in orders}
        return {order: _chance(terms, noise) for order, terms in of_order.items()}

    def _noise(
        self,
        parts: dict[frozenset[int], float],
        freedom: dict[frozenset[int], int],
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the variance of the noise of a mean."""
        if self.residual is not None:
            variance, n = self.residual
            return np.asarray(variance * n / rng.chisquare(n, N_DRAWS))
        # Of a single fold, all or nothing of the highest interaction may be noise.
        last = max(parts, key=len)
        sums = self.cells.size * parts[last]
        return np.asarray(rng.random(N_DRAWS) * sums / rng.chisquare(freedom[last], N_DRAWS))


def _evidence(sums: float, freedom: int, noise: np.ndarray) -> np.ndarray:
    """Density of a measured sum of squares at each ratio, ``(n, n_ratios)``, up to a factor."""
    variance = noise[:, None] * (1.0 + RATIOS)
    logs = -0.5 * (freedom * np.log(variance) + sums / variance)
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _drawn(
    sums: float, freedom: int, noise: np.ndarray, chance: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the true sum of squares of a term, ``(n,)``.

    Args:
        sums: the measured one.
        freedom: number of its contrasts.
        noise: ``(n,)`` variance of the noise of a contrast.
        chance: prior probability that the term is there at all.
        rng: for everything.
    """
    clean = noise <= 1e-8 * sums / freedom
    safe = np.where(clean, max(sums, 1e-300), noise)
    weights = _evidence(sums, freedom, safe) * _prior(chance)
    below = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    ratio = RATIOS[(below < rng.random(len(noise))[:, None]).sum(axis=1)]
    kept = ratio / (1.0 + ratio)
    drawn = kept * safe * rng.noncentral_chisquare(freedom, kept * sums / safe)
    return np.asarray(np.where(clean, sums, drawn))


def _prior(chance: float) -> np.ndarray:
    """Prior of the ratios, ``(n_ratios,)``: none, or any order of magnitude."""
    return np.append(1.0 - chance, np.full(len(RATIOS) - 1, chance / (len(RATIOS) - 1)))


def _chance(terms: Sequence[tuple[float, int]], noise: float) -> float:
    """Part of some terms that is there at all, by expectation maximisation.

    Args:
        terms: sum of squares and number of contrasts of each.
        noise: variance of the noise of a contrast.
    """
    chance = 0.5
    densities = [_evidence(*term, np.array([noise]))[0] for term in terms]
    for _ in range(N_STEPS):
        prior = _prior(chance)
        there = [1.0 - (d[0] * prior[0]) / (d @ prior) for d in densities]
        # As if four terms more were there and one was not: measured, a few terms that are hidden
        # by noise were else taken for none, and errors were too small.
        chance = (sum(there) + 4.0) / (len(there) + 5.0)
    return chance


def complete_grid(
    space: SearchSpace, points: Sequence[Params], scores: Sequence[np.ndarray]
) -> CompleteGrid | None:
    """Arrange the trials as a table if they are all points of the space, in equal numbers.

    Args:
        space: one box without conditions and constraints, or there is no table.
        points: canonical params.
        scores: fold scores of each, all of one number of folds.
    """
    box = space.boxes[0]
    if len(space.boxes) > 1 or any(box.conditions.values()) or space.constraints:
        return None
    axes = {name: p for name, p in sorted(box.parameters.items()) if p.n_levels != 1}
    if not 2 <= len(axes) <= MOST_PARAMETERS or not all(map(_is_even, axes.values())):
        return None
    shape = tuple(p.n_levels or 0 for p in axes.values())
    if prod(shape) > len(points) or len({len(row) for row in scores}) != 1:
        return None
    sums = np.zeros((*shape, len(scores[0])))
    counts = np.zeros(shape)
    for point, row in zip(points, scores, strict=True):
        cell = tuple(p.index(point[name]) for name, p in axes.items())
        sums[cell] += row
        counts[cell] += 1
    if counts.min() != counts.max():
        return None
    return CompleteGrid(tuple(axes), sums / counts[..., None])


def _is_even(parameter: Parameter) -> bool:
    """Tell whether the space draws each value of a parameter with the same probability."""
    if isinstance(parameter, Categorical):
        return True
    if isinstance(parameter, Int | Float):
        return parameter.n_levels is not None and not parameter.log
    return False
