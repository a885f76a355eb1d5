"""Every family of submodels under the same contract; and where the sharing pays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import ensemble as e
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tunesmith import registry
from tunesmith.objective.submodels import rounds
from tunesmith.objective.submodels.boosting import AdaBoost, GradientBoosting, HistGradientBoosting
from tunesmith.objective.submodels.family import Staged
from tunesmith.objective.submodels.forest import Bagging, Forest
from tunesmith.objective.submodels.gradient_libraries import LightGBM, XGBoost
from tunesmith.objective.submodels.neighbors import Neighbors
from tunesmith.objective.submodels.pruning import Pruning
from tunesmith.testing.submodels import FamilyContract


class TestForest(FamilyContract):
    family = Forest()
    values: Sequence[Any] = (7, 1, 20)

    def estimators(self) -> list[Any]:
        return [
            e.RandomForestClassifier(random_state=0),
            e.RandomForestClassifier(
                random_state=1, class_weight="balanced_subsample", max_samples=0.7, ccp_alpha=0.01
            ),
            e.ExtraTreesClassifier(random_state=2, bootstrap=True, max_features=None),
            e.RandomForestRegressor(random_state=3, max_features=0.5, min_samples_leaf=2),
            e.ExtraTreesRegressor(random_state=4, max_depth=4),
        ]

    def unshareable(self) -> list[Any]:
        return [
            e.RandomForestClassifier(random_state=0, oob_score=True),
            e.RandomForestClassifier(random_state=0, warm_start=True),
            e.RandomForestRegressor(random_state=0, n_jobs=2),
            e.RandomForestRegressor(random_state=np.random.RandomState(0)),
        ]


class TestBagging(FamilyContract):
    family = Bagging()
    values: Sequence[Any] = (5, 2, 9)

    def estimators(self) -> list[Any]:
        return [
            e.BaggingClassifier(random_state=0),
            e.BaggingClassifier(GaussianNB(), max_features=0.6, max_samples=0.5, random_state=1),
            e.BaggingClassifier(LogisticRegression(), max_samples=0.5, random_state=3),
            e.BaggingClassifier(DecisionTreeClassifier(), max_samples=4, random_state=4),
            e.BaggingClassifier(RidgeClassifier(), random_state=5),  # its members vote
            e.BaggingRegressor(random_state=2, bootstrap_features=True),
        ]

    def unshareable(self) -> list[Any]:
        return [e.BaggingRegressor(random_state=0, oob_score=True)]


class TestGradientBoosting(FamilyContract):
    family = GradientBoosting()
    values: Sequence[Any] = (12, 3, 1, 30)

    def estimators(self) -> list[Any]:
        return [
            e.GradientBoostingClassifier(random_state=0),
            e.GradientBoostingClassifier(random_state=1, subsample=0.6, max_features=3),
            e.GradientBoostingClassifier(random_state=2, n_iter_no_change=2, init="zero"),
            e.GradientBoostingRegressor(random_state=3, loss="huber", subsample=0.5),
            e.GradientBoostingRegressor(random_state=4, n_iter_no_change=2, learning_rate=0.9),
            e.GradientBoostingRegressor(random_state=5, loss="quantile"),
        ]

    def unshareable(self) -> list[Any]:
        return [e.GradientBoostingClassifier(random_state=0, init=GaussianNB())]


class TestHistGradientBoosting(FamilyContract):
    family = HistGradientBoosting()
    values: Sequence[Any] = (8, 1, 20)

    def estimators(self) -> list[Any]:
        return [
            e.HistGradientBoostingClassifier(random_state=0),
            e.HistGradientBoostingClassifier(
                random_state=1, early_stopping=True, n_iter_no_change=2, learning_rate=0.7
            ),
            e.HistGradientBoostingClassifier(
                random_state=2, class_weight="balanced", max_features=0.5
            ),
            e.HistGradientBoostingRegressor(random_state=3, loss="absolute_error"),
            e.HistGradientBoostingRegressor(random_state=4, early_stopping=True),
        ]

    def unshareable(self) -> list[Any]:
        scored = {"early_stopping": True, "scoring": "accuracy", "random_state": 0}
        return [e.HistGradientBoostingClassifier(**scored)]


class TestAdaBoost(FamilyContract):
    family = AdaBoost()
    values: Sequence[Any] = (10, 1, 25)

    def estimators(self) -> list[Any]:
        return [
            e.AdaBoostClassifier(random_state=0),
            # Deep trees fit perfectly, which ends the boosting early.
            e.AdaBoostClassifier(DecisionTreeClassifier(max_depth=9), random_state=1),
            e.AdaBoostRegressor(random_state=2, loss="square"),
        ]


class TestXGBoost(FamilyContract):
    family = XGBoost()
    values: Sequence[Any] = (8, 1, 20)

    def estimators(self) -> list[Any]:
        xgboost = pytest.importorskip("xgboost")
        return [
            xgboost.XGBClassifier(random_state=0, n_jobs=1),
            xgboost.XGBClassifier(
                random_state=1, n_jobs=1, subsample=0.6, colsample_bytree=0.5, max_depth=3
            ),
            xgboost.XGBRegressor(n_jobs=1, tree_method="exact", num_parallel_tree=2, subsample=0.7),
            xgboost.XGBRegressor(n_jobs=1, grow_policy="lossguide", max_leaves=5, reg_lambda=2),
            xgboost.XGBRegressor(n_jobs=1, objective="reg:absoluteerror", max_depth=3),
            xgboost.XGBRegressor(n_jobs=1, base_score=17.3, learning_rate=1.0),
            xgboost.XGBClassifier(n_jobs=1, multi_strategy="multi_output_tree", tree_method="hist"),
        ]

    def unshareable(self) -> list[Any]:
        xgboost = pytest.importorskip("xgboost")
        return [
            xgboost.XGBClassifier(booster="dart"),
            xgboost.XGBClassifier(booster="gblinear"),
            xgboost.XGBClassifier(early_stopping_rounds=3),
            xgboost.XGBRFClassifier(),
        ]

    def test_unseeded_estimators_are_not_shared(self) -> None:
        """They are seeded: by the library itself."""


class TestXGBoostAddsUp:
    """Rounds added to those before them are rounds predicted from the first on."""

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"objective": "multi:softmax"},
            {"objective": "count:poisson"},
            {"objective": "reg:pseudohubererror", "num_parallel_tree": 3, "subsample": 0.5},
            {"objective": "reg:quantileerror", "quantile_alpha": 0.3},
        ],
    )
    def test_every_length(self, options: dict[str, Any]) -> None:
        xgboost = pytest.importorskip("xgboost")
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(300, 5))).mask(rng.random((300, 5)) < 0.1)
        is_classifier = not options or options["objective"].startswith("multi")
        y = rng.integers(3, size=300) if is_classifier else rng.exponential(size=300)
        cls = xgboost.XGBClassifier if is_classifier else xgboost.XGBRegressor
        fitted = cls(n_estimators=40, n_jobs=1, learning_rate=0.7, **options).fit(X[:200], y[:200])
        X_test, values = X[200:], list(range(1, 41))
        methods = ["predict", "predict_proba"] if is_classifier else ["predict"]
        for n, model in zip(values, XGBoost().submodels(fitted, values, X_test), strict=True):
            for method in methods:
                expected = getattr(fitted, method)(X_test, iteration_range=(0, n))
                np.testing.assert_array_equal(getattr(model, method)(X_test), expected)
                np.testing.assert_array_equal(getattr(model, method)(X_test.copy()), expected)

    def test_what_does_not_add_up_is_left_to_the_booster(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        xgboost = pytest.importorskip("xgboost")
        X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
        fitted = xgboost.XGBRegressor(n_estimators=9, n_jobs=1).fit(X, X[:, 0])
        assert rounds.Margins.of(fitted, X, 2, 9) is not None
        at = rounds.Margins.at

        def off_by_a_bit(margins: Any, n: int, kind: str) -> Any:
            return np.nextafter(at(margins, n, kind), np.float32(9))

        monkeypatch.setattr(rounds.Margins, "at", off_by_a_bit)
        assert rounds.Margins.of(fitted, X, 2, 9) is None

    def test_categories_are_predicted_by_each_for_itself(self) -> None:
        xgboost = pytest.importorskip("xgboost")
        rng = np.random.default_rng(0)
        X = pd.DataFrame({"a": pd.Categorical(rng.choice(list("xyz"), 90)), "b": rng.random(90)})
        model = xgboost.XGBRegressor(n_estimators=9, n_jobs=1, enable_categorical=True)
        fitted = model.fit(X, rng.random(90))
        for n, model in zip((3, 9), XGBoost().submodels(fitted, (3, 9), X), strict=True):
            expected = fitted.predict(X, iteration_range=(0, n))
            np.testing.assert_array_equal(model.predict(X), expected)


class TestLightGBM(FamilyContract):
    family = LightGBM()
    values: Sequence[Any] = (8, 1, 20)

    def estimators(self) -> list[Any]:
        lightgbm = pytest.importorskip("lightgbm")
        quiet = {"verbose": -1, "n_jobs": 1, "min_child_samples": 5}
        return [
            lightgbm.LGBMClassifier(random_state=0, **quiet),
            lightgbm.LGBMClassifier(subsample=0.6, subsample_freq=1, random_state=1, **quiet),
            lightgbm.LGBMRegressor(boosting_type="rf", subsample=0.5, subsample_freq=1, **quiet),
            lightgbm.LGBMRegressor(objective="l1", extra_trees=True, num_leaves=7, **quiet),
            lightgbm.LGBMRegressor(linear_tree=True, **quiet),
            lightgbm.LGBMRegressor(**{**quiet, "min_child_samples": 70}),  # no splits at all
        ]

    def unshareable(self) -> list[Any]:
        lightgbm = pytest.importorskip("lightgbm")
        return [lightgbm.LGBMClassifier(boosting_type="dart"), lightgbm.LGBMRanker()]

    def test_unseeded_estimators_are_not_shared(self) -> None:
        """They are seeded: by the library itself."""


class TestLightGBMAddsUp:
    """Leaves added to those before them are rounds predicted from the first on."""

    def fitted(self, is_classifier: bool, n_classes: int = 2, **options: Any) -> tuple[Any, Any]:
        lightgbm = pytest.importorskip("lightgbm")
        rng = np.random.default_rng(0)
        X = rng.normal(size=(300, 5))
        X[rng.random((300, 5)) < 0.1] = np.nan
        y = rng.integers(n_classes, size=300) if is_classifier else rng.exponential(size=300)
        cls = lightgbm.LGBMClassifier if is_classifier else lightgbm.LGBMRegressor
        quiet = {"verbose": -1, "n_jobs": 1, "min_child_samples": 5}
        return cls(n_estimators=40, learning_rate=0.7, **quiet, **options).fit(X, y), X

    @pytest.mark.parametrize("block", [1, 3000, rounds.BLOCK])
    @pytest.mark.parametrize(
        "options",
        [
            {"is_classifier": True},
            {"is_classifier": True, "n_classes": 4, "boosting_type": "goss"},
            {"is_classifier": False},
            {"is_classifier": False, "objective": "quantile", "alpha": 0.2},
        ],
    )
    def test_every_length(
        self, options: dict[str, Any], block: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rounds, "BLOCK", block)
        fitted, X = self.fitted(**options)
        values, booster = list(range(1, 41)), fitted.booster_
        method = "predict_proba" if options["is_classifier"] else "predict"
        expected = {n: getattr(fitted, method)(X, num_iteration=n) for n in values}
        raw = {n: fitted.predict(X, num_iteration=n, raw_score=True) for n in values}
        for n, model in zip(values, LightGBM().submodels(fitted, values, X), strict=True):
            np.testing.assert_array_equal(getattr(model, method)(X.copy()), expected[n])
            model.booster_._whole = None  # it is not asked any more
            np.testing.assert_array_equal(getattr(model, method)(X), expected[n])
            np.testing.assert_array_equal(model.predict(X, raw_score=True), raw[n])
        assert booster.best_iteration == 40

    @pytest.mark.parametrize(
        "options", [{"objective": "poisson"}, {"linear_tree": True}, {"reg_sqrt": True}]
    )
    def test_what_does_not_add_up_is_left_to_the_booster(self, options: dict[str, Any]) -> None:
        fitted, X = self.fitted(is_classifier=False, **options)
        assert rounds.RawScores.of(fitted, X, 3) is None

    def test_scores_beyond_exponentials_are_left_to_the_booster(self) -> None:
        fitted, X = self.fitted(is_classifier=True)
        scores = rounds.RawScores.of(fitted, X, 1)
        assert scores is not None
        scores._stages = Staged(iter([np.array([[-800.0], [1.0]])]))
        assert scores.at(2) is None


class TestNeighbors(FamilyContract):
    family = Neighbors()
    values: Sequence[Any] = (5, 1, 12)

    def estimators(self) -> list[Any]:
        return [
            KNeighborsClassifier(),
            KNeighborsClassifier(weights="distance", algorithm="brute"),
            KNeighborsClassifier(algorithm="brute", metric="manhattan"),
            KNeighborsRegressor(weights="distance"),
            KNeighborsRegressor(algorithm="ball_tree", p=3),
        ]

    def unshareable(self) -> list[Any]:
        return [KNeighborsClassifier(n_jobs=2)]

    def test_ties_are_looked_up_again(self) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.integers(3, size=(200, 3)).astype(float), rng.normal(size=200)
        values = list(range(1, 30))
        for estimator in (KNeighborsRegressor(), KNeighborsRegressor(algorithm="brute")):
            fitted = self.with_value(estimator, 29).fit(X[:120], y[:120])
            models = self.family.submodels(fitted, values, X[120:])
            for k, model in zip(values, models, strict=True):
                fresh = self.with_value(estimator, k).fit(X[:120], y[:120])
                np.testing.assert_array_equal(model.predict(X[120:]), fresh.predict(X[120:]))


class TestPruning(FamilyContract):
    family = Pruning()
    values: Sequence[Any] = (0.01, 0.0, 0.03, 5)
    refused: Sequence[Any] = (-1, "3", None, True)

    def estimators(self) -> list[Any]:
        return [
            DecisionTreeClassifier(random_state=0),
            DecisionTreeClassifier(random_state=1, max_features=3, class_weight="balanced"),
            DecisionTreeRegressor(random_state=2, max_depth=6),
            ExtraTreeClassifier(random_state=3),
            ExtraTreeRegressor(random_state=4),
            e.RandomForestClassifier(5, random_state=5),
            e.ExtraTreesRegressor(5, random_state=6),
        ]

    def unshareable(self) -> list[Any]:
        return [e.RandomForestClassifier(oob_score=True, random_state=0)]


def test_every_registered_family_is_tested() -> None:
    tested = {type(case.family) for case in FamilyContract.__subclasses__()}
    names = registry.names("submodels")
    assert {registry.load("submodels", name) for name in names} <= tested


def test_stages_are_computed_as_far_as_asked_and_end_where_they_end() -> None:
    made: list[int] = []

    def stages() -> Any:
        for n in (1, 2, 3):
            made.append(n)
            yield n * 10

    staged = Staged(stages())
    assert (staged.at(2), made) == (20, [1, 2])
    assert (staged.at(2), staged.at(9), made) == (20, 30, [1, 2, 3])
