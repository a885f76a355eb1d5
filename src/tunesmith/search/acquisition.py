"""Acquisition function of Bayesian search, and the search for its largest values."""

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from scipy.special import erfcx, log1p, ndtr

from tunesmith.search.coordinates import Coordinates

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
HALF_LOG_HALF_PI = 0.5 * math.log(math.pi / 2)

N_RANDOM = 1500
N_NEAR = 800
N_ROUNDS = 12
N_ELITE = 10
N_CHILDREN = 10

Score = Callable[[np.ndarray], np.ndarray]


def log_expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """The logarithm of the expected improvement over ``best``, exact far into the tail.

    Plain expected improvement is exactly 0 over most of a space, while its logarithm still has a
    slope (Ament et al. 2023, "Unexpected improvements to expected improvement").
    """
    return _log_h((mean - best) / deviation) + np.log(deviation)


def _log_h(z: np.ndarray) -> np.ndarray:
    """``log(pdf(z) + z * cdf(z))`` of the normal distribution."""
    value = np.empty_like(z)
    # Each branch gets its own points only: all three for all points take three times as long.
    is_near, is_far = z > -1.0, z <= -1e6
    near, far, middle = z[is_near], z[is_far], z[~(is_near | is_far)]
    value[is_near] = np.log(np.exp(-0.5 * near * near - HALF_LOG_2PI) + near * ndtr(near))
    value[is_far] = -0.5 * far * far - HALF_LOG_2PI - 2 * np.log(-far)
    log_ratio = np.log(erfcx(-middle / math.sqrt(2)) * -middle) + HALF_LOG_HALF_PI
    tail = -0.5 * middle * middle - HALF_LOG_2PI + _log1mexp(log_ratio)
    value[~(is_near | is_far)] = tail
    return value


def _log1mexp(x: np.ndarray) -> np.ndarray:
    """``log(1 - exp(x))`` for negative ``x``."""
    x = np.minimum(x, -1e-300)
    return np.where(x > -math.log(2), np.log(-np.expm1(x)), log1p(-np.exp(x)))


def most_promising(
    coordinates: Coordinates, score: Score, best_rows: np.ndarray, rng: Generator
) -> np.ndarray:
    """Search the candidates for the next trial, best first.

    An evolutionary local search starts from random points and mutations of the best known ones. Its
    steps are drawn, not computed from slopes, so integers, choices and conditions need no special
    treatment, and rounding errors cannot grow into other points.

    Args:
        coordinates: of the space.
        score: of ``(k, n_axes)`` rows, larger is better.
        best_rows: ``(b, n_axes)`` the best points known, at least one.
        rng: for everything.

    Returns:
        ``(k, n_axes)`` points that meet the constraints, possibly none; some may be known.
    """
    parents = best_rows[rng.integers(len(best_rows), size=N_NEAR)]
    steps = 10.0 ** rng.uniform(-2.5, -0.5, size=(N_NEAR, 1))
    near = coordinates.mutated(parents, steps, rng)
    rows = _allowed(coordinates, np.vstack([coordinates.random(N_RANDOM, rng), near]))
    if not len(rows):
        return rows
    rows, scores = _ranked(rows, score(rows))
    all_rows, all_scores = [rows], [scores]
    # Sorting all points in each round would take longer than scoring the new ones.
    rows, scores = rows[:N_ELITE], scores[:N_ELITE]
    for number in range(N_ROUNDS):
        parents = np.repeat(rows, N_CHILDREN, axis=0)
        # Steps shrink: the first rounds find the region, the last ones the peak.
        steps = 10.0 ** rng.uniform(-1.0, -0.5, size=(len(parents), 1)) * 0.7**number
        children = _allowed(coordinates, coordinates.mutated(parents, steps, rng))
        if len(children):
            all_rows.append(children)
            all_scores.append(score(children))
            rows, scores = _ranked(
                np.vstack([rows, children]), np.concatenate([scores, all_scores[-1]])
            )
            rows, scores = rows[:N_ELITE], scores[:N_ELITE]
    return _ranked(np.vstack(all_rows), np.concatenate(all_scores))[0]


def _allowed(coordinates: Coordinates, rows: np.ndarray) -> np.ndarray:
    return rows[coordinates.allowed(rows)]


def _ranked(rows: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort by falling score; scores that agree to 9 digits count as equal and keep their order."""
    order = np.argsort(-np.round(scores, 9), kind="stable")
    return rows[order], scores[order]
