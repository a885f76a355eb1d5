"""The share of the differences between trials that is not noise, where it is known."""

import numpy as np
import pytest

from tunesmith.analysis.statistics.reliability import (
    reliability,
    reliability_by_rows,
    tells_by_rows,
)

N_FOLDS = 5
RATIO = 1 / (N_FOLDS - 1)
N_BLOCKS = 64


def gains_of_trials(spread: float, n: int = 30, seed: int = 0) -> np.ndarray:
    """Scores of trials whose truths have this spread, on folds with noise of 1."""
    rng = np.random.default_rng(seed)
    return spread * rng.standard_normal((n, 1)) + rng.standard_normal((n, N_FOLDS))


def reliable(gains: np.ndarray, reference: int = 0) -> float | None:
    chosen = int(gains.mean(axis=1).argmax())
    return reliability(gains, chosen, reference, ratio=RATIO, n_folds=N_FOLDS)


def test_differences_of_equal_trials_are_not_reliable() -> None:
    equal, unequal = (
        [reliable(gains_of_trials(spread, seed=seed)) for seed in range(40)] for spread in (0, 3)
    )
    assert np.mean([share == 0 for share in equal]) > 0.9
    # Noise of 0.37 beside a spread of 9: the luck of the rows counts, too.
    assert np.median([share for share in unequal if share is not None]) > 0.8


def test_trials_that_are_far_too_bad_make_no_difference_reliable() -> None:
    for seed in range(20):
        gains = gains_of_trials(0, seed=seed)
        middle = int(np.argsort(gains.mean(axis=1))[15])
        failed = np.vstack([gains, gains_of_trials(0, 10, seed + 100) - 50])
        assert reliable(failed, middle) == reliable(gains, middle)


def test_few_trials_tell_no_reliability() -> None:
    assert reliable(gains_of_trials(3, n=5)) is None
    assert reliable(np.zeros((8, N_FOLDS))) == 0
    # The best of the others is the reference: only two are as good.
    gains = gains_of_trials(3)
    assert reliable(gains, int(np.argsort(-gains.mean(axis=1))[1])) is None


def scored(spread: float, groups: int, seed: int, n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Means of trials and the parts of the rows in them.

    Args:
        spread: of the truths, in units of the noise; they have its directions.
        groups: trials of a group share nearly all their luck.
        seed: of both.
        n: number of trials.
    """
    rng = np.random.default_rng(seed)

    def drawn(k: int) -> np.ndarray:
        shared = rng.standard_normal((groups, k))[np.arange(n) % groups]
        return shared + 0.1 * rng.standard_normal((n, k))

    luck, truth, parts = drawn(1)[:, 0], drawn(1)[:, 0], drawn(N_BLOCKS) / np.sqrt(N_BLOCKS)
    return luck + spread * truth, parts


def share_of(means: np.ndarray, parts: np.ndarray, reference: int | None = None) -> float | None:
    # The worst is the reference, so that all trials count.
    reference = int(means.argmin()) if reference is None else reference
    return reliability_by_rows(means, parts, int(means.argmax()), reference)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_the_share_is_that_of_the_truth_or_less(spread: float) -> None:
    expected = spread**2 / (1 + spread**2)
    for groups in (10, 30):
        found = [share_of(*scored(spread, groups=groups, seed=seed)) for seed in range(60)]
        # The largest variances of a sample are too large, so that the share is rather too small.
        assert 0.35 * expected < np.mean([share or 0.0 for share in found]) < expected


def test_luck_alone_is_not_reliable_even_if_trials_share_it() -> None:
    shares = [share_of(*scored(0, groups=3, seed=seed)) for seed in range(200)]
    by_folds = []
    for seed in range(200):
        means, _ = scored(0, groups=3, seed=seed)
        rng = np.random.default_rng(seed + 1000)
        # Folds whose differences show the noise of independent trials alone.
        gains = means[:, None] + 0.8 * rng.standard_normal((30, N_FOLDS))
        by_folds.append(reliable(gains, int(gains.mean(axis=1).argmin())))
    assert np.mean([share or 0.0 for share in shares]) < 0.25
    assert np.mean([share or 0.0 for share in by_folds]) > 0.5


@pytest.mark.parametrize("worse", [1.0, 4.0, 100.0])
def test_trials_that_are_worse_make_no_luck_reliable(worse: float) -> None:
    for seed in range(20):
        means, parts = scored(0, groups=30, seed=seed)
        middle = int(np.argsort(means)[12])
        below = means < means[middle]
        lowered = np.where(below, means - worse, means)
        assert share_of(lowered, parts, middle) == share_of(means, parts, middle)
        assert share_of(means[~below], parts[~below]) == share_of(means, parts, middle)


def test_parts_tell_if_both_and_four_others_have_them() -> None:
    _, parts = scored(0, groups=30, seed=0)
    assert tells_by_rows(parts, 3, 5)
    assert not tells_by_rows(parts[:, :40], 3, 5)
    assert tells_by_rows(parts[:6], 3, 5)
    assert not tells_by_rows(parts[:5], 3, 4)
    lacking = parts.copy()
    lacking[3] = np.nan
    assert not tells_by_rows(lacking, 3, 5)
    assert not tells_by_rows(lacking, 5, 3)
    assert tells_by_rows(lacking, 4, 5)


def test_trials_without_parts_do_not_count() -> None:
    means, parts = scored(3, groups=30, seed=0)
    middle = [place for place in range(30) if place not in (means.argmax(), means.argmin())]
    without = parts.copy()
    without[middle[:10]] = np.nan
    kept = [place for place in range(30) if place not in middle[:10]]
    assert share_of(means, without) == share_of(means[kept], parts[kept])
    # With too few of them nothing is told, nor without those that are compared.
    without[middle[:25]] = np.nan
    assert share_of(means, without) is None
    for place in (int(means.argmax()), int(means.argmin())):
        lacking = parts.copy()
        lacking[place] = np.nan
        assert share_of(means, lacking) is None


def test_few_rows_tell_no_reliability_and_alike_trials_none() -> None:
    means, parts = scored(3, groups=30, seed=0)
    assert share_of(means, parts[:, :40]) is None
    assert reliability_by_rows(np.zeros(8), np.ones((8, N_BLOCKS)), 0, 1) == 0
