"""The sequential test on repeated splits, on differences whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tunesmith.analysis.statistics.sequential import ADOPTING, Look, levels, look, reliability

N_FOLDS = 5
RATIO = 1 / (N_FOLDS - 1)


def looked(fresh: np.ndarray, n_most: int = 4, **options: float) -> Look:
    """Look at differences whose search has told nothing but their spread."""
    search = np.array([[0.01, -0.01, 0.02, -0.02, 0.0]])
    return look(search, np.atleast_2d(fresh), n_most=n_most, ratio=RATIO, **options)


@pytest.mark.parametrize(("n", "relative"), [(1, 0.3), (2, 0.1), (4, 0.3), (4, 3.0), (10, 1.0)])
def test_the_levels_spend_their_probability(n: int, relative: float) -> None:
    """By simulation: means of repeats that share the luck of the rows."""
    alpha, n_paths = 0.05, 200_000
    critical = norm.isf(levels(n, relative, alpha))
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n_paths, 1))
    splits = np.cumsum(rng.standard_normal((n_paths, n)), axis=1) / np.arange(1, n + 1)
    errors = np.sqrt(1 + relative / np.arange(1, n + 1))
    crossed = ((rows + np.sqrt(relative) * splits) / errors > critical).any(axis=1).mean()
    assert abs(crossed - alpha) < 4 * np.sqrt(alpha * (1 - alpha) / n_paths) + 5e-4
    assert all(0 < level <= alpha for level in levels(n, relative, alpha))


def test_one_look_has_the_whole_probability() -> None:
    (level,) = levels(1, 0.3, ADOPTING)
    assert level == pytest.approx(ADOPTING, rel=1e-3)


def test_a_clear_gain_and_a_clear_loss_end_at_once() -> None:
    gain = np.array([0.3, 0.31, 0.29, 0.3, 0.32])
    assert looked(gain).verdict == "adopt"
    assert looked(-gain).verdict == "keep"
    assert looked(gain, least=0.5).verdict == "keep"
    assert looked(gain, least=0.305).verdict != "adopt"


def test_what_cannot_be_told_ends_when_more_repeats_are_no_help() -> None:
    noise = np.array([0.02, -0.03, 0.01, 0.0, -0.01])
    assert looked(noise).verdict == "indistinguishable"
    assert looked(noise, n_most=20).verdict == "indistinguishable"


def test_a_gain_at_the_border_asks_for_more() -> None:
    border = np.array([0.055, -0.01, 0.06, 0.0, 0.055])
    assert looked(border, n_most=10).verdict is None
    assert looked(border, n_most=1).verdict == "indistinguishable"


def test_small_differences_are_practically_equal() -> None:
    small = np.array([1e-4, -1e-4, 2e-4, 0.0, 1e-4])
    found = look(small[None], small[None], n_most=4, ratio=RATIO, within=0.01)
    assert found.verdict == "equal"
    assert look(small[None], small[None], n_most=4, ratio=RATIO).verdict != "equal"


def test_the_same_on_every_fold_is_no_gain() -> None:
    same = np.zeros((1, N_FOLDS))
    assert look(same, same, n_most=4, ratio=RATIO).verdict == "keep"
    found = look(same, same + 0.1 + 0.2, n_most=4, ratio=RATIO)
    assert (found.verdict, found.error) == ("adopt", 0)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10), st.floats(0.01, 100))
def test_the_unit_of_the_score_means_nothing(values: list[float], unit: float) -> None:
    fresh = np.array(values).reshape(2, N_FOLDS)
    first = look(fresh[:1], fresh, n_most=4, ratio=RATIO)
    second = look(fresh[:1] * unit, fresh * unit, n_most=4, ratio=RATIO)
    assert second.gain == pytest.approx(first.gain * unit)
    assert second.error == pytest.approx(first.error * unit, abs=1e-9)
    assert first.low <= first.gain <= first.high


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


def test_the_same_gain_is_adopted_if_differences_are_reliable() -> None:
    gain = np.array([[0.06, 0.05, 0.04, 0.065, 0.05]])
    shares = (0.0, 0.2, 0.6, 0.95)
    found = [looked(gain / 2, reliable=share) for share in shares]
    assert found[0].verdict == "indistinguishable"
    assert found[-1].verdict == "adopt"
    assert [look.verdict == "adopt" for look in found] == [look.low > 0 for look in found]
    assert all(look.low <= look.gain <= look.high for look in found)
    # Nothing is as sure as a gain without noise, however little the others differ.
    same = np.zeros((1, N_FOLDS))
    assert look(same, same + 0.3, n_most=4, ratio=RATIO, reliable=0.0).verdict == "adopt"
