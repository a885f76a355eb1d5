"""A sequential test of two candidates on repeated splits of the same rows.

Each repeat of k-fold cross-validation scores both candidates on all rows. Its mean difference is
the true gain, plus the luck of these rows, which every repeat shares, plus the luck of this
split. So the mean of r repeats has the variance D + B / r: further repeats take away the luck of
the splits and never that of the rows. With these variances the means of the repeats are a process
with independent increments of information, 1 / (D + B / r), to which the theory of group-sequential
tests applies as it stands.

No test is exact here: the repeats reuse rows, the rows have a part in the choice of the candidate,
and D cannot be seen in the repeats. It is taken from the spread between folds, and the constants
below are calibrated on studies with a known truth (``tests/analysis/confirm``).

What the choice on the same rows is worth depends on the candidates: if their means differ by no
more than their noise, the best of them is lucky. The share of the differences that is not noise
shrinks the gain (an empirical Bayes estimate: Efron & Morris 1975).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, sqrt
from typing import Literal

import numpy as np

from tunesmith.analysis.statistics.noise import residuals

Verdict = Literal["adopt", "keep", "equal", "indistinguishable"]

ADOPTING = 0.02
"""Level of an adoption over all looks, of a gain that is shrunken by its reliability: the winner is
adopted in 0 to 2 % of studies without a gain, by their kind (simulated)."""
UNSHRUNKEN = 0.006
"""The same if too few candidates tell no reliability."""
MIN_CANDIDATES = 6
"""Candidates that tell the reliability of their differences."""
KEEPING = 0.02
"""Level of keeping the current parameters, over all looks; the choice makes it only stricter."""
SPLITS = 0.6
"""Luck of a split, as a share of the variance between folds by the number of folds, that is
expected before repeats tell."""
SPLITS_DF = 4
"""Weight of that expectation, in repeats."""
HOPELESS = 0.02
"""Chance of a decision below which further repeats are not worth their fits."""
TINY = 1e-12
N_GRID = 401
WIDEST = 6.0


@dataclass(frozen=True)
class Look:
    """State of a comparison after some repeats."""

    verdict: Verdict | None
    """``None`` if a further repeat is worth its fits."""
    gain: float
    """Mean difference over all further folds, positive if the chosen candidate is better."""
    error: float
    """Its standard error, the luck of the rows included."""
    low: float
    high: float
    """Lower and upper limit of the gain; the lower one is above 0 only if the winner is adopted."""


@dataclass(frozen=True)
class RepeatNoise:
    """Variances of mean differences.

    Args:
        rows: that of the luck of the rows, which all repeats share.
        splits: that of the luck of one repeat's split.
        df: degrees of freedom behind them.
    """

    rows: float
    splits: float
    df: float

    @classmethod
    def of(cls, search: np.ndarray, fresh: np.ndarray, ratio: float) -> "RepeatNoise":
        """Estimate the variances.

        Args:
            search: ``(n_repeats, n_folds)`` differences on the folds of the search.
            fresh: ``(n_looks, n_folds)`` differences on further folds.
            ratio: test rows per training row of a fold.
        """
        both, n_folds = np.vstack([search, fresh]), fresh.shape[1]
        # Around each repeat's own mean: the choice of the winner has shifted that of the search.
        df = len(both) * (n_folds - 1)
        between_folds = float(both.var(axis=1, ddof=1).mean())
        expected = SPLITS * between_folds / n_folds
        means, n = fresh.mean(axis=1), len(fresh)
        squares = float(((means - means.mean()) ** 2).sum())
        splits = (SPLITS_DF * expected + squares) / (SPLITS_DF + n - 1)
        return cls(ratio * between_folds, splits, float(df))

    def error(self, n: int) -> float:
        """Return the standard error of the mean of n repeats."""
        return sqrt(self.rows + self.splits / n)

    def margin(self, level: float, n: int) -> float:
        """Return the half width of a one-sided interval of the mean of n repeats."""
        from scipy.stats import t

        # A level of the normal distribution at Student's quantile: the variances are estimates.
        return float(t.isf(level, self.df)) * self.error(n)

    def chance(self, rise: float, n: int, last: int) -> float:
        """Return the probability that the mean rises so far from n repeats to the last one."""
        from scipy.stats import norm

        # Seen from here, it moves by the luck of splits alone.
        moves = sqrt(self.splits * (1 / n - 1 / last))
        return float(norm.sf(rise / moves)) if moves else 0.0


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
    rise = max(float(means[chosen] - means[reference]), 0.0)
    near = gains[means >= means[reference] - rise]
    n, k = near.shape
    if n < MIN_CANDIDATES or k < 2:
        return None
    between_folds = float((residuals(near) ** 2).sum() / ((n - 1) * (k - 1)))
    noise = RepeatNoise(ratio * between_folds, SPLITS * between_folds / n_folds, (n - 1) * (k - 1))
    spread = float(near.mean(axis=1).var(ddof=1))
    variance = noise.error(k // n_folds) ** 2
    return 1 - variance / spread if spread > variance else 0.0


def look(
    search: np.ndarray,
    fresh: np.ndarray,
    *,
    n_most: int,
    ratio: float,
    least: float = 0.0,
    within: float = 0.0,
    reliable: float | None = None,
) -> Look:
    """Look at a comparison after some of its repeats.

    The levels of the looks spend one error probability (Lan & DeMets 1983). *Indistinguishable*
    means that the repeats are spent, or that those that are left will hardly lead to an adoption
    (stochastic curtailment: Lan, Simon & Halperin 1982).

    Args:
        search: ``(n_repeats, n_folds)`` differences on the folds of the search; of their means
            nothing is used, because the winner was chosen by them.
        fresh: ``(n_looks, n_folds)`` differences on further folds, repeat by repeat; at least one.
        n_most: number of repeats at most.
        ratio: test rows per training row of a fold.
        least: gains below that are not worth a change.
        within: gains up to that, and losses, are practically nothing.
        reliable: share of the differences between all candidates that is not noise; ``None`` if it
            is not known.
    """
    n, gain = len(fresh), float(fresh.mean())
    noise = RepeatNoise.of(search, fresh, ratio)
    error, last = noise.error(n), max(n, n_most)
    # Differences that are the same on every fold have no error but that of rounding.
    if error <= TINY * abs(gain):
        return Look(_verdict(gain, (gain, gain, gain), least, within), gain, 0.0, gain, gain)
    relative = round(noise.splits / noise.rows, 1) if noise.rows else 1.0
    share, level = (1.0, UNSHRUNKEN) if reliable is None else (reliable, ADOPTING)
    up, down = levels(last, relative, level), levels(last, relative, KEEPING)
    shrunken = share * gain - sqrt(share) * noise.margin(up[n - 1], n)
    low, high = (gain + sign * noise.margin(down[n - 1], n) for sign in (-1, 1))
    verdict = _verdict(gain, (shrunken, low, high), least, within)
    if verdict is None:
        needed = max(noise.margin(up[-1], last) / sqrt(share), least) if share else inf
        verdict = "indistinguishable" if noise.chance(needed - gain, n, last) < HOPELESS else None
    return Look(verdict, gain, error, shrunken if shrunken > 0 else min(low, 0.0), high)


def _verdict(
    gain: float, limits: tuple[float, float, float], least: float, within: float
) -> Verdict | None:
    shrunken, low, high = limits
    if shrunken > 0 and gain >= least:
        return "adopt"
    if -within < low and high < within:
        return "equal"
    # The same score on every fold is no gain, even if none is asked for.
    return "keep" if high < least or low == high <= 0 else None


@lru_cache(maxsize=1024)
def levels(n: int, relative: float, alpha: float) -> tuple[float, ...]:
    """Return the one-sided level of each of n looks.

    Args:
        n: number of looks.
        relative: luck of one split by the luck of the rows.
        alpha: probability that any look errs, if there is no gain.
    """
    from scipy.stats import norm

    information = 1 / (1 + relative / np.arange(1, n + 1))
    share = information / information[-1]
    # O'Brien & Fleming's spending: little at first, if the first repeats tell little.
    spent = 2 * norm.sf(norm.isf(alpha / 2) / np.sqrt(share))
    spent = np.minimum(spent * alpha / spent[-1], alpha)
    return tuple(float(norm.sf(z)) for z in _boundaries(share, spent))


def _boundaries(share: np.ndarray, spent: np.ndarray) -> list[float]:
    """Boundaries of a process with independent increments that spend the given probabilities.

    Armitage, McPherson & Rowe (1969): the density of the paths that have crossed no boundary yet,
    carried from look to look.

    Args:
        share: information at each look, as a share of all.
        spent: probability of having crossed by then.
    """
    from scipy.stats import norm

    found: list[float] = []
    grid, density, before = np.zeros(1), np.ones(1), 0.0
    for now, target, last in zip(share, spent, [0.0, *spent[:-1]], strict=True):
        step = sqrt(now - before)
        # Survival beyond any point, from the paths that are left.
        points = np.linspace(0.0, WIDEST, N_GRID) * sqrt(now)
        beyond = norm.sf((points[:, None] - grid) / step) @ density
        z = float(np.interp(-(target - last), -beyond, points / sqrt(now)))
        found.append(z)
        edges = np.linspace(-WIDEST, z, N_GRID) * sqrt(now)
        width = edges[1] - edges[0]
        density = (norm.pdf((edges[:, None] - grid) / step) @ density) * width / step
        density[[0, -1]] /= 2
        grid, before = edges, now
    return found
