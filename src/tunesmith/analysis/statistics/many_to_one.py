"""Distribution of the largest of several t statistics that share a reference."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from tunesmith.analysis.statistics.distributions import chi2_ppf, t_isf, t_sf

N_SCALES = 32
"""Nodes of the integral over the estimated standard deviation."""
NORMAL = np.linspace(-8.0, 8.0, 161)
"""Nodes of the integral over the noise of the reference."""


def exceedance(t: np.ndarray, df: float, n: int) -> np.ndarray:
    """Return the probability that the largest of some t statistics exceeds given values.

    They compare ``n`` trials with one reference, all equally noisy, so that any two of them have a
    correlation of 1/2 (Dunnett, A multiple comparison procedure for comparing several treatments
    with a control, 1955). A reference that is noisier than the others makes the true probability
    smaller (Slepian's inequality).

    Args:
        t: values, of any shape.
        df: degrees of freedom of the common standard deviation; may be infinite.
        n: number of comparisons, at least 1.
    """
    from scipy.special import log_ndtr

    given = np.asarray(t, dtype=float)
    if n == 1:
        return t_sf(given, df)
    scales, weights = _scales(df)
    density = np.exp(-(NORMAL**2) / 2)
    density /= density.sum()
    # Of all statistics, given the reference's noise and the standard deviation, independent.
    inner = np.sqrt(2.0) * given[..., None, None] * scales[:, None] + NORMAL
    below = np.exp(n * log_ndtr(inner)) @ density @ weights
    chance: np.ndarray = np.clip(1.0 - below, 0.0, 1.0)
    return chance


MAX_STEPS, TOLERANCE, SMALL = 100, 1e-9, 1e-12


@lru_cache(maxsize=256)
def critical_value(alpha: float, df: float, n: int) -> float:
    """Return the value that the largest of ``n`` t statistics exceeds with probability ``alpha``.

    >>> round(critical_value(0.05, float("inf"), 9), 2)
    2.42

    Args:
        alpha: probability, between 0 and 1.
        df: degrees of freedom; may be infinite.
        n: number of comparisons.
    """
    if n == 1:
        return t_isf(alpha, df)
    # It lies between the value for one comparison and Bonferroni's for all.
    low, high = t_isf(alpha, df), t_isf(alpha / n, df)
    return root(lambda t: float(exceedance(np.array(t), df, n)) - alpha, low, high)


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Find where a falling function crosses zero, by false position (the Illinois variant).

    It is as good as ``scipy.optimize.brentq``, whose import takes longer than the search.

    >>> round(root(lambda x: 2 - x * x, 1.0, 2.0), 6)
    1.414214

    Args:
        function: above zero at ``low``, below it at ``high``.
        low: an end of the interval.
        high: the other end.
    """
    above, below, side = function(low), function(high), 0
    for _ in range(MAX_STEPS):
        if above <= 0 or below >= 0 or high - low < TOLERANCE:
            break
        middle = (low * below - high * above) / (below - above)
        value = function(middle)
        if abs(value) < SMALL:
            return middle
        if value > 0:
            low, above = middle, value
            # The same end twice: the other one counts half, so that it moves, too.
            below, side = (below / 2, 1) if side == 1 else (below, 1)
        else:
            high, below = middle, value
            above, side = (above / 2, -1) if side == -1 else (above, -1)
    return low if above <= 0 else high if below >= 0 else (low + high) / 2


def _scales(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the ratio of an estimated standard deviation to the true one."""

    if np.isinf(df):
        return np.ones(1), np.ones(1)
    nodes, weights = np.polynomial.legendre.leggauss(N_SCALES)
    scales: np.ndarray = np.sqrt(chi2_ppf((nodes + 1) / 2, df) / df)
    return scales, weights / 2
