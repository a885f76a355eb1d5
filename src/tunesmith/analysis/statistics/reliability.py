"""Reliability: the share of the differences between candidates that is not noise.

If the means of all candidates differ by no more than their noise, the best of them is lucky. So a
gain is shrunken by this share (an empirical Bayes estimate: Efron & Morris 1975). The noise is
taken from the spread between folds, or from the parts of the rows in the scores. Parts tell as well
how much candidates have in common: alike ones share their luck, and a few groups of alike ones may
lie far apart by chance.
"""

import numpy as np

from tunesmith.analysis.statistics.noise import residuals
from tunesmith.analysis.statistics.sequential import SPLITS, RepeatNoise

MIN_CANDIDATES = 6
"""Candidates that tell the reliability of their differences."""
MIN_BLOCKS = 60
"""Blocks of rows from which noise is taken; studies of fewer rows were not simulated."""
EXPLAINED = 0.98
"""Share of the noise in the directions that count: what is left is too little to be estimated."""


def reliability(
    gains: np.ndarray, chosen: int, reference: int, *, ratio: float, n_folds: int
) -> float | None:
    """Share of the differences between candidates that is not noise, by the folds of the search.

    The posterior mean of a difference of two of them is the observed one times this share, if the
    true means scatter like a normal distribution, and its variance that of the noise times it.
    Candidates that lie farther below the reference than the chosen one lies above it are left out:
    a few that failed would make all differences seem true.

    Args:
        gains: ``(n_candidates, n_repeats * n_folds)``, larger is better.
        chosen: row of the winner.
        reference: row of the current parameters.
        ratio: test rows per training row of a fold.
        n_folds: folds of a repeat.

    Returns:
        From 0 to 1; ``None`` if fewer than 6 candidates are left.
    """
    means = gains.mean(axis=1)
    near = gains[_near(means, chosen, reference)]
    n, k = near.shape
    if n < MIN_CANDIDATES or k < 2:
        return None
    between_folds = float((residuals(near) ** 2).sum() / ((n - 1) * (k - 1)))
    noise = RepeatNoise(ratio * between_folds, SPLITS * between_folds / n_folds, (n - 1) * (k - 1))
    spread = float(near.mean(axis=1).var(ddof=1))
    variance = noise.error(k // n_folds) ** 2
    return 1 - variance / spread if spread > variance else 0.0


def tells_by_rows(parts: np.ndarray, chosen: int, reference: int) -> bool:
    """Tell whether both, and six candidates in all, have parts of the rows in enough blocks.

    Args:
        parts: ``(n_candidates, n_blocks)`` of the rows in the means; NaN for candidates whose parts
            are not known.
        chosen: row of the winner.
        reference: row of the current parameters.
    """
    is_known = ~np.isnan(parts).any(axis=1)
    is_enough = parts.shape[1] >= MIN_BLOCKS and int(is_known.sum()) >= MIN_CANDIDATES
    return is_enough and bool(is_known[chosen] and is_known[reference])


def reliability_by_rows(
    means: np.ndarray, parts: np.ndarray, chosen: int, reference: int
) -> float | None:
    """Share of the differences that is not noise, by the parts of the rows.

    If differences and noise have the same directions, the squares of the means along each direction
    of the noise are, in its units, 1 / (1 - share) in the mean. So many independent directions tell
    more than the spread of the means, most of which lies in one or two.

    Only candidates count that are as good as the reference, or better: worse ones would make the
    differences above it seem true, also where all of those are luck.

    Args:
        means: ``(n_candidates,)``, larger is better.
        parts: ``(n_candidates, n_blocks)`` of the rows in the means; NaN for candidates whose parts
            are not known.
        chosen: row of the winner.
        reference: row of the current parameters.

    Returns:
        From 0 to 1; ``None`` if too few candidates or blocks are left.
    """
    near = (means >= means[reference]) & ~np.isnan(parts).any(axis=1)
    n, n_blocks = int(near.sum()), parts.shape[1]
    if n < MIN_CANDIDATES or n_blocks < MIN_BLOCKS or not (near[chosen] and near[reference]):
        return None
    of_rows = parts[near] - parts[near].mean(axis=0)
    directions, sizes, _ = np.linalg.svd(of_rows, full_matrices=False)
    noise = sizes**2 * n_blocks / (n_blocks - 1)
    if not noise.sum():
        # Candidates that answer alike differ by nothing.
        return 0.0
    k = min(int(np.searchsorted(np.cumsum(noise) / noise.sum(), EXPLAINED)) + 1, n - 1)
    squares = (directions[:, :k].T @ means[near]) ** 2 / noise[:k]
    # An estimated variance divides: the mean of Hotelling's statistic by its directions. The
    # largest variances of a sample are too large as well, so that the share is rather too small.
    df = n_blocks - 1
    signal = float(squares.mean()) * max(df - k - 1, 1) / df
    return 1 - 1 / signal if signal > 1 else 0.0


def _near(means: np.ndarray, chosen: int, reference: int) -> np.ndarray:
    """``(n_candidates,)`` booleans: not farther below the reference than the winner is above."""
    rise = max(float(means[chosen] - means[reference]), 0.0)
    near: np.ndarray = means >= means[reference] - rise
    return near
