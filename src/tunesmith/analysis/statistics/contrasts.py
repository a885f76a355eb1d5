"""One trial against all others on the same folds: gains, standard errors, p-values."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tunesmith.analysis.statistics.many_to_one import critical_value, exceedance

MAX_STEPS = 50
MIN_TREND = 10
"""Number of variances from which on their trend is estimated."""
TINY = 1e-12


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrasts:
    """A reference minus every trial, ``(n_trials,)`` each; that of the reference itself is 0."""

    gains: np.ndarray
    """Mean over folds."""
    errors: np.ndarray
    """Standard errors of the gains."""
    reference: int
    """Row of the reference."""
    df: float
    """Degrees of freedom behind the errors; may be infinite."""
    n_comparisons: int
    scale: float
    """Size of the scores, beside which smaller errors are rounding."""

    @cached_property
    def p_values(self) -> np.ndarray:
        """P-values of "the reference is no better", one-sided, adjusted for all comparisons."""
        # Differences that are the same on every fold have no error of their own.
        errors = np.maximum(self.errors, TINY * max(self.scale, TINY))
        p_values = exceedance(self.gains / errors, self.df, self.n_comparisons)
        # The reference does not beat itself: with 1, it is always among the ties.
        p_values[self.reference] = 1.0
        return p_values

    def margins(self, alpha: float) -> np.ndarray:
        """``(n_trials,)``: distance of a gain's simultaneous limits from it."""
        return critical_value(alpha, self.df, self.n_comparisons) * self.errors


def contrasts(
    gains: np.ndarray, reference: int, ratio: float, n_comparisons: int | None = None
) -> Contrasts:
    """Compare one trial with every other by the corrected resampled t-test.

    Training sets of cross-validation overlap, so that the variance of a mean difference is
    (1/k + n_test/n_train) times that of a fold's (Nadeau & Bengio, Inference for the
    generalization error, 2003). Repeats do not lessen the second part: they score the same rows. A
    variance from a few folds is a poor one, and there are many of them: each is drawn towards the
    one that is usual at its distance (``moderated``). Critical values hold for a reference that was
    picked as the best of all (Hsu's multiple comparisons with the best, 1981, with Dunnett's
    critical value).

    Args:
        gains: ``(n_trials, n_folds)``, at least two folds.
        reference: row of the trial that the others are compared with.
        ratio: test rows per training row of a fold.
        n_comparisons: by default all other trials.
    """
    n, k = gains.shape
    n_comparisons = max(n - 1, 1) if n_comparisons is None else n_comparisons
    differences = gains[reference] - gains
    means, others = differences.mean(axis=1), np.arange(n) != reference
    variances = np.zeros(n)
    variances[others], df = moderated(
        differences[others].var(axis=1, ddof=1), k - 1, np.abs(means[others])
    )
    return Contrasts(
        gains=means,
        errors=np.sqrt(variances * (1 / k + ratio)),
        reference=reference,
        df=df,
        n_comparisons=n_comparisons,
        scale=float(np.abs(gains).max(initial=0)),
    )


def moderated(
    variances: np.ndarray, df: int, distances: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Variances drawn towards their common value, and the degrees of freedom that they then have.

    Smyth (Linear models and empirical Bayes methods, 2004), section 6.2: the prior's degrees of
    freedom from the moments of log variances. The difference of two trials that predict nearly the
    same varies less than that of two that do not, so the common value follows a trend over the
    distance, if it is given (Law, Chen, Shi & Smyth, voom, 2014): without it, variances of near and
    of far trials would seem to have nothing in common, and nothing would be learnt from each other.
    With fewer than three variances, or none above 0, nothing is drawn.

    Args:
        variances: ``(n,)``, estimated with ``df`` degrees of freedom each.
        df: at least 1.
        distances: ``(n,)``; by their ranks, from ten variances on.
    """
    from scipy.special import digamma, polygamma

    is_positive = variances > 0
    # The prior is estimated from the spread of the variances, for which two are too few.
    if is_positive.sum() < 3:
        return variances, float(df)
    # The last two terms take away the bias that the logarithm of an estimated variance has.
    logs = np.log(variances[is_positive]) - digamma(df / 2) + np.log(df / 2)
    usual, spread = _usual(logs, is_positive, distances)
    excess = spread - float(polygamma(1, df / 2))
    # The trials' differences share one reference: they are not worth more than a pooled variance.
    most = float(len(variances) * df)
    # The variances differ no more than estimates of a single one would: they are pooled.
    if excess <= 0:
        return np.exp(usual), most
    prior = 2 * _inverse_trigamma(excess)
    common = np.exp(usual + digamma(prior / 2) - np.log(prior / 2))
    drawn: np.ndarray = (prior * common + df * variances) / (prior + df)
    return drawn, min(prior + df, most)


def _usual(
    logs: np.ndarray, is_positive: np.ndarray, distances: np.ndarray | None
) -> tuple[np.ndarray, float]:
    """Logarithm of the usual variance of each trial, and the spread of the logarithms around it.

    Args:
        logs: of the variances above 0, without bias.
        is_positive: ``(n,)``, the trials that have them.
        distances: ``(n,)``, or ``None`` for one value of all.
    """
    if distances is None or len(logs) < MIN_TREND:
        return np.full(len(is_positive), logs.mean()), float(logs.var(ddof=1))
    # Ranks, because one trial that is far from all others must not make the trend.
    ordered = np.sort(distances)
    # Equals share their mean rank.
    ends = [np.searchsorted(ordered, distances, side) for side in ("left", "right")]
    ranks = (ends[0] + ends[1] + 1) / 2 / len(distances) - 0.5
    slope, level = np.polyfit(ranks[is_positive], logs, 1)
    left = logs - (level + slope * ranks[is_positive])
    return level + slope * ranks, float((left**2).sum() / (len(logs) - 2))


def _inverse_trigamma(value: float) -> float:
    """Invert the trigamma function by Newton's method (Smyth 2004, appendix)."""
    from scipy.special import polygamma

    # The reciprocal of trigamma is nearly linear: from this start every Newton step goes down.
    y = 0.5 + 1 / value
    for _ in range(MAX_STEPS):
        trigamma = float(polygamma(1, y))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, y))
        y += step
        if -step / y < 1e-8:
            break
    return y
