"""Shared fits change no score, whatever is set: scikit-learn's own search is the referee."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import ensemble as e
from sklearn import model_selection as theirs
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import make_scorer, r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import shuffle

from tunesmith.sklearn import GridSearchCV

REG = make_regression(150, 6, noise=40, random_state=0)
CLS = make_classification(120, 8, n_informative=5, flip_y=0.1, random_state=0)


def compare(estimator: Any, grid: Any, data: Any, fit: Any = None, **given: Any) -> Any:
    """Our search, all of whose scores are scikit-learn's."""
    given = {"cv": 3, "refit": False, **given}
    ours = GridSearchCV(estimator, grid, **given).fit(*data, **(fit or {}))
    expected = theirs.GridSearchCV(estimator, grid, **given).fit(*data, **(fit or {}))
    for name, value in expected.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], value, err_msg=name)
    return ours


# -- options that decide how a run ends ----------------------------------------------------------


def lightgbm(kind: str = "Regressor", **given: Any) -> Any:
    module = pytest.importorskip("lightgbm")
    quiet = {"learning_rate": 0.3, "verbose": -1, "n_jobs": 1, "min_child_samples": 5}
    return getattr(module, f"LGBM{kind}")(**{**quiet, **given})


ROUNDS = {"n_estimators": [5, 15, 40]}


@pytest.mark.filterwarnings("ignore:The argument 'eval_set'")
def test_lightgbm_with_early_stopping() -> None:
    module = pytest.importorskip("lightgbm")
    X, y = REG
    stop = module.early_stopping(3, verbose=False)
    fit = {"eval_set": [(X[100:], y[100:])], "callbacks": [stop]}
    assert compare(lightgbm(), ROUNDS, (X[:100], y[:100]), fit).n_fits_ == 9
    assert compare(lightgbm(), ROUNDS, (X[:100], y[:100])).n_fits_ == 3


