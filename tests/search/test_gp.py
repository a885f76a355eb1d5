"""Bayesian search with the Gaussian process, under the contract of all strategies."""

from collections.abc import Callable

import numpy as np
import pytest

from tunesmith import registry
from tunesmith.history import Failure, FoldResult, Metric, TrialLog
from tunesmith.search.gp import GPSampler, _kept
from tunesmith.search.sampler import Sampler
from tunesmith.search.sobol import SobolSampler
from tunesmith.space import Categorical, Float, Int, SearchSpace
from tunesmith.testing.sampler import SamplerContract, random_log, stream
from tunesmith.types import Params


def number(params: Params, name: str) -> float:
    return float(str(params[name]))


def played(
    sampler: Sampler, space: SearchSpace, n: int, score: Callable[[Params], float | None]
) -> TrialLog:
    """A study without look-ahead; where there is no score, the trial fails."""
    log = TrialLog((Metric("score"),))
    for index in range(n):
        (params,) = sampler.suggest(space, log.view(), 1, stream(0, index))
        trial = log.ask(params, space.key(params), "gp")
        found = score(params)
        failure = Failure("ValueError", "bad") if found is None else None
        scores = {} if found is None else {"score": found}
        log.tell(trial.told([FoldResult(0, scores, failure=failure)]))
    return log


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
    sampler = GPSampler(n_startup=4)
    log = played(sampler, space, 16, lambda params: float(params["k"] == "m"))
    assert sampler.suggest(space, log.view(), 1, stream(0, 16)) == []


def test_one_number_is_searched_to_its_best() -> None:
    space = SearchSpace.of({"x": Float(0, 1)})
    log = played(GPSampler(seed=1), space, 20, lambda params: -((number(params, "x") - 0.7) ** 2))
    assert abs(number(log.view().best().params, "x") - 0.7) < 1e-3  # type: ignore[union-attr]


def test_a_space_of_constants_is_one_point() -> None:
    space = SearchSpace.of({"a": Categorical(("only",)), "b": Int(3, 3)})
    sampler = GPSampler(n_startup=0)
    log = played(sampler, space, 1, lambda params: 0.0)
    assert sampler.suggest(space, log.view(), 1, stream(0, 1)) == []


def test_a_region_that_fails_is_left() -> None:
    """The score rises towards it, so that only its failures keep a search out."""
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})

    def score(params: Params) -> float | None:
        x, y = number(params, "x"), number(params, "y")
        return x - (y - 0.5) ** 2 if x < 0.5 else None

    log = played(GPSampler(seed=0), space, 40, score)
    assert sum(trial.failure is not None for trial in log.told[10:]) < 10
    assert log.view().best().mean("score") > 0.45  # type: ignore[union-attr]


def test_of_failures_the_latest_are_remembered() -> None:
    log = TrialLog((Metric("score"),))
    for index in range(12):
        trial = log.ask({"x": index}, str(index), "test")
        failure = Failure("ValueError", "bad") if index % 2 else None
        scores = {} if failure else {"score": float(index)}
        log.tell(trial.told([FoldResult(0, scores, failure=failure)]))
    trials, values = GPSampler(max_points=4)._lessons(log.view(), stream(0, 0))
    assert [trial.number for trial in trials] == [4, 6, 8, 10, 9, 11]
    assert values[-2:].tolist() == [values.min()] * 2


def test_several_objectives_are_each_approached() -> None:
    """Two hills at the ends of a line: the front lies between, its ends are found."""
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
    log = TrialLog((Metric("left"), Metric("right", "minimize")))
    sampler = GPSampler(n_startup=6)
    for index in range(40):
        (params,) = sampler.suggest(space, log.view(), 1, stream(1, index))
        x, y = number(params, "x"), number(params, "y")
        trial = log.ask(params, space.key(params), "gp")
        off = (y - 0.5) ** 2
        log.tell(trial.told([FoldResult(0, {"left": -(x**2) - off, "right": (x - 1) ** 2 + off})]))
    front = [number(trial.params, "x") for trial in log.view().front()]
    assert len(front) >= 8
    assert min(front) < 0.15
    assert max(front) > 0.85


@pytest.mark.parametrize("name", ["gp", "tpe"])
def test_the_model_begins_by_what_is_known(name: str) -> None:
    """With a look-ahead, more trials have been asked for than are completed."""
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
    sampler = registry.load("samplers", name)(seed=1, n_startup=6)
    log = random_log(space, 9, 6, failing=100)
    expected = SobolSampler(1).suggest(space, log.view(5), 1, stream(0, 9))
    assert sampler.suggest(space, log.view(5), 1, stream(0, 9)) == expected
    assert sampler.suggest(space, log.view(6), 1, stream(0, 9)) != expected
