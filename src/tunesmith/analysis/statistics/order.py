"""Signs that the order of the rows matters, so that shuffled splits let neighbours leak."""

from math import sqrt

import numpy as np

from tunesmith.analysis.statistics.distributions import t_isf

LEVEL = 0.001


def order_matters(ordered: np.ndarray, shuffled: np.ndarray) -> bool:
    """Tell whether scores on shuffled splits are better than on folds of consecutive rows.

    If the order of the rows means nothing, folds of consecutive rows are splits like any other. A
    t-test with a common variance, at a level of 0.1 %.

    Args:
        ordered: ``(n_folds,)`` gains of one trial on consecutive rows, which nobody has chosen by.
        shuffled: ``(n_repeats, n_folds)`` gains of the same trial.
    """

    n_folds = len(ordered)
    df = (len(shuffled) + 1) * (n_folds - 1)
    squares = ((ordered - ordered.mean()) ** 2).sum()
    squares += ((shuffled - shuffled.mean(axis=1, keepdims=True)) ** 2).sum()
    # Repeats share their rows, so that their mean is hardly better known than one of them.
    error = sqrt(2 * float(squares) / df / n_folds)
    rise = float(shuffled.mean() - ordered.mean())
    return rise > t_isf(LEVEL, df) * error
