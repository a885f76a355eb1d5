"""Trials that the folds do not distinguish from the best."""

import numpy as np

from tunesmith.analysis.statistics.contrasts import TINY, contrasts
from tunesmith.analysis.statistics.distributions import t_isf

ALPHA = 0.05


def ties(gains: np.ndarray, ratio: float, alpha: float = ALPHA) -> np.ndarray | None:
    """Find the trials that may be the best: the truly best is among them with ``1 - alpha``.

    A trial is out if the best observed one beats it by more than chance lets the best of all
    beat it: Hsu, Simultaneous confidence intervals for all distances from the "best" (1981), with
    the test of ``contrasts``.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better.
        ratio: test rows per training row of a fold.
        alpha: probability of leaving the truly best trial out.

    Returns:
        ``(n_trials,)`` booleans; ``None`` with a single fold, of which nothing is known.
    """
    n, k = gains.shape
    if n == 0 or k < 2:
        return None
    best = int(np.argmax(gains.mean(axis=1)))
    found = contrasts(gains, best, ratio)
    # Means of equal scores may differ by rounding.
    is_tied: np.ndarray = found.gains <= found.margins(alpha) + TINY * found.scale
    return is_tied


def near_best(
    gains: np.ndarray, ratio: float, within: float, alpha: float = ALPHA
) -> np.ndarray | None:
    """Find the trials that are shown to be at most a margin worse than the best observed one.

    That is a test of equivalence (Wellek, Testing Statistical Hypotheses of Equivalence and
    Noninferiority, 2010): not being told from the best is not enough, since a blind test tells
    nothing apart. A trial is in if the upper limit of what it lacks is at most the margin, by the
    errors of ``contrasts``. The limit is that of one comparison: simplicity, by which one of the
    trials is then taken, has not seen the scores, and limits for all trials at a time would take a
    simpler trial in a tenth to a half of the studies only.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better.
        ratio: test rows per training row of a fold.
        within: the margin, in the metric's own unit; at least 0.
        alpha: probability that a trial which lacks more is in.

    Returns:
        ``(n_trials,)`` booleans, true for the best; ``None`` with a single fold, of which nothing
        is known.
    """

    n, k = gains.shape
    if n == 0 or k < 2:
        return None
    best = int(np.argmax(gains.mean(axis=1)))
    lacks = contrasts(gains, best, ratio)
    limits = lacks.gains + t_isf(alpha, lacks.df) * lacks.errors
    # Equal scores on every fold lack nothing, whatever errors the others lend them.
    is_near: np.ndarray = (limits <= within) | (gains == gains[best]).all(axis=1)
    return is_near


def within_one_se(gains: np.ndarray) -> np.ndarray:
    """The trials whose mean is within one standard error of the best one's mean.

    Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), section 3.4.3.
    The error is that of the best trial's mean over its folds, overlap of training sets not counted,
    as the rule is used everywhere.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better. Of a single fold there is no standard
            error, and only trials as good as the best are in. Trials with a NaN are out.

    Returns:
        ``(n_trials,)`` booleans.
    """
    means = gains.mean(axis=1)
    if not np.isfinite(means).any():
        return np.zeros(len(gains), dtype=bool)
    best, k = int(np.nanargmax(means)), gains.shape[1]
    error = float(gains[best].std(ddof=1) / np.sqrt(k)) if k > 1 else 0.0
    is_within: np.ndarray = means >= means[best] - error
    return is_within


def pick(among: np.ndarray, cost: np.ndarray, ranks: np.ndarray) -> int:
    """The cheapest of some trials; of equally cheap ones the better, then the earlier.

    Args:
        among: ``(n_trials,)`` booleans, at least one of them true.
        cost: ``(n_trials,)``, less is preferred.
        ranks: ``(n_trials,)``, 1 is best.

    Returns:
        Its row.
    """
    # `lexsort` sorts by its last key first.
    rows = np.flatnonzero(among)
    return int(rows[np.lexsort((rows, ranks[rows], cost[rows]))[0]])
