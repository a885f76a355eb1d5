"""Every family of submodels under the same contract; and where the sharing pays."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import ensemble as e
from sklearn import linear_model as linear
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tunesmith import registry
from tunesmith.sharing.submodels import rounds
from tunesmith.sharing.submodels.boosting import AdaBoost, GradientBoosting, HistGradientBoosting
from tunesmith.sharing.submodels.cat_boost import CatBoost
from tunesmith.sharing.submodels.family import CannotShareError, Staged
from tunesmith.sharing.submodels.forest import Bagging, Forest
from tunesmith.sharing.submodels.gradient_libraries import LightGBM, Recorded, XGBoost
from tunesmith.sharing.submodels.leaves import Leaves
from tunesmith.sharing.submodels.neighbors import Neighbors
from tunesmith.sharing.submodels.pruning import Pruning
from tunesmith.sharing.submodels.ridge import Ridge
from tunesmith.testing.submodels import FamilyContract, random_table, table


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

    def drawn(self, rng: np.random.Generator) -> Any:
        classes = [e.RandomForestClassifier, e.ExtraTreesClassifier]
        others = [e.RandomForestRegressor, e.ExtraTreesRegressor]
        estimator = rng.choice(np.array([*classes, *others]))(random_state=int(rng.integers(99)))
        is_sampled = rng.random() < 0.5
        return estimator.set_params(
            bootstrap=is_sampled,
            max_samples=0.7 if is_sampled else None,
            max_features=rng.choice(np.array([None, "sqrt", 0.5])),
            max_leaf_nodes=rng.choice(np.array([None, 5])),
            ccp_alpha=float(rng.choice([0, 0.02])),
        )

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
            e.BaggingClassifier(linear.LogisticRegression(), max_samples=0.5, random_state=3),
            e.BaggingClassifier(DecisionTreeClassifier(), max_samples=4, random_state=4),
            e.BaggingClassifier(linear.RidgeClassifier(), random_state=5),  # its members vote
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

    def drawn(self, rng: np.random.Generator) -> Any:
        cls = rng.choice(np.array([e.GradientBoostingClassifier, e.GradientBoostingRegressor]))
        return cls(
            random_state=int(rng.integers(99)),
            subsample=float(rng.choice([0.5, 1])),
            max_features=rng.choice(np.array([None, "sqrt"])),
            n_iter_no_change=rng.choice(np.array([None, 2])),
            init=rng.choice(np.array([None, "zero"])),
            learning_rate=float(rng.choice([0.1, 1])),
        )

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

    def drawn(self, rng: np.random.Generator) -> Any:
        kinds = [e.HistGradientBoostingClassifier, e.HistGradientBoostingRegressor]
        return rng.choice(np.array(kinds))(
            random_state=int(rng.integers(99)),
            early_stopping=bool(rng.random() < 0.5),
            n_iter_no_change=int(rng.integers(1, 4)),
            max_features=float(rng.choice([0.5, 1])),
            max_leaf_nodes=int(rng.integers(2, 9)),
            min_samples_leaf=int(rng.integers(1, 30)),
            learning_rate=float(rng.choice([0.1, 1])),
        )

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
    given: Mapping[str, Any] = MappingProxyType({"n_jobs": 1})

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

    def drawn(self, rng: np.random.Generator) -> Any:
        xgboost = pytest.importorskip("xgboost")
        cls = xgboost.XGBClassifier if rng.random() < 0.5 else xgboost.XGBRegressor
        return cls(
            n_jobs=1,
            random_state=int(rng.integers(99)),
            tree_method=str(rng.choice(["hist", "exact", "approx"])),
            subsample=float(rng.choice([0.5, 1])),
            colsample_bytree=float(rng.choice([0.5, 1])),
            num_parallel_tree=int(rng.integers(1, 3)),
            gamma=float(rng.choice([0, 5])),
            max_depth=int(rng.integers(1, 6)),
        )

    def unshareable(self) -> list[Any]:
        xgboost = pytest.importorskip("xgboost")
        return [
            xgboost.XGBClassifier(booster="dart"),
            xgboost.XGBClassifier(booster="gblinear"),
            xgboost.XGBClassifier(early_stopping_rounds=3),
            xgboost.XGBClassifier(device="cuda"),
            xgboost.XGBRegressor(eta=0.3),  # of which no table tells
            xgboost.XGBRegressor(objective=lambda y, p: (p - y, np.ones_like(y))),
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
    given: Mapping[str, Any] = MappingProxyType({"n_jobs": 1, "verbose": -1})

    def estimators(self) -> list[Any]:
        lightgbm = pytest.importorskip("lightgbm")
        quiet = {"verbose": -1, "n_jobs": 1, "min_child_samples": 5}
        return [
            lightgbm.LGBMClassifier(random_state=0, **quiet),
            lightgbm.LGBMClassifier(subsample=0.6, subsample_freq=1, random_state=1, **quiet),
            lightgbm.LGBMRegressor(boosting_type="rf", subsample=0.5, subsample_freq=1, **quiet),
            lightgbm.LGBMRegressor(objective="l1", extra_trees=True, num_leaves=7, **quiet),
            lightgbm.LGBMRegressor(linear_tree=True, **quiet),
        ]

    def drawn(self, rng: np.random.Generator) -> Any:
        lightgbm = pytest.importorskip("lightgbm")
        cls = lightgbm.LGBMClassifier if rng.random() < 0.5 else lightgbm.LGBMRegressor
        return cls(
            n_jobs=1,
            verbose=-1,
            random_state=int(rng.integers(99)),
            boosting_type=str(rng.choice(["gbdt", "goss"])),
            colsample_bytree=float(rng.choice([0.5, 1])),
            min_child_samples=int(rng.integers(1, 8)),
            num_leaves=int(rng.integers(2, 9)),
            linear_tree=bool(rng.random() < 0.3),
            extra_trees=bool(rng.random() < 0.5),
        )

    def unshareable(self) -> list[Any]:
        lightgbm = pytest.importorskip("lightgbm")
        others: list[dict[str, Any]] = [
            {"boosting_type": "dart"},
            {"boost": "dart"},
            {"boosting": "dart"},
            {"num_iterations": 7},
            {"nrounds": 7},
            {"early_stopping_round": 3},
            {"n_iter_no_change": 3},
            {"snapshot_freq": 2},
            {"no_such": 1},
        ]
        return [*(lightgbm.LGBMClassifier(**other) for other in others), lightgbm.LGBMRanker()]

    def test_aliases_are_the_librarys_own(self) -> None:
        lightgbm = pytest.importorskip("lightgbm")
        given: list[dict[str, Any]] = [
            {"boost": "goss"},
            {"eta": 0.3, "num_leaf": 5, "sub_feature": 0.5},
            {"bagging_fraction": 0.5, "bagging_freq": 1, "verbosity": -1},
        ]
        for one in given:
            assert not self.blocker(lightgbm.LGBMRegressor(**one), self.values)

    @pytest.mark.parametrize("objective", ["regression", "poisson"])
    def test_rounds_that_leave_no_tree_are_counted(self, objective: str) -> None:
        lightgbm = pytest.importorskip("lightgbm")
        given = {"verbose": -1, "n_jobs": 1, "min_child_samples": 15, "extra_trees": True}
        X = np.repeat(np.arange(4.0), 10)[:, None]
        estimator = lightgbm.LGBMRegressor(n_estimators=30, objective=objective, **given)
        recorded = self.family.fit(estimator, X, X[:, 0])
        values = list(range(1, 31))
        n_kept = [
            clone(estimator).set_params(n_estimators=n).fit(X, X[:, 0]).booster_.current_iteration()
            for n in values
        ]
        assert n_kept[-1] < 30
        assert recorded.n_kept == tuple(n_kept)
        for n, model in zip(values, self.family.submodels(recorded, values, X), strict=True):
            fresh = clone(estimator).set_params(n_estimators=n).fit(X, X[:, 0])
            np.testing.assert_array_equal(model.predict(X), fresh.predict(X))
            np.testing.assert_array_equal(model.predict(X[:7]), fresh.predict(X[:7]))
            assert model.booster_.current_iteration() == fresh.booster_.current_iteration()
            assert model.booster_.num_trees() == fresh.booster_.num_trees()

    def test_unseeded_estimators_are_not_shared(self) -> None:
        """They are seeded: by the library itself."""


class TestCatBoost(FamilyContract):
    family = CatBoost()
    values: Sequence[Any] = (8, 1, 20)
    given: Mapping[str, Any] = MappingProxyType(
        {"learning_rate": 0.3, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
    )

    def estimators(self) -> list[Any]:
        catboost = pytest.importorskip("catboost")
        return [
            catboost.CatBoostClassifier(random_seed=0, **self.given),
            catboost.CatBoostClassifier(
                boosting_type="Ordered", auto_class_weights="Balanced", depth=3, **self.given
            ),
            catboost.CatBoostRegressor(bootstrap_type="Bernoulli", nan_mode="Max", **self.given),
            catboost.CatBoostRegressor(loss_function="MAE", rsm=0.5, subsample=0.6, **self.given),
        ]

    def drawn(self, rng: np.random.Generator) -> Any:
        catboost = pytest.importorskip("catboost")
        cls = catboost.CatBoostClassifier if rng.random() < 0.5 else catboost.CatBoostRegressor
        bootstraps = ["Bayesian", "Bernoulli", "MVS", "No"]
        drawn = {
            "bootstrap_type": str(rng.choice(bootstraps)),
            "boosting_type": str(rng.choice(["Ordered", "Plain"])),
            "depth": int(rng.integers(1, 7)),
            "l2_leaf_reg": float(rng.choice([0.1, 3])),
            "random_strength": float(rng.choice([0, 1, 5])),
            "random_seed": int(rng.integers(100)),
            "rsm": float(rng.choice([0.5, 1])),
            "leaf_estimation_iterations": int(rng.integers(1, 4)),
        }
        return cls(**drawn, **self.given)

    def unshareable(self) -> list[Any]:
        catboost = pytest.importorskip("catboost")
        others: list[dict[str, Any]] = [
            {"grow_policy": "Lossguide"},
            {"learning_rate": None},
            {"langevin": True},
            {"model_shrink_rate": 0.1},
            {"early_stopping_rounds": 3},
            {"od_type": "Iter"},
            {"use_best_model": True},
            {"task_type": "GPU"},
            {"num_leaves": 8},
            {"save_snapshot": True},
        ]
        found = [catboost.CatBoostClassifier(**{**self.given, **other}) for other in others]
        return [*found, catboost.CatBoostRanker(**self.given)]

    def test_the_longest_run_is_not_cut_even_where_trees_lack_splits(self) -> None:
        catboost = pytest.importorskip("catboost")
        given = {**self.given, "random_strength": 5.0, "rsm": 0.5, "depth": 1, "random_seed": 88}
        X, y = np.repeat(np.arange(4.0), 10)[:, None], np.tile([0, 1, 2, 3], 10)
        estimator = catboost.CatBoostClassifier(boosting_type="Ordered", **given)
        fitted = self.widest_fit(estimator, self.values, X, y)
        *_, longest = self.family.submodels(fitted, sorted(self.values), X)
        np.testing.assert_array_equal(longest.predict_proba(X), fitted.predict_proba(X))

    @pytest.mark.parametrize("n_threads", [None, 3])
    def test_threads_change_nothing(self, n_threads: int | None) -> None:
        catboost = pytest.importorskip("catboost")
        given = {**self.given, "depth": 4, "thread_count": n_threads}
        estimator = catboost.CatBoostClassifier(boosting_type="Ordered", **given)
        # So many numbers that another number of threads gives other bits.
        X, y = make_classification(18000, 20, n_informative=8, random_state=0)
        found = self.shared(estimator, X, y, 16000, {})
        for n, (_, answers) in found.items():
            fresh = self.with_value(estimator, n).fit(X[:16000], y[:16000])
            np.testing.assert_array_equal(answers["predict_proba"], fresh.predict_proba(X[16000:]))

    @pytest.mark.parametrize(("values", "is_shared"), [((100, 199), True), ((199, 200), False)])
    def test_short_runs_estimate_their_leaves_in_another_way(
        self, values: tuple[int, ...], *, is_shared: bool
    ) -> None:
        catboost = pytest.importorskip("catboost")
        plain = catboost.CatBoostClassifier(depth=2, **self.given)
        told = catboost.CatBoostClassifier(depth=2, leaf_estimation_iterations=2, **self.given)
        assert not self.blocker(plain, values)
        assert not self.blocker(told, values)
        for one, is_one_side in ((plain, is_shared), (told, True)):
            sides = {self.family.border(one, value, None) for value in values}
            assert (len(sides) == 1) is is_one_side
        X, y, _ = table(plain, 0)
        for estimator in (plain, told):
            long, short = (
                clone(estimator).set_params(iterations=n).fit(X, y) for n in reversed(values)
            )
            (cut,) = self.family.submodels(long, values[:1], X)
            is_equal = np.array_equal(cut.predict_proba(X), short.predict_proba(X))
            sides = {self.family.border(estimator, value, None) for value in values}
            assert is_equal is (len(sides) == 1)


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
        given = {"n_estimators": 40, "learning_rate": 0.7, **quiet, **options}
        return cls(**given).fit(X, y), X

    @pytest.mark.parametrize("block", [1, 3000, rounds.BLOCK])
    @pytest.mark.parametrize(
        "options",
        [
            {"is_classifier": True},
            {"is_classifier": True, "n_classes": 4, "num_leaves": 4},
            {"is_classifier": True, "boosting_type": "goss", "learning_rate": 0.1},
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
        recorded = Recorded(fitted, tuple(values))
        for n, model in zip(values, LightGBM().submodels(recorded, values, X), strict=True):
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
        return [KNeighborsClassifier(weights="no such")]

    def drawn(self, rng: np.random.Generator) -> Any:
        cls = rng.choice([KNeighborsClassifier, KNeighborsRegressor])
        return cls(
            algorithm=str(rng.choice(["auto", "brute", "kd_tree", "ball_tree"])),
            weights=rng.choice(np.array(["uniform", "distance", None])),
            p=float(rng.choice([1, 2, 3])),
            leaf_size=int(rng.integers(2, 40)),
            n_jobs=rng.choice(np.array([None, 2, -1])),
        )

    @pytest.mark.parametrize("seed", range(5))
    def test_free_weights_share_a_query(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        estimator = self.drawn(rng)
        X, y, X_test, _ = random_table(estimator, rng)
        asked = [(k, w) for k in (1, 4, 5, 9) for w in ("uniform", "distance", None)]
        values, free = [k for k, _ in asked], [{"weights": w} for _, w in asked]
        fitted = self.with_value(estimator, 9).fit(X, y)
        models = self.family.submodels(fitted, values, X_test, free=free)
        for k, given, model in zip(values, free, models, strict=True):
            fresh = clone(estimator).set_params(n_neighbors=k, **given).fit(X, y)
            assert model.get_params() == fresh.get_params()
            nearest = zip(model.kneighbors(X_test), fresh.kneighbors(X_test), strict=True)
            for found, expected in nearest:
                np.testing.assert_array_equal(found, expected)
            for rows in (X_test, X[:20]):
                np.testing.assert_array_equal(model.predict(rows), fresh.predict(rows))
                if hasattr(fresh, "classes_"):
                    answer = model.predict_proba(rows)
                    np.testing.assert_array_equal(answer, fresh.predict_proba(rows))

    def test_the_nearest_are_looked_up_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(90, 3)), rng.integers(3, size=90)
        for estimator in (KNeighborsClassifier(12), KNeighborsClassifier(12, algorithm="brute")):
            fitted = estimator.fit(X[:60], y[:60])
            asked: list[int] = []
            original = fitted.kneighbors

            def kneighbors(X: Any, n: int, original: Any = original, asked: Any = asked) -> Any:
                asked.append(n)
                return original(X, n)

            monkeypatch.setattr(fitted, "kneighbors", kneighbors)
            X_test = X[60:]
            for model in self.family.submodels(fitted, (1, 5, 12), X_test):
                for method in ("predict", "predict_proba", "kneighbors"):
                    getattr(model, method)(X_test)
            assert asked == [12]

    def test_a_number_that_decides_the_algorithm_is_not_shared(self) -> None:
        rng = np.random.default_rng(0)
        fitted = KNeighborsClassifier(30).fit(rng.normal(size=(60, 3)), rng.integers(3, size=60))
        with pytest.raises(CannotShareError, match="algorithm"):
            next(self.family.submodels(fitted, (1, 30), rng.normal(size=(5, 3))))

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


class TestRidge(FamilyContract):
    family = Ridge()
    values: Sequence[Any] = (1.0, 0.03, 0.5, 1e6, 7)
    refused: Sequence[Any] = (-1, "3", None, True, [1.0], float("inf"), float("nan"))

    def estimators(self) -> list[Any]:
        return [
            linear.Ridge(),
            linear.Ridge(solver="cholesky", fit_intercept=False),
            linear.RidgeClassifier(),
            linear.RidgeClassifier(class_weight="balanced"),
        ]

    def unshareable(self) -> list[Any]:
        return [
            linear.Ridge(solver="svd"),
            linear.Ridge(solver="lsqr"),
            linear.Ridge(positive=True),
            linear.Ridge(copy_X=False),
            linear.RidgeClassifier(solver="sag"),
        ]

    def test_unseeded_estimators_are_not_shared(self) -> None:
        """This solver draws nothing."""

    @pytest.mark.parametrize("seed", range(40))
    @pytest.mark.filterwarnings("ignore:An ill-conditioned:scipy.linalg.LinAlgWarning")
    def test_any_shape_and_type_of_rows(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n, n_columns = rng.integers(5, 200, size=2)
        X: Any = rng.normal(3, 2, size=(n, n_columns)) * rng.uniform(0.1, 30, size=n_columns)
        X = X.astype(rng.choice(np.array(["f4", "f8"])), order=rng.choice(np.array(["C", "F"])))
        estimator = self.drawn(rng)
        y: Any = X[:, 0] + rng.normal(size=n)
        if hasattr(estimator, "class_weight"):
            y = np.digitize(y, np.quantile(y, [0.5] if seed % 2 else [0.3, 0.6]))
        fit_params = {"sample_weight": rng.uniform(0, 4, n)} if rng.random() < 0.5 else {}
        if rng.random() < 0.5:
            X = pd.DataFrame(X).add_prefix("x")
        values = sorted(10.0 ** rng.uniform(-2, 4, size=5))
        fitted = self.widest_fit(estimator, values, X, y, **fit_params)
        for alpha, model in zip(values, self.family.submodels(fitted, values, X), strict=True):
            fresh = self.with_value(estimator, alpha).fit(X, y, **fit_params)
            assert vars(model).keys() == vars(fresh).keys()
            for name in ("coef_", "intercept_"):
                found, expected = getattr(model, name), getattr(fresh, name)
                np.testing.assert_array_equal(found, expected, strict=isinstance(found, np.ndarray))
            np.testing.assert_array_equal(model.predict(X), fresh.predict(X), strict=True)

    def test_what_is_solved_in_another_way_is_not_shared(self) -> None:
        X, y = np.ones((20, 3)), np.arange(20.0)
        with pytest.raises(np.linalg.LinAlgError):
            list(self.family.submodels(self.widest_fit(linear.Ridge(), [0], X, y), [0], X))
        with pytest.raises(CannotShareError, match="sparse"):
            self.widest_fit(linear.Ridge(), [1], sparse.csr_array(X), y)


class TestPruning(FamilyContract):
    family = Pruning()
    given: Mapping[str, Any] = MappingProxyType({"n_estimators": 3})
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


class TestLeaves(FamilyContract):
    family = Leaves()
    given: Mapping[str, Any] = MappingProxyType({"n_estimators": 3})
    values: Sequence[Any] = (6, 2, 17, 300)
    refused: Sequence[Any] = (1, 0, -1, "3", None, 2.5, True)

    def estimators(self) -> list[Any]:
        return [
            DecisionTreeClassifier(random_state=0),
            DecisionTreeClassifier(random_state=1, max_features=3, class_weight="balanced"),
            DecisionTreeRegressor(random_state=2, max_depth=6, min_samples_leaf=3),
            ExtraTreeRegressor(random_state=4),
            e.RandomForestClassifier(5, random_state=5, class_weight="balanced_subsample"),
            e.ExtraTreesRegressor(5, random_state=6, max_features=0.5),
        ]

    def drawn(self, rng: np.random.Generator) -> Any:
        classes = [DecisionTreeClassifier, ExtraTreeClassifier, e.RandomForestClassifier]
        others = [DecisionTreeRegressor, ExtraTreeRegressor, e.ExtraTreesRegressor]
        estimator = rng.choice(np.array([*classes, *others]))(random_state=int(rng.integers(99)))
        estimator.set_params(
            max_features=rng.choice(np.array([None, "sqrt", 0.5])),
            min_samples_split=int(rng.integers(2, 9)),
            min_impurity_decrease=float(rng.choice([0, 0.01])),
        )
        if "n_estimators" in estimator.get_params():
            estimator.set_params(n_estimators=4)
        return estimator

    def unshareable(self) -> list[Any]:
        return [
            e.RandomForestClassifier(oob_score=True, random_state=0),
            DecisionTreeClassifier(ccp_alpha=0.01, random_state=0),
        ]

    def test_trees_are_the_same_node_by_node(self) -> None:
        estimator = DecisionTreeClassifier(random_state=0, max_features=2)
        X, y, _ = table(estimator, 0)
        fitted = self.widest_fit(estimator, self.values, X, y)
        values = sorted(self.values)
        for n, model in zip(values, self.family.submodels(fitted, values, X), strict=True):
            fresh = self.with_value(estimator, n).fit(X, y)
            found, expected = model.tree_.__getstate__(), fresh.tree_.__getstate__()
            for name in found:
                np.testing.assert_array_equal(found[name], expected[name])
            assert (model.get_depth(), model.get_n_leaves()) == (
                fresh.get_depth(),
                fresh.get_n_leaves(),
            )
            np.testing.assert_array_equal(model.feature_importances_, fresh.feature_importances_)


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
