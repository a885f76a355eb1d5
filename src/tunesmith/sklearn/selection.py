"""Selection among the candidates that are about as good as the best."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tunesmith.analysis.choice.simplicity import complexity
from tunesmith.analysis.statistics.ties import pick, within_one_se


def one_se(results: Mapping[str, Any], metric: str, n_splits: int) -> int:
    """Find the simplest candidate whose mean is within one standard error of the best mean.

    Args:
        results: ``cv_results_``.
        metric: its name there.
        n_splits: folds; with one fold there is no standard error, and the best is taken.

    Returns:
        Its index; among equally simple ones the better, then the earlier.
    """
    ranks = np.asarray(results[f"rank_test_{metric}"])
    scores = [results[f"split{fold}_test_{metric}"] for fold in range(n_splits)]
    among = within_one_se(np.array(scores, dtype=float).T)
    # With one fold, or NaN in the scores, nothing would be left to choose from.
    among[np.argmin(ranks)] = True
    return pick(among, complexity(results["params"]), ranks)
