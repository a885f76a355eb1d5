"""A Gaussian process with a Matérn 5/2 kernel and one scale per parameter, in NumPy and SciPy.

Points are rows of features. Every parameter owns a group of columns: one for a number, one per
choice for a category (each ``1/sqrt(2)`` or 0, so that two different choices are at squared
distance 1, the Hamming distance). The squared distance of two points is the sum over the groups
of ``weight * squared distance within the group``, with ``weight = 1 / length_scale**2``.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize

ROOT5 = math.sqrt(5.0)
JITTER = 1e-8
MAX_ITERATIONS = 40
MOST_FROM_AFAR = 125
"""Number of points up to which a fit starts from afar; more are first thinned out."""
LARGE_NOISE = 0.25
"""Noise variance from which the fit starts a second time; all values together have 1."""


@dataclass(frozen=True)
class Priors:
    """Normal priors of the logarithms: (mean, standard deviation)."""

    weight: tuple[float, float] = (0.5, 2.0)
    signal: tuple[float, float] = (0.0, 0.7)
    # Measured: about 1e-4, scores with a quarter of noise were taken for a rough function, and the
    # mean's correlation with the truth was .75 instead of .90.
    noise: tuple[float, float] = (math.log(1e-2), 2.0)

    def stacked(self, n_groups: int) -> np.ndarray:
        """``(2, n_groups + 2)`` means and standard deviations."""
        return np.array([*[self.weight] * n_groups, self.signal, self.noise]).T


@dataclass(frozen=True)
class Hyperparameters:
    """Parameters of the kernel: ``(n_groups,)`` weights, signal and noise variance."""

    weights: np.ndarray
    signal: float
    noise: float

    @classmethod
    def from_logs(cls, logs: np.ndarray) -> "Hyperparameters":
        """From ``(n_groups + 2,)`` logarithms."""
        values = np.exp(logs)
        return cls(values[:-2], float(values[-2]), float(values[-1]))

    @property
    def logs(self) -> np.ndarray:
        """``(n_groups + 2,)`` logarithms."""
        return np.log([*self.weights, self.signal, self.noise])


@dataclass(frozen=True)
class GaussianProcess:
    """A posterior over functions, given values at some points.

    Args:
        features: ``(n, m)``.
        values: ``(n,)``, standardised.
        groups: ``(m,)`` the group of each feature, from 0.
        hyper: kernel parameters.
    """

    features: np.ndarray
    values: np.ndarray
    groups: np.ndarray
    hyper: Hyperparameters

    @cached_property
    def _scaled(self) -> np.ndarray:
        return self._scale(self.features)

    def _scale(self, features: np.ndarray) -> np.ndarray:
        return features * np.sqrt(self.hyper.weights)[self.groups]

    @cached_property
    def factor(self) -> np.ndarray:
        """Lower Cholesky factor of the covariance of the observations."""
        covariance = self.hyper.signal * matern(squared_distances(self._scaled, self._scaled))
        # Without jitter, equal points would make the matrix singular.
        covariance[np.diag_indices_from(covariance)] += self.hyper.noise + JITTER
        return cholesky(covariance, lower=True, check_finite=False)

    @cached_property
    def _solution(self) -> np.ndarray:
        return cho_solve((self.factor, True), self.values, check_finite=False)

    def mean(self, features: np.ndarray) -> np.ndarray:
        """Expected values, ``(k,)``, at ``(k, m)`` points."""
        return self._covariance(features) @ self._solution

    def posterior(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations, ``(k,)``, at ``(k, m)`` points, noise excluded."""
        covariance = self._covariance(features)
        half = solve_triangular(self.factor, covariance.T, lower=True, check_finite=False)
        variance = self.hyper.signal - np.einsum("ij,ij->j", half, half)
        # Rounding can make a variance slightly negative.
        return covariance @ self._solution, np.sqrt(np.maximum(variance, 1e-12))

    def joint(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means, ``(k,)``, and covariances, ``(k, k)``, at ``(k, m)`` points, noise excluded."""
        half = self.explained(features)
        return self.mean(features), self.prior(features, features) - half.T @ half

    def prior(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Prior covariances, ``(k, l)``, of points ``(k, m)`` and ``(l, m)``, noise excluded."""
        squared = squared_distances(self._scale(left), self._scale(right))
        return self.hyper.signal * matern(squared)

    def explained(self, features: np.ndarray) -> np.ndarray:
        """Matrix ``E``, ``(n, k)``: ``E.T @ E`` is what the observations take off the prior."""
        covariance = self._covariance(features).T
        half: np.ndarray = solve_triangular(self.factor, covariance, lower=True)
        return half

    def believing(self, features: np.ndarray) -> "GaussianProcess":
        """Return this process as if the expected values had been observed at ``(k, m)`` points.

        The kriging believer (Ginsbourger et al. 2010): means stay, and the uncertainty there
        vanishes.
        """
        return GaussianProcess(
            np.vstack([self.features, features]),
            np.concatenate([self.values, self.mean(features)]),
            self.groups,
            self.hyper,
        )

    def _covariance(self, features: np.ndarray) -> np.ndarray:
        squared = squared_distances(self._scale(features), self._scaled)
        return self.hyper.signal * matern(squared)


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Squared distances, ``(len(left), len(right))``, never negative."""
    distances = -2.0 * left @ right.T
    distances += (left * left).sum(axis=1)[:, None]
    distances += (right * right).sum(axis=1)
    # Rounding can make the distance of a point to itself slightly negative.
    return np.maximum(distances, 0.0, out=distances)


def matern(squared: np.ndarray) -> np.ndarray:
    """Matérn 5/2 correlations at squared distances."""
    # In place, since a suggestion asks for thousands of points: temporaries cost more than sums.
    scaled = np.sqrt(squared)
    scaled *= ROOT5
    polynomial = scaled * scaled
    polynomial /= 3.0
    polynomial += 1.0 + scaled
    np.negative(scaled, out=scaled)
    polynomial *= np.exp(scaled, out=scaled)
    return polynomial


def matern_and_slope(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``matern``, and its derivative by the squared distance."""
    # Together, since roots and exponentials are most of the cost of a fit.
    scaled = ROOT5 * np.sqrt(squared)
    decay = np.exp(-scaled)
    rising = 1.0 + scaled
    return (rising + scaled * scaled / 3.0) * decay, -(5.0 / 6.0) * rising * decay


def fit(
    features: np.ndarray,
    values: np.ndarray,
    groups: np.ndarray,
    priors: Priors | None = None,
    near: Hyperparameters | None = None,
) -> Hyperparameters:
    """Find the kernel parameters of the largest posterior density (MAP), by L-BFGS.

    The search starts from the prior means, and once more from a large noise: scores can be
    explained by a rough function as well as by a smooth one with noise, and a search often ends at
    the explanation that it began with. With many points it starts from the optimum for an even part
    of them, since each of its steps takes time by the cube of their number.

    The logarithms of the parameters are rounded to 3 digits, so that the last bits of a matrix
    library do not decide which point is suggested.

    Args:
        features: ``(n, m)``.
        values: ``(n,)``, standardised.
        groups: ``(m,)`` the group of each feature, from 0.
        priors: of the parameters.
        near: parameters of nearly the same observations, from which alone the search then starts.
    """
    priors = priors or Priors()
    if near is None and len(values) > MOST_FROM_AFAR:
        part = slice(None, None, -(-len(values) // MOST_FROM_AFAR))
        near = fit(features[part], values[part], groups, priors)
    loss = LogPosterior(features, values, groups, priors)
    means, spreads = loss.prior
    low, high = means - 4 * spreads, means + 4 * spreads
    many = [means, np.append(means[:-1], math.log(LARGE_NOISE))]
    starts = many if near is None else [near.logs]
    optimum = [_optimum(loss, np.clip(start, low, high), low, high) for start in starts]
    best = min(optimum, key=lambda one: round(float(one.fun), 3))
    return Hyperparameters.from_logs(np.round(best.x, 3))


def _optimum(loss: "LogPosterior", start: np.ndarray, low: np.ndarray, high: np.ndarray) -> Any:
    return minimize(
        loss.negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": MAX_ITERATIONS, "ftol": 1e-7, "gtol": 1e-4},
    )


class LogPosterior:
    """Log density of kernel parameters given observations, with its gradient."""

    def __init__(
        self,
        features: np.ndarray,
        values: np.ndarray,
        groups: np.ndarray,
        priors: Priors,
    ) -> None:
        self.values = values
        self.prior = priors.stacked(int(groups.max()) + 1)
        n = len(values)
        self._rows, self._columns = np.tril_indices(n, -1)
        # One flat index is faster than a pair of them. LAPACK's matrices are stored by columns;
        # any other order would be copied at each step.
        self._below = self._rows + n * self._columns
        self._distances = self._pair_distances(features, groups)

    def _pair_distances(self, features: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Squared distances within each group, ``(n_pairs, n_groups)``."""
        # Computed once: each evaluation of the density needs only their weighted sum.
        distances = np.zeros((int(groups.max()) + 1, len(self._rows)))
        for column, group in zip(features.T, groups, strict=True):
            distances[group] += (column[self._rows] - column[self._columns]) ** 2
        return distances

    def negative(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log density at ``(n_groups + 2,)`` logarithms, and its gradient."""
        hyper = Hyperparameters.from_logs(logs)
        squared = hyper.weights @ self._distances
        pairs, pair_slopes = matern_and_slope(squared)
        # LAPACK itself: SciPy's functions around it take longer than its work on 20 points.
        factor, info = dpotrf(self._matrix(pairs, hyper), lower=1, clean=0, overwrite_a=1)
        if info:
            raise LinAlgError(f"the covariance is not positive definite (dpotrf: {info})")
        solution, _ = dpotrs(factor, self.values, lower=1)
        loss = 0.5 * self.values @ solution + np.log(np.diagonal(factor)).sum()
        gradient = self._gradient(hyper, pairs, pair_slopes, factor, solution)
        off = (logs - self.prior[0]) / self.prior[1]
        return float(loss + 0.5 * off @ off), gradient + off / self.prior[1]

    def _matrix(self, pairs: np.ndarray, hyper: Hyperparameters) -> np.ndarray:
        """Covariances by columns; only the lower half."""
        n = len(self.values)
        matrix = np.zeros(n * n)
        matrix[self._below] = hyper.signal * pairs
        matrix[:: n + 1] = hyper.signal + hyper.noise + JITTER
        return matrix.reshape(n, n, order="F")

    def _gradient(
        self,
        hyper: Hyperparameters,
        pairs: np.ndarray,
        pair_slopes: np.ndarray,
        factor: np.ndarray,
        solution: np.ndarray,
    ) -> np.ndarray:
        """Gradient by the logarithms: half the trace of (K^-1 - a a^T) dK."""
        # From the factor, which is cheaper than inverting the matrix; only the lower half is
        # needed.
        inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
        trace = np.diagonal(inverse).sum() - solution @ solution
        difference = inverse.ravel(order="F")[self._below]
        difference -= solution[self._rows] * solution[self._columns]
        slopes = difference * pair_slopes
        by_weight = hyper.signal * hyper.weights * (self._distances @ slopes)
        by_signal = hyper.signal * (difference @ pairs + 0.5 * trace)
        return np.array([*by_weight, by_signal, 0.5 * hyper.noise * trace])
