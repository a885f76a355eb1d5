"""Bayesian search: which model answers, and what is refused."""

import pytest

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.history import Metric
from tunesmith.search.bayesian import GP_TRIALS, BayesianSampler
from tunesmith.search.sampler import Sampler
from tunesmith.space import Categorical, Float, SearchSpace
from tunesmith.testing.sampler import CONDITIONAL, FLAT, ONE, TWO, UNION, play, random_log, stream
from tunesmith.testing.sampler import SamplerContract as Contract


class TestBayesianSampler(Contract):
    n_trials = 14
    # Its models keep the contract in every space, in tests of their own.
    tried = ("flat", "finite conditional")

    def make(self) -> Sampler:
        return BayesianSampler(seed=3)


def model(name: str) -> Sampler:
    built: Sampler = registry.load("samplers", name)(seed=3)
    return built


@pytest.mark.parametrize(
    ("space", "objectives"),
    [(FLAT, ONE), (FLAT, TWO), (CONDITIONAL, ONE), (UNION, ONE)],
    ids=["flat", "two objectives", "conditional", "union"],
)
def test_auto_takes_the_gaussian_process_for_any_space(
    space: SearchSpace, objectives: tuple[Metric, ...]
) -> None:
    log = play(model("random"), space, 14, objectives=objectives)
    answer = BayesianSampler(seed=3).suggest(space, log.view(), 1, stream(5, 5))
    assert answer == model("gp").suggest(space, log.view(), 1, stream(5, 5))


def test_auto_leaves_the_gaussian_process_when_the_history_grows_long() -> None:
    space = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
    sampler = BayesianSampler(seed=3)
    for n, expected in ((GP_TRIALS - 1, "gp"), (GP_TRIALS, "tpe")):
        log = random_log(space, n, n)
        answer = sampler.suggest(space, log.view(), 1, stream(5, 5))
        assert answer == model(expected).suggest(space, log.view(), 1, stream(5, 5))


def test_a_named_model_gets_its_options() -> None:
    sampler = BayesianSampler(seed=3, sampler="tpe", n_startup=4)
    log = random_log(FLAT, 6, 6)
    expected = registry.load("samplers", "tpe")(seed=3, n_startup=4)
    assert sampler.suggest(FLAT, log.view(), 1, stream(0, 0)) == expected.suggest(
        FLAT, log.view(), 1, stream(0, 0)
    )


def test_unknown_options_are_noticed_at_once() -> None:
    with pytest.raises(TypeError, match="n_start_up"):
        BayesianSampler(sampler="tpe", n_start_up=4)


def test_auto_takes_no_options_because_models_differ_in_them() -> None:
    with pytest.raises(UsageError, match=r"`n_startup`.*`gp` or `tpe`"):
        BayesianSampler(n_startup=4)


def test_an_unknown_model_is_named_with_the_likely_one() -> None:
    with pytest.raises(UsageError, match="Did you mean `tpe`"):
        BayesianSampler(sampler="tpee")


def test_it_is_not_its_own_model() -> None:
    with pytest.raises(UsageError, match="`gp` or `tpe`"):
        BayesianSampler(sampler="bayesian")


def test_a_models_objection_is_its_own() -> None:
    space = SearchSpace.of({"k": Categorical(("a", "b"))})
    assert BayesianSampler().blocker(space) is None
    assert BayesianSampler(sampler="cmaes").blocker(space)
