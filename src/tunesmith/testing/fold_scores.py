"""Fold scores whose truth is known."""

import numpy as np


def simulate(
    truth: np.ndarray,
    k: int,
    rng: np.random.Generator,
    *,
    noise: float = 0.02,
    fold: float = 0.02,
    shared: float = 0.0,
    unequal: float = 0.0,
) -> np.ndarray:
    """Simulate fold scores ``(n_trials, k)``.

    Args:
        truth: ``(n_trials,)`` scores on endless data.
        k: folds.
        rng: the stream.
        noise: standard deviation of the residual.
        fold: standard deviation of the effect of a fold on all trials.
        shared: part of the residual's variance that all folds of a trial have in common, as caused
            by overlapping training sets.
        unequal: how much trials differ in their noise, as standard deviation of its logarithm.
    """
    n = len(truth)
    size = noise * np.exp(rng.normal(0, unequal, n))
    common = rng.normal(0, 1, n) * size * np.sqrt(shared)
    own = rng.normal(0, 1, (n, k)) * size[:, None] * np.sqrt(1 - shared)
    scores: np.ndarray = (truth + common)[:, None] + rng.normal(0, fold, k) + own
    return scores


def simulate_smooth(
    truth: np.ndarray,
    places: np.ndarray,
    k: int,
    rng: np.random.Generator,
    *,
    noise: float = 0.02,
    fold: float = 0.02,
    shared: float = 0.0,
) -> np.ndarray:
    """Simulate fold scores ``(n_trials, k)`` whose noise is alike for trials that are alike.

    Args:
        truth: ``(n_trials,)`` scores on endless data.
        places: ``(n_trials,)`` values of the one parameter, from 0 to 1.
        k: folds.
        rng: the stream.
        noise: standard deviation of the residual.
        fold: standard deviation of the effect of a fold on all trials.
        shared: part of the residual's variance that all folds have in common.
    """
    waves = np.arange(1, 9)
    sizes = 1 / waves
    basis = np.cos(np.pi * waves * places[:, None]) * sizes / np.sqrt((sizes**2).sum() / 2)
    common = basis @ rng.normal(0, 1, len(waves)) * np.sqrt(shared)
    own = basis @ rng.normal(0, 1, (len(waves), k)) * np.sqrt(1 - shared)
    scores: np.ndarray = truth[:, None] + rng.normal(0, fold, k) + noise * (common[:, None] + own)
    return scores
