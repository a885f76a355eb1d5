"""Functions that the trials allow: draws from a Gaussian process over the whole space.

Bayesian search crowds trials near the best scores. A model is asked about the whole space instead,
and far from all trials its functions differ, which shows in the errors. The kernel's parameters are
not known either: each function has its own, drawn from their posterior (Laplace's approximation as
the proposal of importance sampling: Rue, Martino & Chopin, 2009). Functions are drawn by Matheron's
rule with random features (Wilson et al., Pathwise conditioning of Gaussian processes, JMLR 22,
2021; Rahimi & Recht, 2007), which costs little at thousands of points.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve

from tunesmith.search.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    LogPosterior,
    Priors,
    fit,
    matern,
    squared_distances,
)

N_KERNELS = 12
"""Draws of the kernel's parameters."""
N_FUNCTIONS = 8
"""Functions per kernel."""
N_PROPOSALS = 48
N_FREQUENCIES = 128
MAX_FITTED = 160
"""Trials to which the kernel's parameters are fitted."""
MAX_TRIALS = 320
"""Trials that the functions go through."""
FREEDOM = 5
"""Of Student's t: the proposal's, and that of a Matérn 5/2 kernel's frequencies."""


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A model of the scores.

    Args:
        features: ``(n, m)``.
        values: ``(n,)``, standardised.
        groups: ``(m,)`` the group of each feature, from 0.
        rng: for everything.
    """

    features: np.ndarray
    values: np.ndarray
    groups: np.ndarray
    rng: np.random.Generator

    @cached_property
    def _chosen(self) -> np.ndarray:
        """Trials that the model learns from."""
        return _spread(self.features, MAX_TRIALS, self.rng)

    @cached_property
    def kernels(self) -> list[Hyperparameters]:
        """Kernel parameters drawn from their posterior."""
        rows = self._chosen[_spread(self.features[self._chosen], MAX_FITTED, self.rng)]
        features, values = self.features[rows], self.values[rows]
        best = fit(features, values, self.groups)
        mode = np.log([*best.weights, best.signal, best.noise])
        density = LogPosterior(features, values, self.groups, Priors())
        return [Hyperparameters.from_logs(logs) for logs in _sampled(density, mode, self.rng)]

    @cached_property
    def _factors(self) -> list[np.ndarray]:
        """Cholesky factor of the trials' covariance, by kernel."""
        features, values = self.features[self._chosen], self.values[self._chosen]
        processes = (GaussianProcess(features, values, self.groups, h) for h in self.kernels)
        return [process.factor for process in processes]

    @cached_property
    def explained(self) -> float:
        """Share of the spread of trials that was foretold from the others (leave-one-out)."""
        values = self.values[self._chosen]
        identity = np.eye(len(values))
        missed = np.zeros(len(values))
        for factor in self._factors:
            inverse = cho_solve((factor, True), identity, check_finite=False)
            # Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006, equation 5.12.
            missed += (inverse @ values) / np.diagonal(inverse) / len(self._factors)
        return float(1.0 - (missed**2).mean() / values.var())

    @cached_property
    def _paths(self) -> list["_Paths"]:
        """Functions of each kernel."""
        pairs = zip(self.kernels, self._factors, strict=True)
        return [self._drawn(hyper, factor) for hyper, factor in pairs]

    def at(self, points: np.ndarray) -> np.ndarray:
        """Values of all functions at ``(k, m)`` points: ``(n_functions, k)``."""
        return np.vstack([paths.at(points, self.groups) for paths in self._paths])

    def _drawn(self, hyper: Hyperparameters, factor: np.ndarray) -> "_Paths":
        known = _scaled(self.features[self._chosen], hyper, self.groups)
        stretch = np.sqrt(self.rng.chisquare(FREEDOM, N_FREQUENCIES) / FREEDOM)
        waves = self.rng.normal(size=(known.shape[1], N_FREQUENCIES)) / stretch
        amplitudes = self.rng.normal(size=(2 * N_FREQUENCIES, N_FUNCTIONS))
        amplitudes *= np.sqrt(hyper.signal / N_FREQUENCIES)
        noise = np.sqrt(hyper.noise) * self.rng.normal(size=(len(known), N_FUNCTIONS))
        values = self.values[self._chosen][:, None]
        missed = values - _waves(known @ waves, amplitudes) - noise
        weights = hyper.signal * cho_solve((factor, True), missed, check_finite=False)
        return _Paths(hyper, known, waves, amplitudes, weights)


