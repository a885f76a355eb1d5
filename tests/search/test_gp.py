"""Bayesian search with the Gaussian process, under the contract of all strategies."""

import numpy as np

from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.search.gp import GPSampler, _kept
from tunesmith.search.sampler import Sampler
from tunesmith.space import Categorical, Float, SearchSpace
from tunesmith.testing.sampler import SamplerContract, random_log, stream


class TestGPSampler(SamplerContract):
    n_trials = 14

    def make(self) -> Sampler:
        return GPSampler(seed=3)


def test_a_long_history_is_learned_from_by_its_best_and_its_latest() -> None:
    gains = np.array([9.0, 0, 1, 8, 2, 3, 4, 5, 6, 7])
    assert _kept(gains, 20).tolist() == list(range(10))
    kept = _kept(gains, 4).tolist()
    assert kept == [0, 3, 8, 9]
    assert _kept(gains, 5).tolist() == [0, 3, 7, 8, 9]


def test_three_hundred_trials_and_thirty_parameters() -> None:
    space = SearchSpace.of({f"x{i}": Float(0, 1) for i in range(30)})
    log = random_log(space, 300, 300)
    (found,) = GPSampler(max_points=100).suggest(space, log.view(), 1, stream(0, 0))
    assert set(found) == set(space.names)


def test_nothing_but_a_choice() -> None:
    space = SearchSpace.of({"k": Categorical(tuple("abcdefghijklmnop"))})
    log = TrialLog((Metric("score"),))
    sampler = GPSampler(n_startup=4)
    for number in range(16):
        (params,) = sampler.suggest(space, log.view(), 1, stream(0, number))
        trial = log.ask(params, space.key(params), "gp")
        log.tell(trial.told([FoldResult(0, {"score": float(params["k"] == "m")})]))
    assert sampler.suggest(space, log.view(), 1, stream(0, 16)) == []


def test_several_objectives_are_each_approached() -> None:
    """Two hills at the ends of a line: the front lies between, its ends are found."""
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
    log = TrialLog((Metric("left"), Metric("right", "minimize")))
    sampler = GPSampler(n_startup=6)
    for number in range(40):
        (params,) = sampler.suggest(space, log.view(), 1, stream(1, number))
        x, y = float(str(params["x"])), float(str(params["y"]))
        trial = log.ask(params, space.key(params), "gp")
        off = (y - 0.5) ** 2
        log.tell(trial.told([FoldResult(0, {"left": -(x**2) - off, "right": (x - 1) ** 2 + off})]))
    front = [float(str(trial.params["x"])) for trial in log.view().front()]
    assert len(front) >= 8
    assert min(front) < 0.15
    assert max(front) > 0.85
