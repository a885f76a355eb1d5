"""Selection bias of the best score, which is the largest of many noisy ones."""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from tunesmith.analysis.statistics.distributions import t_isf

MAX_EXACT_FOLDS = 5
N_RESAMPLES = 500


@dataclass(frozen=True)
class Corrected:
    """The best trial's score, corrected for selection bias, on the scale of gains."""

    score: float
    bias: float
    """The chosen trial's mean minus ``score``."""
    low: float
    high: float
    """Ends of the 95 % interval of the score."""


def corrected(
    gains: np.ndarray, ratio: float, chosen: int | None = None, order: np.ndarray | None = None
) -> Corrected | None:
    """Estimate the score that this choice leads to, on folds that took no part in it.

    Folds are resampled with replacement; the best trial of the drawn folds is scored on the others,
    and these scores are averaged. That is the bootstrap bias corrected cross-validation of
    Tsamardinos, Greasidou & Borboudakis (2018) at the level of fold scores: the original resamples
    the predictions of single rows, which are not kept. Up to five folds all resamples are counted
    with their probabilities, beyond that 500 are drawn from a fixed stream.

    What all folds of a trial share, such as luck with these rows, is not seen by any such method;
    a hold-out is.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better.
        ratio: test rows per training row of a fold; for the interval (Nadeau & Bengio 2003).
        chosen: row of the trial that was chosen; by default the best.
        order: rows that the choice may fall on, preferred ones first. On each draw the first of
            them is taken that lacks no more than the chosen one does on all folds.

    Returns:
        ``None`` with a single fold or trial.
    """
    n, k = gains.shape
    if n < 2 or k < 2:
        return None
    means = gains.mean(axis=1)
    row = int(np.argmax(means)) if chosen is None else chosen
    lack = float(means.max() - means[row])
    # With few trials the estimate may exceed the mean by chance; a bias is never negative.
    score = min(float(out_of_bag(gains, order, lack)), float(means[row]))
    margin = _margin(gains[row], ratio)
    return Corrected(score, float(means[row]) - score, score - margin, score + margin)


def out_of_bag(gains: np.ndarray, order: np.ndarray | None = None, lack: float = 0.0) -> float:
    """Mean score, on the folds not drawn, of the trials that are chosen on those drawn.

    Args:
        gains: ``(n_trials, n_folds)``, larger is better.
        order: rows that may be chosen, preferred ones first; by default the best is chosen.
        lack: what a preferred one may lack of the best mean.
    """
    draws, weights = resamples(gains.shape[1])
    # Sums choose as means would, because every draw has k folds.
    sums = gains @ draws.T
    chosen = np.argmax(sums, axis=0)
    if order is not None and lack > 0:
        is_near = sums[order] >= sums.max(axis=0) - lack * gains.shape[1]
        chosen = np.where(is_near.any(axis=0), order[np.argmax(is_near, axis=0)], chosen)
    is_out = draws == 0
    scores = (gains[chosen] * is_out).sum(axis=1) / is_out.sum(axis=1)
    return float(np.average(scores, weights=weights))


def resamples(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all draws of folds and their probabilities; draws that leave no fold out do not count.

    Returns:
        ``(n_draws, k)`` counts and ``(n_draws,)`` weights.
    """
    if k <= MAX_EXACT_FOLDS:
        from scipy.special import factorial

        drawn = combinations_with_replacement(range(k), k)
        counts = np.array([np.bincount(folds, minlength=k) for folds in drawn])
        # Proportional to the multinomial probability of a draw with these counts.
        weights = 1 / factorial(counts).prod(axis=1)
    else:
        counts = np.random.default_rng(0).multinomial(k, np.full(k, 1 / k), size=N_RESAMPLES)
        weights = np.ones(N_RESAMPLES)
    leaves_out = (counts == 0).any(axis=1)
    return counts[leaves_out], weights[leaves_out]


def shrunk_by_minima(gains: np.ndarray) -> float:
    """The best mean less the bias of Tibshirani & Tibshirani (2009).

    That is the mean over folds of the fold's own best score minus the best trial's score there.

    Kept for comparison: it corrects too much if there are many folds.
    """
    best = int(np.argmax(gains.mean(axis=1)))
    return float(gains[best].mean() - (gains.max(axis=0) - gains[best]).mean())


def _margin(scores: np.ndarray, ratio: float) -> float:

    k = len(scores)
    error = np.sqrt(scores.var(ddof=1) * (1 / k + ratio))
    return float(t_isf(0.025, k - 1) * error)
