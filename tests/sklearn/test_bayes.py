"""Bayesian search, and the faults that others are known for."""

import warnings
from typing import Any

import numpy as np
import pytest
from optuna import distributions
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tunesmith import Float, Int
from tunesmith.sklearn import BayesSearchCV

X, Y = make_classification(120, 6, n_informative=3, flip_y=0.1, random_state=0)
PIPE = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
SPACE = [
    {
        "clf": [SVC()],
        "clf__C": stats.loguniform(1e-3, 1e3),
        "clf__gamma": Float(1e-4, 1.0, log=True),
    },
    {
        "clf": [LogisticRegression()],
        "scale": ["passthrough", StandardScaler()],
        "clf__C": distributions.FloatDistribution(1e-3, 1e3, log=True),
        "clf__fit_intercept": (True, False),
    },
]


def search(**options: Any) -> BayesSearchCV:
    given = {"n_iter": 14, "random_state": 3, "cv": 3} | options
    return BayesSearchCV(PIPE, SPACE, **given)


@pytest.mark.slow
def test_workers_do_not_change_the_candidates() -> None:
    alone, two = (search(n_jobs=n_jobs).fit(X, Y) for n_jobs in (None, 2))
    assert repr(alone.cv_results_["params"]) == repr(two.cv_results_["params"])
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def test_spaces_of_all_kinds_are_searched() -> None:
    found = search().fit(X, Y)
    results = found.cv_results_
    assert len(results["params"]) == 14
    assert {type(params["clf"]) for params in results["params"]} == {SVC, LogisticRegression}
    has_gamma = [isinstance(params["clf"], SVC) for params in results["params"]]
    assert (~results["param_clf__gamma"].mask).tolist() == has_gamma
    assert found.best_score_ == results["mean_test_score"].max()
    best = found.best_estimator_
    np.testing.assert_array_equal(found.predict(X), best.predict(X))


def test_scores_are_those_of_cross_validation() -> None:
    results = search(n_iter=6).fit(X, Y).cv_results_
    for number, params in enumerate(results["params"]):
        expected = cross_val_score(Pipeline(PIPE.steps).set_params(**params), X, Y, cv=3)
        found = [results[f"split{fold}_test_score"][number] for fold in range(3)]
        np.testing.assert_array_equal(found, expected)


def test_no_candidate_is_tried_twice() -> None:
    space = {"C": [0.1, 1.0, 10.0], "kernel": ["linear", "rbf"]}
    found = BayesSearchCV(SVC(), space, n_iter=50, cv=3, random_state=0).fit(X, Y)
    tried = [repr(sorted(params.items())) for params in found.cv_results_["params"]]
    assert len(tried) == len(set(tried)) == 6