@dataclass(frozen=True, eq=False)
class _Paths:
    """Functions of one kernel: random waves, corrected so that they go near the trials."""

    hyper: Hyperparameters
    known: np.ndarray
    waves: np.ndarray
    amplitudes: np.ndarray
    weights: np.ndarray

    def at(self, points: np.ndarray, groups: np.ndarray) -> np.ndarray:
        asked = _scaled(points, self.hyper, groups)
        # In 32 bits, waves cost half as much; the corrections, which may be steep, stay in 64.
        phases = (asked @ self.waves).astype(np.float32)
        prior = _waves(phases, self.amplitudes.astype(np.float32))
        return np.asarray((prior + matern(squared_distances(asked, self.known)) @ self.weights).T)


def _waves(phases: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
    n = phases.shape[1]
    return np.asarray(np.cos(phases) @ amplitudes[:n] + np.sin(phases) @ amplitudes[n:])


def _scaled(features: np.ndarray, hyper: Hyperparameters, groups: np.ndarray) -> np.ndarray:
    return np.asarray(features * np.sqrt(hyper.weights)[groups])


def _sampled(density: LogPosterior, mode: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw logarithms of kernel parameters, ``(N_KERNELS, n)``, by importance resampling."""
    low, high = density.prior[0] - 4 * density.prior[1], density.prior[0] + 4 * density.prior[1]
    spread = _laplace(density, mode)
    normal = rng.normal(size=(N_PROPOSALS, len(mode)))
    stretch = np.sqrt(rng.chisquare(FREEDOM, N_PROPOSALS) / FREEDOM)
    standard = normal / stretch[:, None]
    proposals = np.clip(mode + standard @ spread.T, low, high)
    proposed = -0.5 * (FREEDOM + len(mode)) * np.log1p((standard**2).sum(axis=1) / FREEDOM)
    heights = np.array([-density.negative(logs)[0] for logs in proposals]) - proposed
    weights = np.exp(heights - heights.max())
    # Spread evenly over the weights, so that a draw of small weight is not taken by luck.
    steps = (np.arange(N_KERNELS) + rng.random()) / N_KERNELS
    taken = np.searchsorted(np.cumsum(weights / weights.sum()), steps)
    return np.asarray(proposals[np.minimum(taken, N_PROPOSALS - 1)])


def _laplace(density: LogPosterior, mode: np.ndarray) -> np.ndarray:
    """A square root of the inverse curvature at the mode, ``(n, n)``."""
    step = 0.05
    slopes = []
    for place in range(len(mode)):
        moved = np.zeros_like(mode)
        moved[place] = step
        ahead, behind = density.negative(mode + moved)[1], density.negative(mode - moved)[1]
        slopes.append((ahead - behind) / (2 * step))
    curvature = np.array(slopes)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    # The prior alone bends more than this: a mode at a bound may look flat.
    floor = 1.0 / (2.0 * density.prior[1].max()) ** 2
    return np.asarray(vectors / np.sqrt(np.maximum(values, floor)))


def _spread(features: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    """Choose rows: half of them far from each other, the rest at random; in their order."""
    n = len(features)
    if n <= limit:
        return np.arange(n)
    chosen = [int(rng.integers(n))]
    nearest = ((features - features[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < limit // 2:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((features - features[chosen[-1]]) ** 2).sum(axis=1))
    others = np.setdiff1d(np.arange(n), chosen)
    drawn = rng.choice(others, limit - len(set(chosen)), replace=False)
    return np.sort(np.concatenate([np.unique(chosen), drawn]))
