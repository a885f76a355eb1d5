"""Sources of the spread of fold scores, and folds that behave unlike the others."""

from dataclasses import dataclass

import numpy as np

from tunesmith.analysis.statistics.distributions import f_isf, t_isf

ALPHA = 0.01
MIN_FOLDS = 4
MIN_TRIALS = 8
LOUD = 3.0


@dataclass(frozen=True)
class Noise:
    """Standard deviations by origin; scores are trial effect + fold effect + residual."""

    trial: float
    """Between trials: what tuning is about."""
    fold: float
    """Between folds, equal for all trials: cancels if trials are compared on the same folds."""
    residual: float
    """Residual: the noise of comparisons."""
    correlation: float
    """Correlation of two folds, over trials: 1 if all folds rank the trials in the same way."""


def decompose(gains: np.ndarray) -> Noise | None:
    """Variance components of a two-way layout without repeats, by the method of moments.

    Searle, Casella & McCulloch, Variance Components (1992), section 4.3; the correlation is the
    intraclass correlation ICC(3,1) of Shrout & Fleiss (1979). Negative variances count as 0.

    Args:
        gains: ``(n_trials, n_folds)``.

    Returns:
        ``None`` with a single trial or fold.
    """
    n, k = gains.shape
    if n < 2 or k < 2:
        return None
    residual = float((residuals(gains) ** 2).sum() / ((n - 1) * (k - 1)))
    trial = max(float(gains.mean(axis=1).var(ddof=1)) - residual / k, 0.0)
    fold = max(float(gains.mean(axis=0).var(ddof=1)) - residual / n, 0.0)
    total = trial + residual
    # Without any spread all folds agree.
    correlation = trial / total if total > 0 else 1.0
    return Noise(trial**0.5, fold**0.5, residual**0.5, correlation)


def residuals(gains: np.ndarray) -> np.ndarray:
    """``(n_trials, n_folds)``: what trial and fold effects leave."""
    rows, columns = gains.mean(axis=1, keepdims=True), gains.mean(axis=0, keepdims=True)
    left: np.ndarray = gains - rows - columns + gains.mean()
    return left


def shifted_folds(gains: np.ndarray, alpha: float = ALPHA) -> tuple[int, ...]:
    """Folds whose scores are far from those of all other folds, for most trials.

    Each fold's median over trials is compared with the others' mean and spread, so that an odd
    fold cannot hide behind the spread it causes: the externally studentized residual (Cook &
    Weisberg, Residuals and Influence in Regression, 1982, section 2.2.1), with Bonferroni's
    correction.

    Args:
        gains: ``(n_trials, n_folds)``; of fewer than 4 folds none is odd.
        alpha: probability of naming any fold although all are alike.

    Returns:
        Fold numbers.
    """

    k = gains.shape[1]
    if k < MIN_FOLDS or not len(gains):
        return ()
    effects = np.median(gains, axis=0)
    # Two-sided and for k folds; the effects of the k - 1 others leave k - 2 degrees of freedom.
    critical = t_isf(alpha / (2 * k), k - 2)
    return tuple(fold for fold in range(k) if _is_apart(effects, fold, critical))


def _is_apart(effects: np.ndarray, fold: int, critical: float) -> bool:
    others = np.delete(effects, fold)
    spread = float(others.std(ddof=1)) * np.sqrt(1 + 1 / len(others))
    distance = abs(float(effects[fold] - others.mean()))
    # Effects that are equal differ by rounding, which would exceed a spread of 0.
    return distance > critical * spread and distance > 1e-9 * float(np.abs(effects).max())


def discordant_folds(gains: np.ndarray, alpha: float = ALPHA) -> tuple[int, ...]:
    """Folds that rank the trials otherwise than all other folds do.

    A fold is named if its residual variance is several times the middle one of all folds,
    beyond chance: an F-test with Bonferroni's correction, on residuals from medians, which one loud
    fold does not move.

    Args:
        gains: ``(n_trials, n_folds)``; of fewer than 8 trials or 4 folds none is named.
        alpha: probability of naming any fold although all are alike.

    Returns:
        Fold numbers.
    """

    n, k = gains.shape
    if n < MIN_TRIALS or k < MIN_FOLDS:
        return ()
    left = gains - np.median(gains, axis=1, keepdims=True)
    left = left - np.median(left, axis=0, keepdims=True)
    variances = (left**2).mean(axis=0)
    middle = float(np.median(variances))
    # Of many trials the F-test finds differences that are too small to warn of.
    ratio = max(LOUD**2, f_isf(alpha / k, n - 1, n - 1))
    # If most folds agree exactly, any other would exceed every multiple of the middle one.
    return tuple(int(fold) for fold in np.flatnonzero(variances > ratio * middle)) if middle else ()
