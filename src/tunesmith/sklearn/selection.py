"""Which of the candidates that are about as good as the best is taken."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tunesmith.report.simplicity import complexity


def one_se(results: Mapping[str, Any], metric: str, n_splits: int) -> int:
    """The simplest candidate whose mean is within one standard error of the best mean.

    Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), section 3.4.3.

    Args:
        results: ``cv_results_``.
        metric: its name there.
        n_splits: folds; of one fold there is no standard error, and the best is taken.

    Returns:
        Its index; among equally simple ones the better, then the earlier.
    """
    ranks, means = results[f"rank_test_{metric}"], results[f"mean_test_{metric}"]
    best = int(np.argmin(ranks))
    scores = [results[f"split{fold}_test_{metric}"][best] for fold in range(n_splits)]
    error = float(np.std(scores, ddof=1) / np.sqrt(n_splits)) if n_splits > 1 else 0.0
    good = np.flatnonzero(means >= means[best] - error)
    if not len(good):
        return best
    order = np.lexsort((good, ranks[good], complexity(results["params"])[good]))
    return int(good[order[0]])
