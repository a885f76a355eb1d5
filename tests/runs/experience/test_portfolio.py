"""The portfolio: whole, in bounds, and mapped onto spaces as people write them."""

import importlib
from typing import Any

import pytest

from tunesmith.config.objective import ObjectiveSection
from tunesmith.runs.experience.portfolio import MOST, from_portfolio, portfolio
from tunesmith.space import Categorical, Float, Int, SearchSpace

MODULES = {
    "XGB": "xgboost",
    "LGBM": "lightgbm",
    "CatBoost": "catboost",
    "SV": "sklearn.svm",
    "MLP": "sklearn.neural_network",
    "Logistic": "sklearn.linear_model",
}


def section(**given: Any) -> ObjectiveSection:
    return ObjectiveSection.model_validate({"metric": "accuracy", **given})


@pytest.mark.parametrize("name", sorted(portfolio()))
def test_every_configuration_is_one_of_its_estimator(name: str) -> None:
    places = (module for start, module in MODULES.items() if name.startswith(start))
    made = getattr(importlib.import_module(next(places, "sklearn.ensemble")), name)
    known = set(made().get_params()) | {"iterations", "depth", "learning_rate", "l2_leaf_reg"}
    assert 1 <= len(portfolio()[name]) <= MOST
    for params in portfolio()[name]:
        assert set(params) <= known | {"random_strength"}
        made(**params)


def test_points_are_moved_into_the_bounds_of_the_study() -> None:
    space = SearchSpace.of({"max_depth": Int(3, 5), "learning_rate": Float(0.05, 0.06)})
    found = from_portfolio(section(estimator="xgboost.XGBClassifier"), space, {})
    assert found
    assert all(params in space for params in found)
    assert len({space.key(params) for params in found}) == len(found)


def test_the_last_step_of_a_pipeline_is_meant() -> None:
    steps = [
        {"name": "scale", "estimator": "sklearn.preprocessing.StandardScaler"},
        {"name": "model", "estimator": "sklearn.linear_model.LogisticRegression"},
    ]
    space = SearchSpace.of({"model__C": Float(1e-9, 1e9)})
    found = from_portfolio(section(steps=steps), space, {})
    wanted = [{"model__C": params["C"]} for params in portfolio()["LogisticRegression"]]
    assert found == [params for i, params in enumerate(wanted) if params not in wanted[:i]]
    plain = SearchSpace.of({"C": Float(1e-9, 1e9)})
    assert from_portfolio(section(steps=steps), plain, {}) == []


def test_each_of_several_estimators_has_its_turn() -> None:
    choices = {
        "forest": {"estimator": "sklearn.ensemble.RandomForestClassifier"},
        "boosting": {"estimator": "sklearn.ensemble.HistGradientBoostingClassifier"},
    }
    space = SearchSpace.of(
        {
            "estimator": Categorical(("boosting", "forest")),
            "max_features": Float(0.01, 1.0),
            "min_samples_leaf": Int(1, 99),
        }
    )
    found = from_portfolio(section(estimators=choices), space, {})
    assert [params["estimator"] for params in found[:2]] == ["forest", "boosting"]
    assert len(found) == MOST


def test_estimators_of_your_own_have_none() -> None:
    space = SearchSpace.of({"C": Float(1, 2)})
    assert from_portfolio(section(estimator="mine.Model"), space, {}) == []
    assert from_portfolio(section(command=["python", "t.py"]), space, {}) == []
