import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tunesmith.analysis.statistics.contrasts import contrasts, moderated

SCORES = arrays(float, (5, 4), elements=st.floats(0, 1, width=32))


def test_two_trials_are_the_plain_corrected_t_test() -> None:
    """Nadeau & Bengio (2003): nothing to draw the one variance towards."""
    gains = np.array([[0.70, 0.80, 0.75], [0.72, 0.83, 0.76]])
    found = contrasts(gains, 1, ratio=0.5)
    differences = np.array([0.02, 0.03, 0.01])
    assert found.gains[0] == pytest.approx(0.02)
    assert found.errors[0] == pytest.approx(math.sqrt(differences.var(ddof=1) * (1 / 3 + 1 / 2)))
    assert (found.df, found.n_comparisons) == (2.0, 1)
    assert found.p_values[1] == 1.0


def test_variances_that_differ_by_chance_alone_become_one() -> None:
    rng = np.random.default_rng(0)
    equal = rng.chisquare(4, 3000) / 4
    drawn, df = moderated(equal, 4)
    assert drawn.std() < 0.1 * equal.std()
    assert drawn.mean() == pytest.approx(1, abs=0.05)
    assert df > 100


def test_the_prior_is_found_again() -> None:
    """Variances from an inverse chi-square with 6 degrees of freedom around 2 (Smyth's model)."""
    rng = np.random.default_rng(1)
    truth = 2 * 6 / rng.chisquare(6, 20_000)
    estimates = truth * rng.chisquare(4, 20_000) / 4
    drawn, df = moderated(estimates, 4)
    assert df == pytest.approx(10, abs=0.5)
    assert np.mean((drawn - truth) ** 2) < np.mean((estimates - truth) ** 2)


@pytest.mark.parametrize("gains", [np.ones((4, 3)), np.zeros((2, 2)), np.eye(3)])
def test_degenerate_scores_give_numbers(gains: np.ndarray) -> None:
    found = contrasts(gains, 0, 0.5)
    assert np.isfinite(found.p_values).all()
    assert np.isfinite(found.errors).all()


@given(SCORES, st.integers(0, 4))
def test_p_values_and_errors_are_sound(gains: np.ndarray, reference: int) -> None:
    found = contrasts(gains, reference, 0.25)
    assert ((found.p_values >= 0) & (found.p_values <= 1)).all()
    assert (found.errors >= 0).all()
    assert found.gains[reference] == 0


@given(SCORES)
def test_folds_have_no_order(gains: np.ndarray) -> None:
    left, right = contrasts(gains, 0, 0.25), contrasts(gains[:, ::-1], 0, 0.25)
    assert np.allclose(left.errors, right.errors)
