"""The sequential test on repeated splits, on differences whose truth is known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tunesmith.analysis.statistics.sequential import ADOPTING, Look, levels, look

N_FOLDS = 5
RATIO = 1 / (N_FOLDS - 1)


def looked(fresh: np.ndarray, n_most: int = 4, **options: Any) -> Look:
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


def test_the_parts_of_the_rows_tell_the_luck_of_the_rows() -> None:
    """A gain that is the same for every row is sure, however much the folds differ."""
    rng = np.random.default_rng(0)
    fresh = 0.03 + 0.02 * rng.standard_normal((2, N_FOLDS))
    parts = np.repeat(rng.standard_normal((1, 64)), 2, axis=0)
    errors = [looked(fresh, parts=size * parts).error for size in (1e-4, 1e-3, 1e-2)]
    assert errors == sorted(errors)
    assert errors[-1] ** 2 == pytest.approx(np.sum((1e-2 * parts[0]) ** 2) * 64 / 63, rel=0.2)
    assert looked(fresh, parts=1e-4 * parts, reliable=1.0).verdict == "adopt"
    assert looked(fresh, parts=1e-2 * parts, reliable=1.0).verdict != "adopt"


def test_rows_without_any_luck_leave_that_of_the_splits() -> None:
    fresh = np.array([[0.03, 0.02, 0.04, 0.03, 0.03]])
    found = looked(fresh, parts=np.zeros((1, 64)), reliable=1.0)
    assert found.verdict == "adopt"
    assert 0 < found.error < looked(fresh).error
