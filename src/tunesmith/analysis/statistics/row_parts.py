"""Parts of the rows in the scores of trials, as the ledger has them, in the form of arrays."""

from collections.abc import Sequence

import numpy as np

from tunesmith.data.row_blocks import N_BLOCKS, from_text


def in_mean(texts: Sequence[str]) -> np.ndarray | None:
    """``(N_BLOCKS,)`` parts in the mean of some folds, NaN for blocks without a row.

    Args:
        texts: parts of the rows in each fold's score.

    Returns:
        ``None`` if those of a fold are not known.
    """
    found = [from_text(text) if text else None for text in texts]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    sums = np.array(known)
    total: np.ndarray = np.where(np.isnan(sums).all(axis=0), np.nan, np.nansum(sums, axis=0))
    return total / len(known)


def in_means(trials: Sequence[Sequence[str]]) -> np.ndarray:
    """``(n_trials, n_blocks)`` parts in the means of trials; NaN for those that are not known."""
    found = [in_mean(texts) for texts in trials]
    rows = np.array([np.full(N_BLOCKS, np.nan) if one is None else one for one in found])
    return rows[:, ~np.isnan(rows).all(axis=0)] if len(rows) else rows
