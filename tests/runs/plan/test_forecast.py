"""Forecasts of studies with budgets, beside studies that were run."""

from collections import Counter
from dataclasses import replace

import pytest

from tunesmith.runs.plan.forecast import MOST, forecast
from tunesmith.search.budget import Budgets, Rule
from tunesmith.search.gp import GPSampler
from tunesmith.search.random import RandomSampler
from tunesmith.space import Categorical, Float, SearchSpace
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.study.successive_halving import SuccessiveHalving

SPACE = SearchSpace.of({"x": Float(0.0, 1.0)})


def strategy(budgets: Budgets, space: SearchSpace = SPACE, window: int = 4) -> SuccessiveHalving:
    sampling = SamplerStrategy(space, RandomSampler(), name="random", seed=0, window=window)
    return SuccessiveHalving(sampling, "epochs", budgets)


def test_a_study_that_is_too_short_is_warned_of() -> None:
    found = forecast(strategy(Budgets(1, 27, rule="halving")), 24, 24)
    assert found is not None
    assert found.counts[-1] == (27, 1, 1)
    assert found.n_kept == 1
    assert found.warning.startswith("too few trials for these budgets: none may get epochs 27")
    assert found.text.endswith(
        "the last trial is kept for the best under way, with the full budget"
    )


@pytest.mark.parametrize("rule", ["hyperband", "halving", "median"])
def test_a_longer_study_is_not(rule: Rule) -> None:
    found = forecast(strategy(Budgets(1, 9, rule=rule)), 90, 90)
    assert found is not None
    assert found.warning == ""
    least = sum(low for _, low, _ in found.counts)
    assert least <= 90 <= sum(high for _, _, high in found.counts)
    assert (len(found.brackets) > 1) == (rule == "hyperband")


def test_without_a_limit_nothing_is_kept() -> None:
    few = SearchSpace.of({"x": Categorical((1, 2, 3, 4))})
    found = forecast(strategy(Budgets(1, 9, rule="halving"), few), 12, None)
    assert found is not None
    assert found.n_kept == 0
    assert found.counts[-1][1] >= 1


def test_a_model_is_not_asked() -> None:
    made = strategy(Budgets(1, 9))
    sampling = SamplerStrategy(SPACE, GPSampler(), name="gp", seed=0, window=2)
    by_model = SuccessiveHalving(sampling, "epochs", made.budgets)
    assert forecast(by_model, 60, 60) is not None
    assert forecast(by_model, MOST + 1, MOST + 1) is None


def test_kept_trials_take_about_their_share() -> None:
    for budgets in (Budgets(1, 27), Budgets(1, 81, rule="halving"), Budgets(2, 64, 2)):
        n = 1000
        kept = budgets.n_kept(n) * budgets.max
        assert 0.15 < kept / (kept + (n - budgets.n_kept(n)) * budgets.mean_budget()) <= 0.2


def test_the_mean_budget_is_that_of_a_long_study() -> None:
    budgets = Budgets(1, 9)
    found = forecast(strategy(budgets), 300, None)
    assert found is not None
    counts = Counter({budget: (low + high) / 2 for budget, low, high in found.counts})
    mean = sum(budget * n for budget, n in counts.items()) / sum(counts.values())
    assert mean == pytest.approx(budgets.mean_budget(), rel=0.25)


def test_weights_of_several_metrics_change_no_number() -> None:
    plain = strategy(Budgets(1, 9, rule="halving"))
    assert forecast(replace(plain, weights=(1.0, 2.0, 3.0)), 30, 30) == forecast(plain, 30, 30)
