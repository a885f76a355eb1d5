import numpy as np
import pytest
from tests.analysis.statistics.corrections import drawn, outcome

from tunesmith.analysis.statistics.optimism import (
    corrected,
    out_of_bag,
    resamples,
    shrunk_by_minima,
)
from tunesmith.testing.fold_scores import simulate


@pytest.mark.parametrize(("k", "spread"), [(5, 0.0), (5, 0.02), (10, 0.02)])
def test_the_correction_takes_the_bias_away(k: int, spread: float) -> None:
    rng = np.random.default_rng(0)
    before, after, minima, inside = [], [], [], 0
    for _ in range(150):
        truth = -np.abs(rng.normal(0, spread, 50)) if spread else np.zeros(50)
        gains = simulate(truth, k, rng)
        best = int(np.argmax(gains.mean(axis=1)))
        found = corrected(gains, 1 / (k - 1))
        assert found is not None
        before.append(gains[best].mean() - truth[best])
        after.append(found.score - truth[best])
        minima.append(shrunk_by_minima(gains) - truth[best])
        inside += found.low <= truth[best] <= found.high
    assert np.mean(before) > 0.008
    assert abs(np.mean(after)) < 0.25 * np.mean(before)
    assert np.square(after).mean() < np.square(before).mean()
    assert abs(np.mean(after)) < abs(np.mean(minima))
    assert inside / 150 >= 0.93


def test_without_differences_it_is_below_the_mean_of_all_trials_half_the_time() -> None:
    values = np.array([outcome(drawn(9, 5, 0.0, 0.0, seed)) for seed in range(400)])
    best, bias, floored, cover, below = values.mean(axis=0)
    assert best > 0.015
    assert abs(bias) < 0.003
    assert cover > 0.95
    # That is no mistake: an estimate without bias that is never below the mean would be too high.
    assert 0.4 < below < 0.7
    assert floored > bias + 0.003


def test_with_clear_differences_it_is_hardly_ever_below() -> None:
    values = np.array([outcome(drawn(9, 5, 0.05, 0.0, seed)) for seed in range(200)])
    assert values[:, 4].mean() < 0.03


def test_resamples_are_all_there_are() -> None:
    counts, weights = resamples(3)
    assert (counts.sum(axis=1) == 3).all()
    assert len(counts) == 10 - 1
    rng = np.random.default_rng(0)
    gains = rng.normal(size=(6, 3))
    drawn = rng.multinomial(3, [1 / 3] * 3, size=40_000)
    drawn = drawn[(drawn == 0).any(axis=1)]
    best, out = (gains @ drawn.T).argmax(axis=0), drawn == 0
    expected = ((gains[best] * out).sum(axis=1) / out.sum(axis=1)).mean()
    assert out_of_bag(gains) == pytest.approx(expected, abs=0.01)
    assert weights.min() > 0


def test_many_folds_repeat() -> None:
    gains = np.random.default_rng(0).normal(size=(20, 10))
    assert out_of_bag(gains) == out_of_bag(gains)


def test_nothing_is_known_of_one_fold_or_one_trial() -> None:
    assert corrected(np.ones((5, 1)), 1.0) is None
    assert corrected(np.ones((1, 5)), 0.25) is None
