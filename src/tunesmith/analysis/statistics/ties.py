"""Trials that the folds do not distinguish from the best."""

import numpy as np

from tunesmith.analysis.statistics.contrasts import contrasts

ALPHA = 0.05


def ties(gains: np.ndarray, ratio: float, alpha: float = ALPHA) -> np.ndarray | None:
    """Find the trials that may be the best: the truly best is among them with ``1 - alpha``.

    A trial is out if the best observed one beats it by more than chance lets the best of all
    beat it: Hsu, Simultaneous confidence intervals for all distances from the "best" (1981), with
    the test of ``contrasts``. All comparisons are held to one critical value and not to Holm's
    falling ones: the reference was chosen by the same scores, which Holm's argument does not allow.

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
    is_tied: np.ndarray = contrasts(gains, best, ratio).p_values > alpha
    return is_tied


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
