"""A sequential test of two candidates on repeated splits of the same rows.

Each repeat of k-fold cross-validation scores both candidates on all rows. Its mean difference is
the true gain, plus the luck of these rows, which every repeat shares, plus the luck of this
split. So the mean of r repeats has the variance D + B / r: further repeats take away the luck of
the splits and never that of the rows. With these variances the means of the repeats are a process
with independent increments of information, 1 / (D + B / r), to which the theory of group-sequential
tests applies as it stands.

No test is exact here: the repeats reuse rows, the rows have a part in the choice of the candidate,
and D cannot be seen in the repeats. It is the variance of the rows' parts in the difference if
those are known, and is taken from the spread between folds if not. The constants below are
calibrated on studies with a known truth (``tests/analysis/confirm``).

What the choice on the same rows is worth depends on the candidates: the share of their differences
that is not noise shrinks the gain (``reliability``).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, sqrt
from typing import Literal

import numpy as np

Verdict = Literal["adopt", "keep", "equal", "indistinguishable"]

ADOPTING = 0.02
"""Level of an adoption over all looks, of a gain that is shrunken by its reliability: the winner is
adopted in 0 to 2 % of studies without a gain, by their kind (simulated)."""
UNSHRUNKEN = 0.006
"""The same if too few candidates tell no reliability."""
BY_ROWS = 0.025
"""The same if the parts of the rows tell the noise and the reliability (simulated): of candidates
that are as good as the current parameters, whose differences seem smaller than those of all."""
LEAST_RELATIVE, MOST_RELATIVE = 0.1, 1000.0
"""Luck of a split by that of the rows, beyond which the levels of the looks hardly change."""
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
    def of(
        cls, search: np.ndarray, fresh: np.ndarray, ratio: float, parts: np.ndarray | None = None
    ) -> "RepeatNoise":
        """Estimate the variances.

        Args:
            search: ``(n_repeats, n_folds)`` differences on the folds of the search.
            fresh: ``(n_looks, n_folds)`` differences on further folds.
            ratio: test rows per training row of a fold.
            parts: ``(n_looks, n_blocks)`` of the rows in the differences of further repeats.
        """
        both, n_folds = np.vstack([search, fresh]), fresh.shape[1]
        # Around each repeat's own mean: the choice of the winner has shifted that of the search.
        df = len(both) * (n_folds - 1)
        between_folds = float(both.var(axis=1, ddof=1).mean())
        expected = SPLITS * between_folds / n_folds
        means, n = fresh.mean(axis=1), len(fresh)
        squares = float(((means - means.mean()) ** 2).sum())
        splits = (SPLITS_DF * expected + squares) / (SPLITS_DF + n - 1)
        if parts is None:
            return cls(ratio * between_folds, splits, float(df))
        # Averaged over repeats first: what each split adds to a row's part is not the row's luck.
        of_rows, n_blocks = parts.mean(axis=0), parts.shape[1]
        rows = float((of_rows**2).sum()) * n_blocks / (n_blocks - 1)
        return cls(rows, splits, float(n_blocks - 1))

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


def look(
    search: np.ndarray,
    fresh: np.ndarray,
    *,
    n_most: int,
    ratio: float,
    least: float = 0.0,
    within: float = 0.0,
    reliable: float | None = None,
    parts: np.ndarray | None = None,
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
        parts: ``(n_looks, n_blocks)`` of the rows in the differences, if these are known.
    """
    n, gain = len(fresh), float(fresh.mean())
    noise = RepeatNoise.of(search, fresh, ratio, parts)
    error, last = noise.error(n), max(n, n_most)
    # Differences that are the same on every fold have no error but that of rounding.
    if error <= TINY * abs(gain):
        return Look(_verdict(gain, (gain, gain, gain), least, within), gain, 0.0, gain, gain)
    relative = _relative(noise)
    share, level = _share_and_level(reliable, parts is not None)
    up, down = levels(last, relative, level), levels(last, relative, KEEPING)
    shrunken = share * gain - sqrt(share) * noise.margin(up[n - 1], n)
    low, high = (gain + sign * noise.margin(down[n - 1], n) for sign in (-1, 1))
    verdict = _verdict(gain, (shrunken, low, high), least, within)
    if verdict is None:
        needed = max(noise.margin(up[-1], last) / sqrt(share), least) if share else inf
        verdict = "indistinguishable" if noise.chance(needed - gain, n, last) < HOPELESS else None
    return Look(verdict, gain, error, shrunken if shrunken > 0 else min(low, 0.0), high)


def _share_and_level(reliable: float | None, has_parts: bool) -> tuple[float, float]:
    if reliable is None:
        return 1.0, UNSHRUNKEN
    return reliable, BY_ROWS if has_parts else ADOPTING


def _relative(noise: RepeatNoise) -> float:
    """Luck of a split by that of the rows, rounded: levels are computed once for each."""
    relative = noise.splits / noise.rows if noise.rows else 1.0
    # Without any luck of the splits, later looks would tell nothing that the first did not.
    return min(max(round(relative, 1), LEAST_RELATIVE), MOST_RELATIVE)


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
