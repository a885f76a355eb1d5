"""Bayesian search with the Gaussian process, under the contract of all strategies."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tunesmith import registry
from tunesmith.history import Failure, FoldResult, Metric, TrialLog
from tunesmith.search import gp
from tunesmith.search.coordinates import Coordinates
from tunesmith.search.gaussian_process import Hyperparameters, fit
from tunesmith.search.gp import MANY, GPSampler, best_and_latest
from tunesmith.search.sampler import Sampler
from tunesmith.search.sobol import SobolSampler
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
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
        log.tell(trial.completed([FoldResult(0, scores, failure=failure)]))
    return log


class TestGPSampler(SamplerContract):
    n_trials = 14

    def make(self) -> Sampler:
        return GPSampler(seed=3)


def test_fits_that_start_from_earlier_ones_depend_on_the_history_alone() -> None:
    """A sampler that saw every trial, one that comes to a long history, and one in between."""
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1), "k": Categorical(("a", "b"))})
    log = random_log(space, 63, 63)
    old, between = GPSampler(seed=1), GPSampler(seed=1)
    for n in range(MANY, 64):
        seen = old.suggest(space, log.view().earlier(n), 1, stream(0, n))
        if n % 7 == 0:
            between.suggest(space, log.view().earlier(n), 1, stream(0, n))
        assert seen == GPSampler(seed=1).suggest(space, log.view().earlier(n), 1, stream(0, n))
    assert seen == between.suggest(space, log.view(), 1, stream(0, 63))
    # An earlier history of the same study has a fit of its own.
    early = log.view().earlier(45)
    assert old.suggest(space, early, 1, stream(0, 1)) == GPSampler(seed=1).suggest(
        space, early, 1, stream(0, 1)
    )
    assert len(old._fits) == 1


def test_most_fits_start_from_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
    log, starts = random_log(space, 60, 60), []

    def noted(*given: Any, **more: Any) -> Hyperparameters:
        starts.append(more.get("near"))
        return fit(*given, **more)

    monkeypatch.setattr(gp, "fit", noted)
    sampler = GPSampler(seed=1)
    for n in range(MANY, 61):
        sampler.suggest(space, log.view().earlier(n), 1, stream(0, n))
    assert starts.count(None) == 3
    assert len(starts) == 21 + 3


LEARNERS = SearchSpace(
    (
        Box(
            {
                "learner": Categorical(("a", "b", "c")),
                "x": Float(0, 1),
                "y": Float(0, 1),
                "z": Float(0, 1),
            },
            {name: (Condition("learner", (of,)),) for name, of in zip("xyz", "abc", strict=True)},
        ),
    )
)


def test_every_fourth_trial_leaves_the_branch_of_the_best() -> None:
    """Branch `b` is far ahead at its middle, and stays ahead of all that the others have."""

    def score(params: Params) -> float:
        return number(params, "y") - 0.1 if "y" in params else -1.0

    log = played(GPSampler(seed=2), LEARNERS, 24, score)
    learners = [trial.params["learner"] for trial in log.completed]
    assert learners[:3] == ["a", "b", "c"]
    assert "b" not in learners[8::4]
    # Those in between stay with the best.
    assert sum(one == "b" for i, one in enumerate(learners[6:], start=6) if i % 4) >= 11


def test_a_branch_that_nobody_expected_is_found() -> None:
    """The middle of `c` is the worst, and its end is the best of all."""

    def score(params: Params) -> float:
        if "z" in params:
            return 2 * abs(number(params, "z") - 0.5) - 0.2
        return 0.6 - abs(float(str(params.get("x", params.get("y")))) - 0.5)

    best = played(GPSampler(seed=0), LEARNERS, 30, score).view().best()
    assert best is not None
    assert best.params["learner"] == "c"


def test_a_union_of_boxes_is_left_now_and_then() -> None:
    boxes = (Box({"x": Float(0, 1)}), Box({"y": Float(0, 1)}))
    space = SearchSpace(boxes)
    log = played(GPSampler(seed=2), space, 16, lambda params: float("x" in params))
    assert all("y" in trial.params for trial in log.completed[8::4])


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (LEARNERS, 6),
        (SearchSpace.of({"x": Float(0, 1), "k": Categorical(("a", "b"))}), 10),
        (SearchSpace(tuple(Box({f"x{i}": Float(0, 1)}) for i in range(8))), 8),
        (SearchSpace(tuple(Box({f"x{i}": Float(0, 1)}) for i in range(30))), 10),
    ],
)
def test_the_model_waits_for_every_branch(space: SearchSpace, expected: int) -> None:
    assert gp._n_startup(Coordinates(space)) == expected


def test_a_long_history_is_learned_from_by_its_best_and_its_latest() -> None:
    gains = np.array([9.0, 0, 1, 8, 2, 3, 4, 5, 6, 7])
    assert best_and_latest(gains, 20).tolist() == list(range(10))
    kept = best_and_latest(gains, 4).tolist()
    assert kept == [0, 3, 8, 9]
    assert best_and_latest(gains, 5).tolist() == [0, 3, 7, 8, 9]


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
    assert sum(trial.failure is not None for trial in log.completed[10:]) < 10
    assert log.view().best().mean("score") > 0.45  # type: ignore[union-attr]


def test_of_failures_the_latest_are_remembered() -> None:
    log = TrialLog((Metric("score"),))
    for index in range(12):
        trial = log.ask({"x": index}, str(index), "test")
        failure = Failure("ValueError", "bad") if index % 2 else None
        scores = {} if failure else {"score": float(index)}
        log.tell(trial.completed([FoldResult(0, scores, failure=failure)]))
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
        log.tell(
            trial.completed([FoldResult(0, {"left": -(x**2) - off, "right": (x - 1) ** 2 + off})])
        )
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
