"""Quasi-random points: scipy's sequence, one point at a time, without warnings."""

import warnings
from inspect import signature

import numpy as np
import pytest
from scipy.stats import qmc

from tunesmith.history import Metric, TrialLog
from tunesmith.search.random import RandomSampler
from tunesmith.search.sobol import BLOCK, SobolSampler, sobol_points
from tunesmith.space import Categorical, Float, Int, SearchSpace

PLANE = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
RNG = np.random.default_rng(0)


def points(sampler: SobolSampler | RandomSampler, n: int, seed: int = 0) -> np.ndarray:
    log, rng = TrialLog((Metric("score"),)), np.random.default_rng(seed)
    for _ in range(n):
        params = sampler.suggest(PLANE, log.view(), 1, rng)[0]
        log.ask(params, PLANE.key(params), "test")
    return np.array([[trial.params["x"], trial.params["y"]] for trial in log.trials])


def test_it_is_scipys_scrambled_sequence() -> None:
    n = 2 * BLOCK
    name = "rng" if "rng" in signature(qmc.Sobol.__init__).parameters else "seed"
    expected = qmc.Sobol(2, scramble=True, bits=30, **{name: 5}).random(n)
    assert np.allclose(points(SobolSampler(seed=5), n), expected, atol=1e-11)


def test_another_seed_is_another_sequence() -> None:
    assert not np.allclose(points(SobolSampler(seed=5), 8), points(SobolSampler(seed=6), 8))


def test_it_fills_the_plane_more_evenly_than_chance() -> None:
    """Fixed seeds: what holds once holds always."""
    even = [qmc.discrepancy(points(SobolSampler(seed=seed), 64)) for seed in range(5)]
    chance = [qmc.discrepancy(points(RandomSampler(), 64, seed)) for seed in range(5)]
    assert max(even) < min(chance) / 3


def test_one_point_at_a_time_warns_of_nothing_and_hides_nothing() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stream = sobol_points(PLANE, seed=1)
        next(stream)
        warnings.warn("mine", stacklevel=1)
        stream.close()  # type: ignore[attr-defined]
    assert [str(warning.message) for warning in caught] == ["mine"]


def test_categories_and_whole_numbers_get_their_share() -> None:
    space = SearchSpace.of({"k": Categorical(("a", "b", "c", "d")), "n": Int(1, 1000)})
    stream = sobol_points(space, seed=3)
    found = [next(stream) for _ in range(64)]
    counts = {k: sum(p["k"] == k for p in found) for k in "abcd"}
    assert set(counts.values()) == {16}


def test_the_sequence_ends_with_too_many_dimensions_politely() -> None:
    huge = SearchSpace.of({f"p{i}": Int(0, 1) for i in range(21_202)})
    reason = SobolSampler().blocker(huge)
    assert reason is not None
    assert "random" in reason


@pytest.mark.parametrize("n", [1, 5])
def test_trials_from_elsewhere_move_the_sequence_on(n: int) -> None:
    log = TrialLog((Metric("score"),))
    log.ask({"x": 0.5, "y": 0.5}, PLANE.key({"x": 0.5, "y": 0.5}), "start_with")
    stream = sobol_points(PLANE, seed=2, skip=1)
    expected = [next(stream) for _ in range(n)]
    assert SobolSampler(seed=2).suggest(PLANE, log.view(), n, RNG) == expected
