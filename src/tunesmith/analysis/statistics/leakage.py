"""Scores that are too good to be true."""

import numpy as np

BOUNDED = frozenset(
    {
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "explained_variance",
        "f1",
        "f1_macro",
        "f1_micro",
        "f1_weighted",
        "jaccard",
        "matthews_corrcoef",
        "precision",
        "precision_macro",
        "precision_weighted",
        "r2",
        "recall",
        "recall_macro",
        "recall_weighted",
        "roc_auc",
        "roc_auc_ovo",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
        "top_k_accuracy",
    }
)
"""Scorers that are 1 at best, and about 0 or 0.5 if nothing was learnt."""
HARDLY = 0.0005
"""Distance of the best score from a perfect one that is suspicious by itself."""
NEARLY = 0.002
SMALL_SHARE = 0.25
MIN_TRIALS = 8


def perfect_score(metric: str) -> float | None:
    """The score that none can exceed, of scikit-learn's scorers; ``None`` if it is not known.

    >>> perfect_score("roc_auc"), perfect_score("neg_log_loss"), perfect_score("profit")
    (1.0, 0.0, None)
    """
    if metric in BOUNDED:
        return 1.0
    return 0.0 if metric.startswith("neg_") else None


def too_good(gains: np.ndarray, metric: str, complexity: np.ndarray) -> str:
    """Return the sign of a leak of the target into the features; empty if there is none.

    A perfect best trial may be an easy task; it is named all the same, because it is the first sign
    of a leak (Kaufman et al., Leakage in data mining, 2012). If even the simplest models are nearly
    perfect, tuning had nothing to do.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better.
        metric: name of scikit-learn's scorer.
        complexity: ``(n_trials,)`` from 0 (simplest) to 1.
    """
    perfect = perfect_score(metric)
    if perfect is None or not len(gains):
        return ""
    best = gains[int(np.argmax(gains.mean(axis=1)))]
    if (best == perfect).all():
        return "the best trial is perfect on every fold"
    # Errors, which are 0 at best, have the scale of the target: no distance to 0 is "nearly".
    if perfect != 1.0:
        return ""
    if len(gains) >= MIN_TRIALS and complexity.min() < complexity.max():
        simple = gains[complexity <= np.quantile(complexity, SMALL_SHARE)]
        if float(np.median(simple)) >= perfect - NEARLY:
            return "even the simplest models are nearly perfect"
    is_nearly_perfect = float(best.mean()) >= perfect - HARDLY
    return "the best score is nearly perfect" if is_nearly_perfect else ""
