"""What search strategies are for: better points than chance, and no trial spent twice.

Every study here has a fixed seed and every sampler is a pure function, so an outcome that holds
once holds always: a comparison of medians cannot fail by bad luck, only by a change of behaviour
(or of a library's numbers, for which the margins leave room). The suite has three seeds of it,
`make quality` as many as you name.
"""

import math
import os
from collections.abc import Callable
from functools import cache
from statistics import median

import pytest

from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.testing.sampler import completed_before, stream
from tunesmith.types import Params

LOSS = (Metric("loss", "minimize"),)
SEEDS = range(int(os.environ.get("TUNESMITH_TESTS_SEEDS", "3")))

QUADRATIC = SearchSpace.of(
    {"x": Float(-5, 5), "y": Float(-5, 5), "rate": Float(1e-5, 1, log=True), "n": Int(1, 40)}
)
CONDITIONAL = SearchSpace(
    (
        Box(
            {
                "kernel": Categorical(("linear", "poly", "rbf")),
                "c": Float(1e-3, 1e3, log=True),
                "gamma": Float(1e-4, 10, log=True),
                "degree": Int(2, 6),
            },
            {
                "gamma": (Condition("kernel", ("poly", "rbf")),),
                "degree": (Condition("kernel", ("poly",)),),
            },
        ),
    )
)
DISCRETE = SearchSpace.of(
    {"a": Int(1, 10), "b": Int(1, 10), "k": Categorical(("x", "y", "z"))}  # 300 points
)
CROWDED = SearchSpace.of(
    {"a": Int(1, 10), "b": Int(1, 5), "k": Categorical(("x", "y"))}  # 100 points
)


def quadratic(params: Params) -> float:
    """Least, 0, at x = 1, y = -2, rate = 0.01, n = 30."""
    x, y, rate, n = (number(params, name) for name in ("x", "y", "rate", "n"))
    slope = (math.log10(rate) + 2) ** 2
    return (x - 1) ** 2 / 10 + (y + 2) ** 2 / 10 + slope + (n - 30) ** 2 / 400


def conditional(params: Params) -> float:
    """Least, 0, at kernel = rbf, c = 10, gamma = 0.01; the other kernels cost 1 and 2."""
    loss = (math.log10(number(params, "c")) - 1) ** 2 / 4
    if "gamma" in params:
        loss += (math.log10(number(params, "gamma")) + 2) ** 2 / 4
    if "degree" in params:
        loss += (number(params, "degree") - 3) ** 2 / 10
    return loss + {"rbf": 0.0, "poly": 1.0, "linear": 2.0}[str(params["kernel"])]


def discrete(params: Params) -> float:
    return abs(number(params, "a") - 7) + abs(number(params, "b") - 3) + (params["k"] != "y")


def number(params: Params, name: str) -> float:
    value = params[name]
    assert isinstance(value, int | float)
    return value


def study(
    sampler: str, space: SearchSpace, loss: Callable[[Params], float], n_trials: int, seed: int
) -> TrialLog:
    """Trials with results, up to three of them running at each suggestion."""
    built, log = registry.load("samplers", sampler)(seed=seed), TrialLog(LOSS)
    for index in range(n_trials):
        while len(log.completed) < completed_before(index):
            trial = log.trials[len(log.completed)]
            log.tell(trial.completed([FoldResult(0, {"loss": loss(trial.params)})]))
        (params,) = built.suggest(space, log.view(), 1, stream(seed, index))
        log.ask(params, space.key(params), sampler)
    return log


PROBLEMS = {
    "quadratic": (QUADRATIC, quadratic),
    "conditional": (CONDITIONAL, conditional),
    "discrete": (DISCRETE, discrete),
}


@cache
def typical_best(sampler: str, problem: str, n_trials: int) -> float:
    """Median over the seeds of the least loss."""
    space, loss = PROBLEMS[problem]
    studies = [study(sampler, space, loss, n_trials, seed) for seed in SEEDS]
    return median(min(loss(trial.params) for trial in log.trials) for log in studies)


@pytest.mark.parametrize("sampler", ["bayesian", "gp", "tpe", "cmaes"])
def test_learning_beats_chance_on_a_quadratic(sampler: str) -> None:
    if sampler == "cmaes":
        pytest.importorskip("cmaes")
    learned = typical_best(sampler, "quadratic", 50)
    assert learned < typical_best("random", "quadratic", 50) / 2


@pytest.mark.parametrize("sampler", ["bayesian", "gp", "tpe"])
def test_learning_beats_chance_where_parameters_are_conditional(sampler: str) -> None:
    learned = typical_best(sampler, "conditional", 40)
    assert learned < typical_best("random", "conditional", 40) / 2


@pytest.mark.parametrize("sampler", ["gp", "tpe", "random", "sobol"])
def test_fifty_trials_in_a_hundred_points_are_fifty_points(sampler: str) -> None:
    """Optuna's TPE repeats about a quarter of them."""
    log = study(sampler, CROWDED, discrete, 50, seed=1)
    assert len({trial.key for trial in log.trials}) == 50


@pytest.mark.parametrize("sampler", ["gp", "tpe"])
def test_a_discrete_optimum_is_found(sampler: str) -> None:
    assert typical_best(sampler, "discrete", 60) == 0
