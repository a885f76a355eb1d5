"""Our searches beside scikit-learn's: every column of ``cv_results_``, bit for bit."""

import pickle
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn import config_context
from sklearn import model_selection as theirs
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone, is_classifier
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import GroupKFold, RepeatedStratifiedKFold, ShuffleSplit
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tunesmith import sklearn as ours
from tunesmith.sklearn.base import EXTRAS, UNUSED

X, Y = make_classification(160, 8, n_informative=4, flip_y=0.1, random_state=0)
FRAME = pd.DataFrame(X, columns=list("abcdefgh"))
X_REG, Y_REG = make_regression(120, 6, noise=20.0, random_state=1)
WEIGHTS = np.random.default_rng(0).uniform(0.5, 2.0, len(Y))
GROUPS = np.repeat(np.arange(16), 10)
FOREST = RandomForestClassifier(random_state=0)
TREES = {"n_estimators": [3, 12, 6], "max_depth": [2, None]}
PIPE = Pipeline([("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("clf", SVC())])


def fitted(
    kind: str,
    estimator: Any,
    space: Any,
    data: tuple[Any, ...] = (X, Y),
    fit_params: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Any, Any]:
    """Our search and scikit-learn's, fitted alike."""
    made = []
    for place in (ours, theirs):
        search = getattr(place, kind)(clone(estimator), space, **options)
        made.append(search.fit(*data, **(fit_params or {})))
    return made[0], made[1]


def assert_same(our: Any, their: Any) -> None:
    """All that does not measure time is the same, in bits, types and order."""
    assert list(our.cv_results_) == list(their.cv_results_)
    for name, expected in their.cv_results_.items():
        found = our.cv_results_[name]
        assert type(found) is type(expected), name
        if name == "params":
            assert repr(found) == repr(expected)
        elif "_time" not in name:
            assert found.dtype == expected.dtype, name
            np.testing.assert_array_equal(found, expected, err_msg=name)
        elif "mean" in name:
            assert found.dtype == expected.dtype, name
    for name in ("best_index_", "best_score_", "multimetric_", "n_splits_"):
        assert hasattr(our, name) == hasattr(their, name), name
        assert getattr(our, name, None) == getattr(their, name, None), name
    assert repr(getattr(our, "best_params_", None)) == repr(getattr(their, "best_params_", None))


CASES: dict[str, dict[str, Any]] = {
    "forest": {"estimator": FOREST, "space": TREES},
    "numpy values": {"estimator": FOREST, "space": {"n_estimators": np.arange(3, 12, 4)}},
    "frame": {"estimator": FOREST, "space": TREES, "data": (FRAME, pd.Series(Y))},
    "lists": {"estimator": FOREST, "space": TREES, "data": (X.tolist(), Y.tolist())},
    "sparse": {"estimator": FOREST, "space": TREES, "data": (sparse.csr_array(X), Y)},
    "text labels": {"estimator": FOREST, "space": TREES, "data": (X, Y.astype(str))},
    "train scores": {"estimator": FOREST, "space": TREES, "return_train_score": True},
    "several metrics": {
        "estimator": FOREST,
        "space": TREES,
        "scoring": ["roc_auc", "recall"],
        "refit": "recall",
    },
    "several metrics, no refit": {
        "estimator": FOREST,
        "space": TREES,
        "scoring": {"a": "accuracy", "r": make_scorer(recall_score)},
        "refit": False,
    },
    "weights": {
        "estimator": FOREST,
        "space": TREES,
        "fit_params": {"sample_weight": WEIGHTS},
    },
    "groups": {
        "estimator": FOREST,
        "space": TREES,
        "cv": GroupKFold(4),
        "fit_params": {"groups": GROUPS},
    },
    "repeated": {
        "estimator": FOREST,
        "space": TREES,
        "cv": RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
    },
    "overlapping": {"estimator": FOREST, "space": TREES, "cv": ShuffleSplit(3, random_state=0)},
    "list of splits": {
        "estimator": FOREST,
        "space": TREES,
        "cv": [(np.arange(100), np.arange(100, 160)), (np.arange(60, 160), np.arange(60))],
    },
    "boosting": {
        "estimator": HistGradientBoostingClassifier(random_state=0, early_stopping=False),
        "space": {"max_iter": [2, 9, 5], "learning_rate": [0.1, 0.5]},
        "scoring": "neg_log_loss",
    },
    "regression": {
        "estimator": GradientBoostingRegressor(random_state=0, subsample=0.7),
        "space": {"n_estimators": [5, 20, 10]},
        "data": (X_REG, Y_REG),
    },
    "neighbours": {
        "estimator": KNeighborsClassifier(),
        "space": {"n_neighbors": [1, 3, 9], "weights": ["uniform", "distance"]},
    },
    "pipeline": {
        "estimator": PIPE,
        "space": {"pca__n_components": [2, 4], "clf__C": [0.1, 1.0, 10.0]},
    },
    "list of grids": {
        "estimator": PIPE,
        "space": [
            {"clf": [SVC(), LogisticRegression()], "clf__C": [0.1, 1.0]},
            {"scale": ["passthrough"], "clf": [FOREST], "clf__n_estimators": [3, 9]},
        ],
    },
    "tuples and arrays": {
        "estimator": SVC(),
        "space": {"class_weight": [None, {0: 1.0, 1: 2.0}, "balanced"], "C": (0.1, 1)},
    },
    "precomputed kernel": {
        "estimator": SVC(kernel="precomputed"),
        "space": {"C": [0.1, 1.0]},
        "data": (X @ X.T, Y),
    },
    "no target": {
        "estimator": KernelDensity(),
        "space": {"bandwidth": [0.5, 2.0]},
        "data": (X,),
    },
    "one candidate": {"estimator": Ridge(), "space": {}, "data": (X_REG, Y_REG)},
    "unseeded": {"estimator": LogisticRegression(), "space": {"C": [0.1, 1.0], "tol": [1e-4]}},
}


@pytest.mark.parametrize("case", list(CASES))
def test_grid_search_gives_what_scikit_learns_gives(case: str) -> None:
    options = {"cv": 3} | CASES[case]
    our, their = fitted("GridSearchCV", **options)
    assert_same(our, their)
    if hasattr(their, "predict"):
        data = options.get("data", (X, Y))[0]
        np.testing.assert_array_equal(our.predict(data), their.predict(data))


@pytest.mark.slow
@pytest.mark.parametrize("case", ["forest", "several metrics", "pipeline", "list of grids"])
def test_workers_change_nothing(case: str) -> None:
    our, their = fitted("GridSearchCV", **{"cv": 3} | CASES[case] | {"n_jobs": 2})
    assert_same(our, their)


@pytest.mark.parametrize("seed", [0, 1])
def test_random_search_draws_what_scikit_learns_draws(seed: int) -> None:
    space = {"n_estimators": stats.randint(2, 12), "max_features": stats.uniform(0.2, 0.8)}
    our, their = fitted("RandomizedSearchCV", FOREST, space, n_iter=6, cv=3, random_state=seed)
    assert_same(our, their)


def test_fits_are_shared() -> None:
    our, _ = fitted("GridSearchCV", FOREST, TREES, cv=3)
    assert our.n_fits_ == 2 * 3  # one for every depth and fold, not for every candidate
    assert our.n_reused_ == 0


@pytest.mark.parametrize("n_columns", [4, 70])
def test_an_unset_seed_that_plays_no_part_hinders_nobody(n_columns: int) -> None:
    xgboost = pytest.importorskip("xgboost")
    data = make_classification(400, n_columns, n_informative=4, n_redundant=0, random_state=0)
    model = Pipeline([("pca", PCA(4)), ("model", xgboost.XGBClassifier(n_jobs=1, max_depth=2))])
    space = {"model__n_estimators": [2, 5, 9], "model__max_depth": [1, 2]}
    our, their = fitted("GridSearchCV", model, space, cv=3, data=data)
    assert_same(our, their)
    assert our.n_fits_ == 2 * 3  # one for every depth and fold


def test_fits_are_shared_where_a_step_is_chosen() -> None:
    our, their = fitted("GridSearchCV", cv=3, **CASES["list of grids"])
    n_candidates = len(their.cv_results_["params"])
    assert our.n_fits_ == (n_candidates - 1) * 3  # the two forests were one


class Picky(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Refuses some of its values."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def fit(self, X: Any, y: Any) -> "Picky":
        if self.value > 1:
            raise ValueError(f"{self.value} is too much")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[self.value])


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_failed_fits_get_the_error_score_and_are_told(n_jobs: int | None) -> None:
    with pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 9") as caught:
        our, their = fitted(
            "GridSearchCV",
            Picky(),
            {"value": [0, 1, 2]},
            cv=3,
            error_score=-1.0,
            n_jobs=n_jobs,
        )
    assert_same(our, their)
    told = [str(w.message) for w in caught if w.category is FitFailedWarning]
    assert len(told) == 2
    assert "ValueError: 2 is too much" in told[0]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_failures_are_raised_if_wanted(n_jobs: int | None) -> None:
    search = ours.GridSearchCV(Picky(), {"value": [0, 2]}, cv=3, error_score="raise", n_jobs=n_jobs)
    with pytest.raises(ValueError, match="2 is too much"):
        search.fit(X, Y)


def test_an_unknown_parameter_is_an_error_as_usual() -> None:
    for place in (ours, theirs):
        with pytest.raises(ValueError, match="Invalid parameter 'C' for estimator Pipeline"):
            place.GridSearchCV(PIPE, {"C": [1.0]}, cv=3).fit(X, Y)


def test_a_scorer_may_return_what_it_likes() -> None:
    def scorer(estimator: Any, X: Any, y: Any) -> dict[str, float]:
        return {"hits": float((estimator.predict(X) == y).sum()), "n": float(len(y))}

    our, their = fitted("GridSearchCV", FOREST, TREES, cv=3, scoring=scorer, refit="hits")
    assert_same(our, their)


def test_metadata_is_routed() -> None:
    with config_context(enable_metadata_routing=True):
        forest = RandomForestClassifier(random_state=0).set_fit_request(sample_weight=True)
        forest = forest.set_score_request(sample_weight=False)
        our, their = fitted(
            "GridSearchCV", forest, TREES, cv=3, fit_params={"sample_weight": WEIGHTS}
        )
    assert_same(our, their)


def test_outer_cross_validation_is_stratified() -> None:
    search = ours.GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2)
    assert is_classifier(search)
    their = theirs.GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2)
    np.testing.assert_array_equal(
        theirs.cross_val_score(search, X, Y, cv=3), theirs.cross_val_score(their, X, Y, cv=3)
    )


def test_searches_are_cloned_pickled_and_drawn() -> None:
    search = ours.GridSearchCV(FOREST, TREES, cv=2).fit(X, Y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert clone(search).get_params()["param_grid"] == TREES
    assert "RandomForestClassifier" in search._repr_html_()
    assert isinstance(search, theirs.GridSearchCV)


def test_our_own_arguments_are_checked() -> None:
    for wrong in ({"selection": "any"}, {"stop": "10m"}, {"fit_timeout_s": -1}, {"ledger": 3}):
        with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
            ours.GridSearchCV(SVC(), {"C": [1]}, **wrong).fit(X, Y)
    with pytest.raises(ValueError, match=r"stop\.patients: unknown key `patients`\.\n  Did"):
        ours.GridSearchCV(SVC(), {"C": [1]}, stop={"patients": 3}).fit(X, Y)
    with pytest.raises(ValueError, match="both choose the winner"):
        ours.GridSearchCV(SVC(), {"C": [1]}, refit=len, selection="one_se").fit(X, Y)


@pytest.mark.parametrize(
    "given",
    [
        {"ledger": "postgresql://ann:canary@nowhere/x"},
        {"executor": "processes"},
        {"selection": "one_se"},
        {"stop": {"time": "10m"}},
        {"fit_timeout_s": 5.0},
        {"stop": {"time": "10m"}, "fit_timeout_s": 5.0},
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("on_estimator", [False, True])
def test_callbacks_and_our_own_arguments_exclude_each_other(
    given: dict[str, Any], on_estimator: bool
) -> None:
    bar = pytest.importorskip("sklearn.callback").ProgressBar()
    model = LogisticRegression()
    if on_estimator:
        model.set_callbacks(bar)
    search = ours.GridSearchCV(model, {"C": [1.0]}, **given)
    if not on_estimator:
        search.set_callbacks(bar)
    with pytest.raises(ValueError, match="callbacks are registered") as raised:
        search.fit(X, Y)
    text = str(raised.value)
    assert text.startswith(f"{' and '.join(given)} cannot be used here")
    assert text.endswith(f"Remove the callbacks, or leave out {' and '.join(given)}.")
    assert "canary" not in text


def test_our_arguments_that_ask_for_nothing_are_no_arguments() -> None:
    defaults = ours.GridSearchCV(SVC(), {}).get_params(deep=False)
    assert {name: defaults[name] for name in EXTRAS} == UNUSED


def test_a_search_may_end_early() -> None:
    search = ours.GridSearchCV(SVC(), {"C": [0.1, 1, 10, 100]}, cv=3, stop={"target": 0.1})
    search.fit(X, Y)
    assert len(search.cv_results_["params"]) == 1
    assert search.stopped_by_ == "score reached the target 0.1"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_slow_fits_are_stopped() -> None:
    class Sleepy(Picky):
        def fit(self, X: Any, y: Any) -> "Picky":
            import time

            time.sleep(60 * self.value)
            return super().fit(X, y)

    search = ours.GridSearchCV(Sleepy(), {"value": [0, 1]}, cv=2, fit_timeout_s=1.0)
    with pytest.warns(FitFailedWarning, match="timeout: stopped after 1 seconds"):
        search.fit(X, Y)
    assert search.best_params_ == {"value": 0}


@pytest.mark.slow
def test_what_workers_print_and_warn_of_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    class Chatty(Picky):
        def fit(self, X: Any, y: Any) -> "Picky":
            warnings.warn("quite warm here", UserWarning, stacklevel=2)
            return super().fit(X, y)

    search = ours.GridSearchCV(Chatty(), {"value": [0, 1]}, cv=2, n_jobs=2, verbose=2, refit=False)
    with pytest.warns(UserWarning, match="quite warm here") as caught:
        search.fit(X, Y)
    assert len(caught) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Fitting 2 folds for each of 2 candidates, totalling 4 fits"
    assert sum("[CV] END" in line for line in lines) == 4


class Scaling(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Works in place, on the very rows that it is given."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def fit(self, X: Any, y: Any = None) -> "Scaling":
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        X.data *= self.factor
        return X


def test_steps_that_work_in_place_spoil_no_other_fit() -> None:
    pipe = Pipeline([("scale", Scaling()), ("clf", LogisticRegression(C=1e-3))])
    grid = {"scale__factor": [1.0, 7.0, 0.1, 3.0]}
    data = (sparse.csr_matrix(X), Y)
    our, their = fitted("GridSearchCV", pipe, grid, data, cv=3, scoring="neg_log_loss", refit=False)
    assert_same(our, their)