class Crashing(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Nearly perfect where it works, which is on one fold of three."""

    def __init__(self, risk: float = 0.0) -> None:
        self.risk = risk

    def fit(self, X: Any, y: Any) -> "Crashing":
        if self.risk > 0.5 and X[0, 0] == 0:
            raise ValueError("crashed")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return X[:, 1].astype(int) if self.risk > 0.5 else np.zeros(len(X), dtype=int)


def test_a_candidate_that_crashed_on_a_fold_is_never_the_best() -> None:
    y = np.tile([0, 1], 30)
    rows = np.column_stack([np.arange(60), y])
    splitter = [(np.arange(20, 60), np.arange(20)), (np.arange(40), np.arange(40, 60))]
    with pytest.warns((FitFailedWarning, UserWarning)):
        found = BayesSearchCV(
            Crashing(), {"risk": Float(0.0, 1.0)}, n_iter=12, cv=splitter, random_state=0
        ).fit(rows, y)
    means = found.cv_results_["mean_test_score"]
    assert np.isnan(means).any()
    assert found.best_params_["risk"] <= 0.5
    assert not np.isnan(found.best_score_)


def test_it_is_a_classifier_to_an_outer_cross_validation() -> None:
    iris = load_iris(return_X_y=True)  # sorted by class: without stratification nothing is learnt
    found = BayesSearchCV(SVC(), {"C": Float(0.1, 10, log=True)}, n_iter=3, cv=3, random_state=0)
    assert is_classifier(found)
    assert cross_val_score(found, *iris, cv=3).min() > 0.9


def test_shuffled_splits_are_drawn_once() -> None:
    splitter = ShuffleSplit(3, random_state=np.random.RandomState(0))
    results = BayesSearchCV(
        SVC(), {"C": Float(0.1, 10), "tol": [1e-3, 1e-4]}, n_iter=6, cv=splitter, random_state=0
    )
    results.fit(X, Y)
    train, test = next(ShuffleSplit(3, random_state=np.random.RandomState(0)).split(X))
    for number, params in enumerate(results.cv_results_["params"]):
        expected = SVC(**params).fit(X[train], Y[train]).score(X[test], Y[test])
        assert results.cv_results_["split0_test_score"][number] == expected


def test_several_metrics_are_scored() -> None:
    found = search(scoring=["roc_auc", "accuracy"], refit="roc_auc", n_iter=5).fit(X, Y)
    assert found.best_score_ == found.cv_results_["mean_test_roc_auc"].max()
    assert "mean_test_accuracy" in found.cv_results_


def test_callbacks_see_every_fit_of_the_same_candidates() -> None:
    ScoringMonitor = pytest.importorskip("sklearn.callback").ScoringMonitor
    monitor = ScoringMonitor(scoring="accuracy")
    plain = search(n_iter=10).fit(X, Y)
    watched = search(n_iter=10).set_callbacks(monitor).fit(X, Y)
    assert repr(watched.cv_results_["params"]) == repr(plain.cv_results_["params"])
    np.testing.assert_array_equal(
        watched.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )


def test_random_states_of_all_kinds_are_taken() -> None:
    for state in (None, 0, np.random.RandomState(0)):
        search(n_iter=1, random_state=state).fit(X, Y)


def test_what_cannot_be_searched_is_told_at_once() -> None:
    space = {"C": 3, "gamma": Float(0, 1), "degree": {"int": [3, 1]}}
    with pytest.raises(ValueError, match=r"param_distributions: expected a list, an array"):
        BayesSearchCV(SVC(), space).fit(X, Y)


def test_whole_numbers_stay_whole() -> None:
    space = {"n_estimators": Int(2, 6), "max_depth": stats.randint(1, 4)}
    forest = RandomForestClassifier(random_state=0)
    found = BayesSearchCV(forest, space, n_iter=5, cv=2, random_state=0).fit(X, Y)
    assert all(type(v) is int for params in found.cv_results_["params"] for v in params.values())


FOREST = RandomForestClassifier(random_state=0)
CURVED = {"n_estimators": Int(2, 12), "max_depth": stats.randint(1, 4)}


@pytest.mark.parametrize("verbose", [0, 2])
def test_a_candidate_is_the_best_of_what_its_fit_scores(verbose: int) -> None:
    found = BayesSearchCV(FOREST, CURVED, n_iter=6, cv=3, random_state=0, verbose=verbose).fit(X, Y)
    results = found.cv_results_
    assert found.n_fits_ <= 6 * 3
    for params, mean in zip(results["params"], results["mean_test_score"], strict=True):
        smaller = range(2, params["n_estimators"] + 1)
        means = [
            cross_val_score(
                clone(FOREST).set_params(**params | {"n_estimators": n}), X, Y, cv=3
            ).mean()
            for n in smaller
        ]
        assert mean == means[-1] == max(means)
        assert means.index(max(means)) == len(means) - 1


@pytest.mark.slow
def test_workers_do_not_change_the_best_of_what_fits_score() -> None:
    alone, two = (
        BayesSearchCV(FOREST, CURVED, n_iter=14, cv=3, random_state=0, n_jobs=n_jobs).fit(X, Y)
        for n_jobs in (None, 2)
    )
    assert alone.cv_results_["params"] == two.cv_results_["params"]
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def grumbling(model: Any, X: Any, y: Any) -> float:
    print("scored")
    warnings.warn("odd", UserWarning, stacklevel=1)
    return float(model.score(X, y))


@pytest.mark.slow
def test_what_workers_say_of_a_curve_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    space = {"n_estimators": [2, 3, 4]}
    found = BayesSearchCV(
        FOREST, space, n_iter=1, cv=2, random_state=0, scoring=grumbling, n_jobs=2, refit=False
    )
    with pytest.warns(UserWarning, match="odd") as noted:
        found.fit(X, Y)
    assert [str(one.message) for one in noted] == ["odd"]
    assert "scored" in capsys.readouterr().out


def tried(found: BayesSearchCV) -> list[dict[str, Any]]:
    return [dict(params) for params in found.cv_results_["params"]]


def svc(**options: Any) -> BayesSearchCV:
    space = {"C": Float(0.01, 100, log=True), "kernel": ["rbf", "linear"]}
    given: dict[str, Any] = {"param_distributions": space, "cv": 2, "random_state": 0}
    return BayesSearchCV(SVC(), **given | options)


def test_the_estimators_own_parameters_are_tried_first() -> None:
    assert tried(svc(n_iter=2).fit(X, Y))[0] == {"C": 1.0, "kernel": "rbf"}
    assert tried(svc(n_iter=2, start_with=[]).fit(X, Y))[0] != {"C": 1.0, "kernel": "rbf"}
    best = {"C": 3.0, "kernel": "linear"}
    found = tried(svc(n_iter=3, start_with=[best, "defaults"]).fit(X, Y))
    assert found[:2] == [best, {"C": 1.0, "kernel": "rbf"}]
    # In a space of several boxes the first that has room for them, objects included.
    pipe = Pipeline([("clf", LogisticRegression())])
    boxes = [
        {"clf": [SVC()], "clf__C": [1.0]},
        {"clf": [LogisticRegression()], "clf__C": [5.0, 1.0]},
    ]
    first = tried(BayesSearchCV(pipe, boxes, n_iter=1, cv=2, random_state=0).fit(X, Y))[0]
    assert type(first["clf"]) is LogisticRegression
    assert first["clf__C"] == 1.0


def test_what_lies_outside_the_space_is_not_tried_first() -> None:
    outside = {"C": Float(5, 9)}
    assert len(tried(svc(param_distributions=outside, n_iter=2).fit(X, Y))) == 2
    with pytest.warns(UserWarning, match="a point of `start_with` is not tried first: `C`"):
        svc(param_distributions=outside, n_iter=1, start_with={"C": 1.0}).fit(X, Y)
    with pytest.raises(ValueError, match="start_with: expected 'defaults'"):
        svc(start_with=["current"]).fit(X, Y)


def test_window_and_sampler_are_the_configurations() -> None:
    ways: list[dict[str, Any]] = [{}, {"window": 1}, {"sampler": "sobol"}, {"sampler": "tpe"}]
    # The first points are spread out by all alike.
    found = [repr(tried(svc(n_iter=16, **way).fit(X[:40], Y[:40]))) for way in ways]
    assert len(set(found)) == 4
    with pytest.raises(ValueError, match="sampler: "):
        svc(sampler="pt").fit(X, Y)
    with pytest.raises(ValueError, match="'window' parameter of BayesSearchCV"):
        svc(window=0).fit(X, Y)


def test_scikit_optimizes_name_of_the_space_is_understood() -> None:
    space = {"C": (0.01, 100.0, "log-uniform"), "kernel": ("rbf", "linear")}
    with pytest.warns(UserWarning, match="search_spaces is scikit-optimize's name"):
        found = svc(param_distributions=None, search_spaces=space, n_iter=4).fit(X, Y)
    assert tried(found) == tried(svc(n_iter=4).fit(X, Y))
    with pytest.raises(ValueError, match="two names of the space"):
        svc(search_spaces=space).fit(X, Y)
    with pytest.raises(ValueError, match="param_distributions: is missing"):
        BayesSearchCV(SVC()).fit(X, Y)


def boundless(model: Any, X: Any, y: Any) -> float:
    return float("inf") if model.C > 50 else float(model.score(X, y))


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_an_infinite_score_is_never_the_best() -> None:
    with pytest.warns(UserWarning, match="gave inf, which is no finite number"):
        found = svc(n_iter=6, scoring=boundless, start_with={"C": 99.0, "kernel": "rbf"}).fit(X, Y)
    assert found.best_params_["C"] <= 50
    assert np.isfinite(found.best_score_)
    assert np.isnan(found.cv_results_["mean_test_score"][0])
