"""Searches learn where constraints on outcomes hold."""

from typing import Any

import numpy as np
import pytest

from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.search.feasibility import feasibility
from tunesmith.search.further_gain import outlook
from tunesmith.space import Float, SearchSpace
from tunesmith.testing.sampler import stream
from tunesmith.types import OutcomeConstraint

SPACE = SearchSpace.of({"x": Float(0, 1), "y": Float(0, 1)})
CHEAP = OutcomeConstraint.read("cost <= 0.5")


def played(sampler: str, n: int, bound: str = "cost <= 0.5", seed: int = 0) -> TrialLog:
    """A study whose best score lies at (0.9, 0.5), where the cost, x, is too high."""
    built: Any = registry.load("samplers", sampler)(seed=seed)
    log = TrialLog((Metric("score"),), (OutcomeConstraint.read(bound),))
    for index in range(n):
        (params,) = built.suggest(SPACE, log.view(), 1, stream(seed, index))
        x, y = float(params["x"]), float(params["y"])
        score = 1 - (x - 0.9) ** 2 - (y - 0.5) ** 2
        trial = log.ask(params, SPACE.key(params), sampler)
        log.tell(trial.completed([FoldResult(0, {"score": score, "cost": x})]))
    return log


def share(log: TrialLog, first: int) -> float:
    later = log.completed[first:]
    return float(np.mean([not log.violated(trial) for trial in later]))


def test_bayesian_search_stays_where_the_constraint_holds() -> None:
    log = played("gp", 24)
    best = log.view().best()
    assert best is not None
    assert best.params["x"] == pytest.approx(0.5, abs=0.02)
    assert best.mean("score") > 0.83
    # Half of the space violates it, and the scores draw the search there.
    assert share(log, 10) >= 0.7


def test_bayesian_search_finds_a_small_allowed_region() -> None:
    log = played("gp", 24, "cost <= 0.02")
    assert log.view().best() is not None
    assert share(log, 10) > 0.3


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_other_models_take_violations_for_bad_trials(sampler: str) -> None:
    assert share(played(sampler, 60), 30) >= 0.6
    free = played(sampler, 60, "cost <= 2").completed[30:]
    assert np.mean([float(str(trial.params["x"])) <= 0.5 for trial in free]) < 0.3


def test_slack_is_modelled_around_the_bound() -> None:
    log = TrialLog((Metric("score"),), (CHEAP,))
    rng = np.random.default_rng(0)
    features = rng.random((20, 1))
    for row in features:
        trial = log.ask({"x": float(row[0])}, str(row), "random")
        log.tell(trial.completed([FoldResult(0, {"score": 1.0, "cost": float(row[0])})]))
    model = feasibility(features, log.completed, np.array([0]), (CHEAP,))
    chances = np.exp(model.log_probability(np.array([[0.1], [0.45], [0.55], [0.9]])))
    assert chances[:2].min() > 0.6
    assert chances[2:].max() < 0.4
    draws = model.draws(np.array([[0.1], [0.9]]), 100, rng)
    assert draws.mean(axis=1).tolist() == pytest.approx([1.0, 0.0], abs=0.05)


def test_outcomes_that_never_vary_need_no_model() -> None:
    log = TrialLog((Metric("score"),), (CHEAP,))
    features = np.random.default_rng(0).random((5, 1))
    for row in features:
        trial = log.ask({"x": float(row[0])}, str(row), "random")
        log.tell(trial.completed([FoldResult(0, {"score": 1.0, "cost": 0.7})]))
    model = feasibility(features, log.completed, np.array([0]), (CHEAP,))
    assert model.log_probability(features).tolist() == [0.0] * 5


def test_a_forecast_expects_no_gain_from_violations() -> None:
    bound, free = played("gp", 30), played("gp", 30, "cost <= 2", seed=1)
    found = outlook(SPACE, bound.view())
    assert found is not None
    # Beyond the bound lies a score of 1, which is .16 better.
    assert found.gain < 0.02
    assert outlook(SPACE, free.view()) is not None
    assert outlook(SPACE, played("sobol", 25, "cost <= 0.0001").view()) is None