@pytest.mark.parametrize(
    ("given", "n_fits"),
    [
        ({"boosting_type": "dart"}, 9),
        ({"boost": "dart"}, 9),
        ({"boost": "goss"}, 3),
        ({"eta": 0.2, "sub_feature": 0.5}, 3),
        ({"num_iterations": 9}, 9),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Found")
def test_lightgbm_by_any_name(given: dict[str, Any], n_fits: int) -> None:
    assert compare(lightgbm("Classifier", **given), ROUNDS, CLS).n_fits_ == n_fits


def test_each_candidate_is_judged_by_itself() -> None:
    grid = {"boost": ["gbdt", "dart"], **ROUNDS}
    assert compare(lightgbm("Classifier"), grid, CLS).n_fits_ == 3 + 9


def test_rounds_without_a_split_are_shared() -> None:
    X = np.column_stack([REG[1] > 0, REG[0][:, 0] > 0]).astype(float)
    estimator = lightgbm(min_child_samples=30, extra_trees=True, min_split_gain=1.0)
    assert compare(estimator, {"n_estimators": [3, 9, 30, 60]}, (X, X[:, 0])).n_fits_ == 3


def test_catboost_with_rows_to_stop_by_and_across_its_border() -> None:
    module = pytest.importorskip("catboost")
    X, y = REG
    quiet = {"learning_rate": 0.3, "depth": 2, "thread_count": 1, "verbose": 0}
    estimator = module.CatBoostRegressor(allow_writing_files=False, **quiet)
    fit = {"eval_set": [(X[100:], y[100:])], "early_stopping_rounds": 3}
    grid = {"iterations": [5, 30]}
    assert compare(estimator, grid, (X[:100], y[:100]), fit, cv=2).n_fits_ == 4
    across = compare(estimator, {"iterations": [150, 190, 200, 210]}, (X, y), cv=2)
    assert across.n_fits_ == 4


@pytest.mark.parametrize(
    ("estimator", "fit", "n_fits"),
    [
        (e.GradientBoostingRegressor(random_state=0), {}, 3),
        (e.GradientBoostingRegressor(random_state=0), {"monitor": lambda i, *_: i > 6}, 9),
        (e.GradientBoostingRegressor(random_state=0, warm_start=True), {}, 9),
        (e.GradientBoostingRegressor(random_state=0, init=Ridge()), {}, 9),
    ],
    ids=["plain", "monitor", "warm", "init"],
)
def test_scikit_learns_boosting_and_forests(estimator: Any, fit: Any, n_fits: int) -> None:
    assert compare(estimator, ROUNDS, REG, fit).n_fits_ == n_fits


def test_own_classes_are_left_alone() -> None:
    class Halved(e.RandomForestRegressor):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return super().fit(
                X[: max(len(X) - self.n_estimators, 9)], y[: max(len(X) - self.n_estimators, 9)]
            )

    assert compare(Halved(random_state=0), ROUNDS, REG, n_jobs=1).n_fits_ == 9


def test_own_first_steps_are_left_alone() -> None:
    calls: list[int] = []

    def counted(X: Any) -> Any:
        calls.append(1)
        return X * (1 + len(calls) % 2)

    forest = e.RandomForestRegressor(random_state=0)
    grid = {"randomforestregressor__n_estimators": [2, 5]}
    pipe = make_pipeline(FunctionTransformer(counted), forest)
    assert GridSearchCV(pipe, grid, cv=2, n_jobs=1, refit=False).fit(*REG).n_fits_ == 4
    plain = make_pipeline(FunctionTransformer(np.tanh), StandardScaler(), forest)
    assert compare(plain, grid, REG, cv=2).n_fits_ == 2


@pytest.mark.parametrize("function", [shuffle, np.random.permutation])
def test_functions_that_draw_are_called_as_often_as_by_scikit_learn(function: Any) -> None:
    steps = make_pipeline(FunctionTransformer(function), e.RandomForestClassifier(random_state=0))
    grid = {"randomforestclassifier__n_estimators": [2, 5]}
    found = []
    for search in (GridSearchCV, theirs.GridSearchCV):
        np.random.seed(3)
        found.append(
            search(steps, grid, cv=3, refit=False).fit(*CLS).cv_results_["mean_test_score"]
        )
    np.testing.assert_array_equal(*found)


def test_ada_boost_of_linear_models_that_ends_early() -> None:
    X, y = make_classification(90, 5, n_informative=3, flip_y=0.2, random_state=0)
    estimator = e.AdaBoostClassifier(LogisticRegression(), random_state=0)
    grid = {"n_estimators": [3, 21]}
    assert compare(estimator, grid, (X, y), scoring="neg_log_loss", cv=2).n_fits_ == 2
    fitted = estimator.set_params(n_estimators=21).fit(X, y)
    assert len(fitted.estimators_) < len(fitted.estimator_weights_)


def test_values_that_an_estimator_will_refuse_are_its_own_affair() -> None:
    estimator = e.HistGradientBoostingRegressor(max_features=None)
    with pytest.raises(ValueError, match="All the 6 fits failed"):
        GridSearchCV(estimator, {"max_iter": [12, 4]}, cv=3).fit(*REG)


def test_seeds_that_are_objects_are_looked_at_as_often_as_by_scikit_learn() -> None:
    xgboost = pytest.importorskip("xgboost")
    estimator = xgboost.XGBClassifier(n_jobs=1, n_estimators=5, colsample_bylevel=0.3)
    seeds = {"random_state": [np.random.RandomState(3), 0]}
    compare(estimator, seeds, CLS, cv=2)
    for seed in (np.random.RandomState(5), np.random.default_rng(5)):
        given = [
            estimator.__class__(**{**estimator.get_params(), "random_state": deepcopy(seed)})
            for _ in range(2)
        ]
        grid = {"n_estimators": [2, 5]}
        ours = GridSearchCV(given[0], grid, cv=2, refit=False).fit(*CLS)
        expected = theirs.GridSearchCV(given[1], grid, cv=2, refit=False).fit(*CLS)
        for name in ("split0_test_score", "split1_test_score"):
            np.testing.assert_array_equal(ours.cv_results_[name], expected.cv_results_[name])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_values_on_two_sides_of_a_border_are_two_paths() -> None:
    grid = {"n_neighbors": [1, 9, 30, 39, 41, 60, 79, 500]}
    found = compare(KNeighborsClassifier(), grid, CLS)
    assert found.n_fits_ == 3 * 3  # in trees, one by one, and more neighbours than rows


# -- fits that write into what they are given ----------------------------------------------------


class Scaled(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Works in place on whatever it is given."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Scaled":
        for part in (y, sample_weight):
            spoil(part)
        weights = None if sample_weight is None else np.abs(np.asarray(sample_weight, float)) + 1
        self.inner_ = Ridge(alpha=self.alpha).fit(X, np.asarray(y, float), weights)
        spoil(X)
        return self

    def predict(self, X: Any) -> Any:
        return self.inner_.predict(X)


def spoil(part: Any) -> None:
    """Write into every place."""
    if part is None:
        return
    if isinstance(part, list):
        for place in range(len(part)):
            part[place] = part[place] / 2 + 1
    elif sparse.issparse(part):
        part.data *= 2
    elif isinstance(part, pd.DataFrame):
        part.iloc[:, 0] = part.iloc[:, 0] * 2
    else:
        part -= part.mean()
        part /= 2


AS: dict[str, Callable[[Any], Any]] = {
    "array": np.array,
    "list": lambda y: np.asarray(y).tolist(),
    "series": pd.Series,
    "extension": lambda y: pd.Series(y, dtype="Float64"),
}


@pytest.mark.parametrize("weights", [None, *AS])
@pytest.mark.parametrize("kind", AS)
def test_a_fit_that_works_in_place_spoils_no_other(kind: str, weights: str | None) -> None:
    X, y = make_regression(60, 10, noise=30, random_state=0)
    fit = {} if weights is None else {"sample_weight": AS[weights](np.linspace(0.5, 3, 60))}
    grid = {"alpha": [30.0, 10.0, 3.0, 1.0]}
    compare(Scaled(), grid, (X, AS[kind](y)), fit, n_jobs=1)


@pytest.mark.parametrize("kind", ["frame", "mixed", "sparse", "fortran"])
def test_rows_that_a_fit_writes_into(kind: str) -> None:
    X, y = make_regression(60, 10, noise=30, random_state=0)
    mixed = pd.DataFrame(X).add_prefix("x").assign(whole=np.arange(60))
    rows = {
        "frame": mixed.drop(columns="whole"),
        "mixed": mixed,
        "sparse": sparse.csr_array(np.where(np.abs(X) > 1, X, 0)),
        "fortran": np.asfortranarray(X),
    }[kind]
    compare(Scaled(), {"alpha": [30.0, 10.0, 3.0]}, (rows, y), n_jobs=1)
    compare(
        make_pipeline(StandardScaler(with_mean=False), Scaled()),
        {"scaled__alpha": [9.0, 1.0]},
        (rows, y),
        n_jobs=1,
    )


def test_a_scorer_that_writes_into_the_truth_spoils_no_other() -> None:
    def shifted(y_true: Any, y_pred: Any) -> float:
        y_true -= y_true.mean() + 1
        return float(r2_score(y_true, y_pred))

    for y in (REG[1], pd.Series(REG[1])):
        for scoring in (make_scorer(shifted), {"own": make_scorer(shifted), "r2": "r2"}):
            forest = e.RandomForestRegressor(random_state=0)
            found = compare(
                forest, {"n_estimators": [2, 5, 9]}, (REG[0], y), scoring=scoring, n_jobs=1
            )
            assert found.n_fits_ == 3


def test_scorers_see_frames_as_they_are() -> None:
    def attached(model: Any, X: Any, y: Any) -> float:
        words = f"{X.attrs} {X.index.name} {X.columns.name} {X.flags.allows_duplicate_labels}"
        return float(model.score(X, y) + hash(words) % 97 + len(y.name) + sum(y.index))

    X = pd.DataFrame(REG[0]).rename_axis(index="row", columns="column")
    X = X.set_flags(allows_duplicate_labels=False)
    X.attrs["unit"] = 3
    y = pd.Series(REG[1], index=X.index, name="target")
    forest = e.RandomForestRegressor(random_state=0)
    assert compare(forest, {"n_estimators": [2, 5]}, (X, y), scoring=attached).n_fits_ == 3


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (LinearRegression(), {"copy_X": [True, False]}),
        (LinearRegression(copy_X=False), {"fit_intercept": [True, False]}),
        (Ridge(), {"copy_X": [False, True], "alpha": [1.0, 10.0]}),
        (make_pipeline(StandardScaler(copy=False), Ridge()), {"ridge__alpha": [1.0, 9.0]}),
        (make_pipeline(StandardScaler(), Ridge()), {"standardscaler__copy": [False, True]}),
        (PCA(2, copy=False), {"n_components": [1, 2, 3]}),
    ],
)
def test_fits_that_work_in_the_rows_themselves(estimator: Any, grid: Any) -> None:
    compare(estimator, grid, REG, return_train_score=True)
