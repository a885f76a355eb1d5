"""Noise of a mean over folds, from the scores of the folds themselves.

A score is the effect of its configuration, plus the effect of its fold, which all configurations
share, plus a residual. Only the residual makes means of configurations incomparable: of a forest's
variance between folds, 70 % was measured to be shared, and says nothing about the configurations.
"""

import numpy as np

LEAST_TRIALS = 4


def noise_of_means(scores: np.ndarray) -> float | None:
    """Variance of a configuration's mean over the folds, without what all of them share.

    Args:
        scores: ``(n_trials, n_folds)`` finite scores on the same folds.

    Returns:
        The residual variance divided by the number of folds; ``None`` with one fold, or with too
        few trials to tell.

    >>> shared = np.array([[0.1, 0.5, 0.9]] * 5) + np.arange(5)[:, None]
    >>> round(noise_of_means(shared), 9)
    0.0
    """
    n_trials, n_folds = scores.shape
    if n_trials < LEAST_TRIALS or n_folds < 2:
        return None
    by_trial, by_fold = scores.mean(axis=1, keepdims=True), scores.mean(axis=0)
    residuals = scores - by_trial - by_fold + scores.mean()
    variance = (residuals**2).sum() / ((n_trials - 1) * (n_folds - 1))
    return float(variance / n_folds)
