import numpy as np
import pytest

from tunesmith.analysis.statistics.gate import weigh
from tunesmith.testing.fold_scores import simulate


def adopted(gain: float, n: int = 40, shared: float = 0.0) -> float:
    """How often the best of all is adopted, where half of the trials gain so much."""
    rng, n_adopted = np.random.default_rng(0), 0
    for _ in range(150):
        truth = np.where(np.arange(n) < n // 2, 0.0, gain)
        gains = simulate(truth, 5, rng, shared=shared)
        best = int(np.argmax(gains.mean(axis=1)))
        n_adopted += weigh(gains, best, 0, 1 / 4).verdict == "adopt"
    return n_adopted / 150


@pytest.mark.parametrize("shared", [0.0, 0.2])
def test_luck_is_not_adopted(shared: float) -> None:
    assert adopted(0.0, shared=shared) <= 0.07


def test_gains_are_adopted() -> None:
    assert adopted(0.08) > 0.9


def test_small_gains_are_not_worth_it() -> None:
    gains = np.array([[0.5, 0.6, 0.7, 0.5], [0.501, 0.601, 0.7011, 0.5009]])
    assert weigh(gains, 1, 0, 1 / 3).verdict == "adopt"
    assert weigh(gains, 1, 0, 1 / 3, min_improvement=0.002).verdict == "keep"


def test_what_the_folds_do_not_say_is_said() -> None:
    gains = np.array([[0.5, 0.6, 0.7], [0.9, 0.4, 0.75]])
    found = weigh(gains, 1, 0, 1 / 2)
    assert found.verdict == "indistinguishable"
    assert found.low < 0 < found.gain < found.high


def test_the_same_trial_is_kept() -> None:
    assert weigh(np.ones((2, 3)), 1, 1, 0.5).verdict == "keep"


def test_equal_scores_are_no_gain() -> None:
    assert weigh(np.ones((2, 3)), 1, 0, 0.5).verdict == "keep"


def test_a_single_fold_says_nothing() -> None:
    found = weigh(np.array([[0.1], [0.9]]), 1, 0, 1.0)
    assert found.verdict == "indistinguishable"
    assert np.isnan(found.error)
