import numpy as np
import pytest

from tunesmith.analysis.statistics.noise import (
    decompose,
    discordant_folds,
    residuals,
    shifted_folds,
)
from tunesmith.testing.fold_scores import simulate

LIKELY = 0.04


def test_the_parts_are_found_again() -> None:
    rng = np.random.default_rng(0)
    found = decompose(simulate(rng.normal(0, 0.03, 400), 200, rng, noise=0.02, fold=0.05))
    assert found is not None
    assert found.trial == pytest.approx(0.03, rel=0.1)
    assert found.fold == pytest.approx(0.05, rel=0.1)
    assert found.residual == pytest.approx(0.02, rel=0.1)
    assert found.correlation == pytest.approx(9 / 13, abs=0.05)


def test_one_trial_or_one_fold_has_no_parts() -> None:
    assert decompose(np.ones((1, 5))) is None
    assert decompose(np.ones((5, 1))) is None


def test_residuals_have_no_effects_left() -> None:
    left = residuals(np.random.default_rng(0).normal(size=(6, 4)))
    assert np.allclose(left.mean(axis=0), 0)
    assert np.allclose(left.mean(axis=1), 0)


def test_folds_that_are_alike_are_seldom_named() -> None:
    rng, shifted, discordant = np.random.default_rng(0), 0, 0
    for _ in range(300):
        gains = simulate(rng.normal(0, 0.02, 30), 5, rng)
        shifted += bool(shifted_folds(gains))
        discordant += bool(discordant_folds(gains))
    assert shifted / 300 < LIKELY
    assert discordant / 300 < LIKELY


def test_a_shifted_fold_is_named() -> None:
    gains = simulate(np.zeros(30), 6, np.random.default_rng(0))
    gains[:, 4] -= 0.5
    assert shifted_folds(gains) == (4,)
    assert shifted_folds(gains[:, 3:]) == ()


def test_a_fold_that_ranks_otherwise_is_named() -> None:
    rng = np.random.default_rng(0)
    gains = simulate(rng.normal(0, 0.01, 40), 6, rng, noise=0.01)
    gains[:, 2] += rng.normal(0, 0.1, 40)
    assert discordant_folds(gains) == (2,)
    assert shifted_folds(gains) == ()


def test_equal_scores_have_no_odd_folds() -> None:
    assert shifted_folds(np.ones((10, 5))) == ()
    assert discordant_folds(np.ones((10, 5))) == ()
