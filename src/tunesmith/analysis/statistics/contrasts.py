"""One trial against all others on the same folds: gains, standard errors, p-values."""

from dataclasses import dataclass

import numpy as np

MAX_STEPS = 50
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Contrasts:
    """A reference minus every trial, ``(n_trials,)`` each; that of the reference itself is 0."""

    gains: np.ndarray
    """Mean over folds."""
    errors: np.ndarray
    """Standard errors of the gains."""
    p_values: np.ndarray
    """P-values of "the reference is no better", one-sided, times the number of comparisons."""
    df: float
    """Degrees of freedom behind the errors; may be infinite."""
    n_comparisons: int

    def margins(self, alpha: float) -> np.ndarray:
        """``(n_trials,)``: distance of a gain's simultaneous lower limit below it."""
        from scipy.stats import t

        return float(t.isf(alpha / self.n_comparisons, self.df)) * self.errors


def contrasts(
    gains: np.ndarray, reference: int, ratio: float, n_comparisons: int | None = None
) -> Contrasts:
    """Compare one trial with every other by the corrected resampled t-test.

    Training sets of cross-validation overlap, so that the variance of a mean difference is
    (1/k + n_test/n_train) times that of a fold's (Nadeau & Bengio, Inference for the
    generalization error, 2003). A variance from a few folds is a poor one, and there are many of
    them: each is drawn towards the common one as far as they agree (Smyth, Linear models and
    empirical Bayes methods, 2004, section 6). P-values are multiplied by the number of comparisons,
    so that they hold for a reference that was picked as the best of all (Hsu's multiple comparisons
    with the best, 1981, with Bonferroni's critical value).

    Args:
        gains: ``(n_trials, n_folds)``, at least two folds.
        reference: row of the trial that the others are compared with.
        ratio: test rows per training row of a fold.
        n_comparisons: by default all other trials.
    """
    from scipy.stats import t

    n, k = gains.shape
    n_comparisons = max(n - 1, 1) if n_comparisons is None else n_comparisons
    differences = gains[reference] - gains
    others = np.arange(n) != reference
    variances = np.zeros(n)
    variances[others], df = moderated(differences[others].var(axis=1, ddof=1), k - 1)
    means, errors = differences.mean(axis=1), np.sqrt(variances * (1 / k + ratio))
    # Differences that are the same on every fold have no error of their own.
    scale = np.maximum(errors, TINY * max(float(np.abs(gains).max(initial=0)), TINY))
    # The reference does not beat itself: with 1, it is always among the ties.
    p_values = np.where(others, t.sf(means / scale, df) * n_comparisons, 1.0)
    return Contrasts(means, errors, np.minimum(p_values, 1.0), df, n_comparisons)


def moderated(variances: np.ndarray, df: int) -> tuple[np.ndarray, float]:
    """Variances drawn towards their common value, and the degrees of freedom that they then have.

    Smyth (2004), section 6.2: the prior's degrees of freedom from the moments of log variances.
    With fewer than three variances, or none above 0, nothing is drawn.

    Args:
        variances: ``(n,)``, estimated with ``df`` degrees of freedom each.
        df: at least 1.
    """
    from scipy.special import digamma, polygamma

    positive = variances[variances > 0]
    # The prior is estimated from the spread of the variances, for which two are too few.
    if len(positive) < 3:
        return variances, float(df)
    # The last two terms take away the bias that the logarithm of an estimated variance has.
    logs = np.log(positive) - digamma(df / 2) + np.log(df / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, df / 2))
    # The trials' differences share one reference: they are not worth more than a pooled variance.
    most = float(len(variances) * df)
    # The variances differ no more than estimates of a single one would: they are pooled.
    if excess <= 0:
        return np.full_like(variances, np.exp(logs.mean())), most
    prior = 2 * _inverse_trigamma(excess)
    common = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    drawn = (prior * common + df * variances) / (prior + df)
    return drawn, min(prior + df, most)


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
