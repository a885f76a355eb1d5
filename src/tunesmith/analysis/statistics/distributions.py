"""Quantiles of the usual distributions, as ``scipy.stats`` gives them, bit for bit.

``scipy.stats`` takes over half a second to import, which is more than all else that a reading
command does. The functions behind it are in ``scipy.special``.
"""

from typing import Any

import numpy as np


def t_sf(x: Any, df: float) -> np.ndarray:
    """Probability that a t statistic is larger.

    Args:
        x: values, of any shape.
        df: degrees of freedom.
    """
    from scipy.special import stdtr

    return np.asarray(stdtr(df, -np.asarray(x, dtype=float)))


def t_isf(probability: float, df: float) -> float:
    """Value that a t statistic exceeds with a probability.

    >>> round(t_isf(0.025, 4), 3)
    2.776

    Args:
        probability: between 0 and 1.
        df: degrees of freedom.
    """
    from scipy.special import stdtrit

    return float(-stdtrit(df, probability))


def chi2_ppf(share: np.ndarray, df: float) -> np.ndarray:
    """Quantiles of the chi-squared distribution.

    Args:
        share: probabilities, each between 0 and 1.
        df: degrees of freedom.
    """
    from scipy.special import gammaincinv

    return np.asarray(2 * gammaincinv(df / 2, share))


def f_isf(probability: float, dfn: float, dfd: float) -> float:
    """Value that an F statistic exceeds with a probability.

    Args:
        probability: between 0 and 1.
        dfn: degrees of freedom of the numerator.
        dfd: degrees of freedom of the denominator.
    """
    from scipy.special import fdtri

    return float(fdtri(dfn, dfd, 1.0 - probability))
