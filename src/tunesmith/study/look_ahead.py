"""Look-ahead of a study: the number of trials that may be pending at once.

A trial is proposed without the results of those that are still pending, so look-ahead costs a
search some of its knowledge. Folds keep workers busy as well as trials do, at no such cost.
"""

BUSY_FITS = 8
"""Number of pending fits that the default look-ahead allows at least."""
MOST_TRIALS = 4
"""Largest default look-ahead."""
RULE = f"fits {BUSY_FITS}, trials {MOST_TRIALS}"
"""Text that stands for the default in the identity of a study."""
UNREAD = 8
"""Look-ahead of a search that never reads results, and so has nothing to lose by it."""


def default_window(n_folds: int) -> int:
    """Look-ahead of a study that names none: it depends on the folds, never on the machine.

    Args:
        n_folds: evaluations per trial.

    >>> [default_window(n_folds) for n_folds in (1, 3, 5, 10)]
    [4, 3, 2, 1]
    """
    return min(max(1, -(-BUSY_FITS // n_folds)), MOST_TRIALS)


def window_for(n_workers: int, n_folds: int) -> int:
    """Smallest look-ahead with which all workers have a fit.

    >>> window_for(n_workers=16, n_folds=5)
    4
    """
    return max(1, -(-n_workers // n_folds))
