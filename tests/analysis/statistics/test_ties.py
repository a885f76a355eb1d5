import numpy as np
import pytest

from tunesmith.analysis.statistics.ties import near_best, pick, ties, within_one_se
from tunesmith.testing.fold_scores import simulate, simulate_smooth


@pytest.mark.parametrize(("unequal", "shared"), [(0.0, 0.0), (0.0, 0.2), (0.5, 0.2)])
def test_the_truly_best_is_among_the_ties(unequal: float, shared: float) -> None:
    """Where all are equally good, each of them is the truly best one: the hardest case."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(200):
        gains = simulate(np.zeros(40), 5, rng, unequal=unequal, shared=shared)
        found = ties(gains, 1 / 4)
        assert found is not None
        inside += bool(found[0])
    assert inside / 200 >= 0.93


def test_much_worse_trials_are_no_ties() -> None:
    truth = np.repeat([0.0, -0.01, -0.2], 10)
    found = ties(simulate(truth, 5, np.random.default_rng(0)), 1 / 4)
    assert found is not None
    assert not found[20:].any()
    assert found[:20].sum() > 15


def test_a_single_fold_says_nothing() -> None:
    assert ties(np.ones((3, 1)), 1.0) is None
    assert ties(np.ones((0, 5)), 0.25) is None


def test_equal_trials_are_ties() -> None:
    gains = np.array([[0.5, 0.7], [0.5, 0.7], [0.1, 0.2]])
    found = ties(gains, 1.0)
    assert found is not None
    assert found[:2].all()


def test_one_standard_error_below_the_best() -> None:
    gains = np.array([[0.9, 1.0], [0.90, 0.901], [0.8, 0.99], [0.89, 0.90]])
    assert within_one_se(gains).tolist() == [True, True, False, False]
    assert within_one_se(gains[:, :1]).tolist() == [True, True, False, False]


def test_failed_trials_are_never_within() -> None:
    assert within_one_se(np.array([[np.nan, 1.0], [0.5, 0.5]])).tolist() == [False, True]
    assert not within_one_se(np.full((2, 2), np.nan)).any()


def test_the_cheapest_then_the_best_then_the_first_is_picked() -> None:
    among, cost = np.array([False, True, True, True]), np.array([0.0, 1.0, 1.0, 1.0])
    assert pick(among, cost, np.array([1, 3, 2, 2])) == 2
    assert pick(among, np.array([0, 3, 2, 1]), np.array([1, 2, 3, 4])) == 3


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("noise", [0.005, 0.02])
def test_what_is_worse_than_the_margin_is_hardly_ever_shown_to_be_near(
    k: int, noise: float
) -> None:
    """The simplest of 40 trials; ties would be worse than the margin in most of these studies."""
    n_worse = n_simpler = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        sizes, peak = rng.random(40), rng.random()
        truth = -0.2 * np.abs(sizes - peak)
        gains = simulate_smooth(truth, sizes, k, rng, noise=noise, shared=1 / k)
        best = int(np.argmax(gains.mean(axis=1)))
        near = near_best(gains, 1 / (k - 1), within=0.01)
        assert near is not None
        row = pick(near, sizes, -gains.mean(axis=1))
        n_worse += truth[best] - truth[row] > 0.01
        n_simpler += sizes[row] < sizes[best]
    assert n_worse / 80 <= 0.05
    # A rule that always took the best would be of no use.
    assert n_simpler / 80 >= (0.5 if noise == 0.005 else 0.1)


def test_of_a_single_fold_nothing_is_shown_to_be_near() -> None:
    assert near_best(np.ones((3, 1)), 1.0, within=1.0) is None


def test_equal_scores_lack_nothing() -> None:
    gains = np.array([[0.5, 0.7], [0.5, 0.7], [0.1, 0.2]])
    found = near_best(gains, 1.0, within=0.0)
    assert found is not None
    assert found.tolist() == [True, True, False]
