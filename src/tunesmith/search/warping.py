"""Transformations of scores for a surrogate model: bad scores must not flatten the good ones."""

import numpy as np
from scipy.special import ndtri


def shrunk(values: np.ndarray) -> np.ndarray:
    """Divide the values by their largest magnitude, so that no square of them overflows."""
    largest = np.abs(values).max()
    return values / largest if largest > 0 else values


def half_rank(gains: np.ndarray) -> np.ndarray:
    """Warp the worse half to Gaussian quantiles of its ranks; keep the better half as it is.

    One disastrous trial then lies a little below the others instead of stretching the scale
    (Song et al. 2024, "The Vizier Gaussian process bandit algorithm").

    Args:
        gains: ``(n,)`` finite scores, larger is better.

    Returns:
        ``(n,)`` values in the same order, ties included.

    >>> half_rank(np.array([1.0, 2.0, 3.0, -1e9])).round(1).tolist()
    [1.1, 2.0, 3.0, 0.2]
    """
    middle = np.median(gains)
    good = gains >= middle
    spread = np.sqrt(np.mean((gains[good] - middle) ** 2)) if good.any() else 0.0
    if spread == 0 or good.all():
        return gains.copy()
    different, rank = np.unique(gains, return_inverse=True)
    n_bad = int(np.searchsorted(different, middle))
    warped = gains.copy()
    warped[~good] = middle + spread * ndtri(0.5 * (rank[~good] + 0.5) / n_bad)
    return warped


def standardised(values: np.ndarray) -> np.ndarray:
    """Scale the values to mean 0 and standard deviation 1; zeros if all are equal."""
    centred = values - values.mean()
    spread = centred.std()
    return centred / spread if spread > 0 else np.zeros_like(centred)
