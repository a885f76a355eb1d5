"""Bins that serve many fits give each what its own would have."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification

from tunesmith.sharing.bins import has_bins, keeping_bins
from tunesmith.sharing.pipeline_prefix import PrefixCache
from tunesmith.sharing.submodels.forest import Forest

xgboost = pytest.importorskip("xgboost")
X, Y = make_classification(300, 9, n_informative=6, n_classes=3, random_state=0)
X[::7, 2] = np.nan


def candidates() -> list[Any]:
    given: list[dict[str, Any]] = [
        {},
        {"max_depth": 3, "learning_rate": 0.7, "subsample": 0.5, "random_state": 3},
        {"max_bin": 16},
        {"colsample_bylevel": 0.5, "grow_policy": "lossguide", "max_leaves": 5},
        {"max_bin": 16, "reg_lambda": 9.0, "missing": 0.5},
        {"booster": "dart", "rate_drop": 0.3},
        {"num_parallel_tree": 2, "colsample_bynode": 0.5, "gamma": 2.0, "min_child_weight": 4},
    ]
    return [
        cls(n_estimators=8, n_jobs=1, **more)
        for cls in (xgboost.XGBClassifier, xgboost.XGBRegressor)
        for more in given
    ]


@pytest.mark.parametrize("is_frame", [False, True])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_shared_bins_change_nothing(is_frame: bool, is_weighted: bool) -> None:
    rows: Any = pd.DataFrame(X).add_prefix("x") if is_frame else X
    weights = np.random.default_rng(0).uniform(0.1, 5, size=200)
    fit_params = {"sample_weight": weights} if is_weighted else {}
    cache = PrefixCache()
    for _ in range(2):
        for estimator in candidates():
            model, fresh = clone(estimator), clone(estimator)
            with keeping_bins(model, (0,), cache.kept_or):
                model.fit(rows[:200], Y[:200], **fit_params)
            fresh.fit(rows[:200], Y[:200], **fit_params)
            assert model.get_booster().get_dump() == fresh.get_booster().get_dump()
            np.testing.assert_array_equal(model.predict(rows[200:]), fresh.predict(rows[200:]))
            assert vars(model).keys() == vars(fresh).keys()
    # Two kinds of estimators; numbers of bins and what is missing make three.
    assert len(cache._kept) == 2 * 3
    assert cache._n_bytes == 6 * 200 * 9 * 4


def test_rows_weights_and_places_have_bins_of_their_own() -> None:
    cache = PrefixCache()
    weights = np.linspace(0.1, 9, 300)
    for place, given in (((0,), None), ((1,), None), ((0,), weights), ((0,), weights)):
        model = xgboost.XGBRegressor(n_estimators=2, n_jobs=1)
        with keeping_bins(model, place, cache.kept_or):
            model.fit(X, Y, sample_weight=given, eval_set=[(X[:50], Y[:50])], verbose=False)
    assert len(cache._kept) == 3


def test_rows_with_more_to_them_are_left_alone() -> None:
    cache = PrefixCache()
    model = xgboost.XGBRegressor(n_estimators=2, n_jobs=1, feature_weights=np.arange(1, 10))
    with keeping_bins(model, (0,), cache.kept_or):
        model.fit(X, Y)
    with keeping_bins(model, (0,), cache.kept_or):
        model.set_params(feature_weights=None).fit(X, Y, base_margin=np.zeros(300))
    assert not cache._kept


def test_a_failed_fit_leaves_the_estimator_as_it_was() -> None:
    model = xgboost.XGBRegressor(n_estimators=2, n_jobs=1)
    with (
        pytest.raises(ValueError, match="Invalid size"),
        keeping_bins(model, (0,), PrefixCache().kept_or),
    ):
        model.fit(X, Y[:10])
    assert "_create_dmatrix" not in vars(model)


def test_estimators_without_bins_are_told() -> None:
    assert has_bins(xgboost.XGBClassifier())
    assert has_bins(xgboost.XGBRegressor(tree_method="hist", device="cpu"))
    for given in ({"tree_method": "exact"}, {"tree_method": "approx"}, {"booster": "gblinear"}):
        assert not has_bins(xgboost.XGBClassifier(**given))
    assert not has_bins(xgboost.XGBClassifier(device="cuda"))
    assert not has_bins(xgboost.XGBClassifier(sketch_ratio=3))
    assert not has_bins(xgboost.XGBRFClassifier())
    assert not has_bins(Forest())
