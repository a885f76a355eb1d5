"""Scores are bit for bit those of scikit-learn's ``cross_validate``."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import model_selection as ms
from sklearn.base import is_classifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.tables import Define

from tunesmith.objective.crossval import CrossValObjective, build_objective
from tunesmith.types import Fit, Params

PROBABILITY = ["accuracy", "recall", "roc_auc", "neg_log_loss", "balanced_accuracy"]
THRESHOLD = ["accuracy", "recall", "roc_auc"]
MULTI = ["accuracy", "recall_macro", "f1_weighted"]
ERRORS = ["r2", "neg_mean_squared_error", "neg_mean_absolute_error"]

CLASSIFIERS: list[tuple[Any, dict[str, Any], list[str]]] = [
    (LogisticRegression, {"C": 0.3}, PROBABILITY),
    (DecisionTreeClassifier, {"max_depth": 3}, PROBABILITY),
    (RandomForestClassifier, {"n_estimators": 7, "max_features": 0.5}, PROBABILITY),
    (GradientBoostingClassifier, {"n_estimators": 5, "subsample": 0.7}, PROBABILITY),
    (HistGradientBoostingClassifier, {"max_iter": 5}, PROBABILITY),
    (AdaBoostClassifier, {"n_estimators": 5}, PROBABILITY),
    (SVC, {"C": 2.0, "gamma": "scale"}, THRESHOLD),
    (KNeighborsClassifier, {"n_neighbors": 3}, PROBABILITY),
    (GaussianNB, {"var_smoothing": 1e-3}, PROBABILITY),
]
REGRESSORS: list[tuple[Any, dict[str, Any]]] = [
    (LinearRegression, {"fit_intercept": True}),
    (Ridge, {"alpha": 0.5}),
    (Lasso, {"alpha": 0.1}),
    (DecisionTreeRegressor, {"max_depth": 4}),
    (RandomForestRegressor, {"n_estimators": 7}),
    (ExtraTreesRegressor, {"n_estimators": 5}),
    (HistGradientBoostingRegressor, {"max_iter": 5}),
    (SVR, {"C": 2.0}),
    (KNeighborsRegressor, {"n_neighbors": 4}),
]


def path(cls: type) -> str:
    return f"{cls.__module__.rsplit('._', 1)[0]}.{cls.__name__}"


def evaluated(objective: CrossValObjective, params: Params) -> dict[str, list[float]]:
    results = [objective.evaluate(Fit(f, (params,)))[0] for f in range(objective.n_folds)]
    assert [result.failure for result in results] == [None] * objective.n_folds
    names = [metric.name for metric in objective.metrics]
    return {name: [result.scores[name] for result in results] for name in names}


def expected(
    estimator: Any, X: Any, y: Any, cv: Any, scoring: list[str], **more: Any
) -> dict[str, list[float]]:
    found = ms.cross_validate(estimator, X, y, cv=cv, scoring=scoring, error_score="raise", **more)
    return {name: found[f"test_{name}"].tolist() for name in scoring}


def seeded(estimator: Any, seed: int) -> Any:
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    return estimator


def parts(frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    # As the objective reads it: through a CSV file.
    from io import StringIO

    read = pd.read_csv(StringIO(frame.to_csv(index=False)))
    return read.drop(columns="y"), read["y"].to_numpy()


@pytest.mark.parametrize(("cls", "params", "metrics"), CLASSIFIERS, ids=lambda v: str(v)[:40])
def test_classifiers(
    define: Define, binary: pd.DataFrame, cls: Any, params: Any, metrics: list[str]
) -> None:
    space = {name: [value] for name, value in params.items()}
    definition = define(binary, space, estimator=path(cls), metric=metrics, search={"seed": 7})
    X, y = parts(binary)
    estimator = seeded(cls(**params), 7)
    assert evaluated(build_objective(definition), params) == expected(estimator, X, y, 5, metrics)


@pytest.mark.parametrize(("cls", "params"), REGRESSORS, ids=lambda v: str(v)[:40])
def test_regressors(define: Define, regression: pd.DataFrame, cls: Any, params: Any) -> None:
    space = {name: [value] for name, value in params.items()}
    definition = define(regression, space, estimator=path(cls), metric=ERRORS, random_state=3)
    X, y = parts(regression)
    estimator = seeded(cls(**params), 3)
    assert evaluated(build_objective(definition), params) == expected(estimator, X, y, 5, ERRORS)


@pytest.mark.parametrize("cls", [LogisticRegression, RandomForestClassifier, SVC])
def test_several_classes(define: Define, multiclass: pd.DataFrame, cls: Any) -> None:
    definition = define(
        multiclass, {"class_weight": ["balanced"]}, estimator=path(cls), metric=MULTI
    )
    X, y = parts(multiclass)
    estimator = seeded(cls(class_weight="balanced"), 0)
    scores = evaluated(build_objective(definition), {"class_weight": "balanced"})
    assert scores == expected(estimator, X, y, 5, MULTI)


def test_a_pipeline(define: Define, binary: pd.DataFrame) -> None:
    definition = define(
        binary,
        {"C": [0.5], "standardscaler__with_mean": [False]},
        steps=[
            {"estimator": "sklearn.preprocessing.StandardScaler"},
            {"estimator": "sklearn.svm.SVC", "params": {"kernel": "poly"}},
        ],
        metric=THRESHOLD,
    )
    X, y = parts(binary)
    pipeline = make_pipeline(
        StandardScaler(with_mean=False), SVC(kernel="poly", C=0.5, random_state=0)
    )
    scores = evaluated(build_objective(definition), {"C": 0.5, "standardscaler__with_mean": False})
    assert scores == expected(pipeline, X, y, 5, THRESHOLD)


def test_a_mixed_table(define: Define, mixed: pd.DataFrame) -> None:
    definition = define(
        mixed,
        {"n_estimators": [5]},
        estimator="sklearn.ensemble.RandomForestClassifier",
        preprocess="auto",
        metric=["accuracy", "roc_auc", "f1_macro"],
    )
    objective = build_objective(definition)
    rows = objective.table.rows
    estimator = objective.builder.build({"n_estimators": 5})
    names = ["accuracy", "roc_auc", "f1_macro"]
    assert evaluated(objective, {"n_estimators": 5}) == expected(
        estimator, rows.X, rows.y, 5, names
    )


CVS: list[tuple[dict[str, Any], Any]] = [
    ({"folds": 4}, 4),
    ({"folds": 3, "shuffle": True, "seed": 5}, ms.StratifiedKFold(3, shuffle=True, random_state=5)),
    ({"method": "kfold", "folds": 3}, ms.KFold(3)),
    ({"stratify": False, "folds": 3, "shuffle": True}, ms.KFold(3, shuffle=True, random_state=0)),
    (
        {"folds": 3, "repeats": 2, "seed": 1},
        ms.RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=1),
    ),
    (
        {"method": "kfold", "folds": 3, "repeats": 2},
        ms.RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    ),
    ({"method": "time_series", "folds": 3, "gap": 2}, ms.TimeSeriesSplit(3, gap=2)),
    (
        {"method": "time_series", "folds": 3, "test_fraction": 0.1},
        ms.TimeSeriesSplit(3, test_size=12),
    ),
    (
        {"method": "shuffle_split", "folds": 3, "test_fraction": 0.3},
        ms.ShuffleSplit(3, test_size=0.3, random_state=0),
    ),
    (
        {"method": "stratified_shuffle_split", "folds": 3},
        ms.StratifiedShuffleSplit(3, random_state=0),
    ),
    (
        {
            "splitter": "sklearn.model_selection.ShuffleSplit",
            "params": {"n_splits": 2, "random_state": 9},
        },
        ms.ShuffleSplit(2, random_state=9),
    ),
]
GROUP_CVS: list[tuple[dict[str, Any], Any]] = [
    ({"folds": 3, "stratify": False}, ms.GroupKFold(3)),
    ({"folds": 3}, ms.StratifiedGroupKFold(3)),
    ({"method": "group", "folds": 3}, ms.GroupKFold(3)),
    (
        {"method": "stratified_group", "folds": 3, "shuffle": True},
        ms.StratifiedGroupKFold(3, shuffle=True, random_state=0),
    ),
    ({"method": "leave_one_group_out"}, ms.LeaveOneGroupOut()),
    (
        {"method": "shuffle_split", "folds": 3, "test_fraction": 0.2},
        ms.GroupShuffleSplit(3, test_size=0.2, random_state=0),
    ),
]


@pytest.mark.parametrize(("section", "splitter"), CVS, ids=lambda v: str(v)[:60])
def test_splitters(
    define: Define, binary: pd.DataFrame, section: dict[str, Any], splitter: Any
) -> None:
    definition = define(
        binary, {"max_depth": [3]}, estimator=path(DecisionTreeClassifier), cv=section
    )
    X, y = parts(binary)
    estimator = DecisionTreeClassifier(max_depth=3, random_state=0)
    assert evaluated(build_objective(definition), {"max_depth": 3}) == expected(
        estimator, X, y, splitter, ["accuracy"]
    )


@pytest.mark.parametrize(("section", "splitter"), GROUP_CVS, ids=lambda v: str(v)[:60])
def test_group_splitters(
    define: Define, binary: pd.DataFrame, section: dict[str, Any], splitter: Any
) -> None:
    groups = np.random.default_rng(0).integers(8, size=len(binary))
    definition = define(
        binary.assign(person=groups),
        {"max_depth": [3]},
        estimator=path(DecisionTreeClassifier),
        cv=section,
        data={"groups": "person"},
    )
    X, y = parts(binary)
    estimator = DecisionTreeClassifier(max_depth=3, random_state=0)
    assert evaluated(build_objective(definition), {"max_depth": 3}) == expected(
        estimator, X, y, splitter, ["accuracy"], groups=groups
    )


def test_predefined_folds(define: Define, binary: pd.DataFrame) -> None:
    folds = np.random.default_rng(0).integers(-1, 3, size=len(binary))
    definition = define(
        binary.assign(part=folds),
        {"C": [1.0]},
        estimator=path(LogisticRegression),
        cv={"method": "predefined", "column": "part"},
    )
    X, y = parts(binary)
    scores = evaluated(build_objective(definition), {"C": 1.0})
    cv = ms.PredefinedSplit(folds)
    assert scores == expected(LogisticRegression(), X, y, cv, ["accuracy"])


@pytest.mark.parametrize("cls", [LogisticRegression, RandomForestClassifier, SVC])
def test_weights(define: Define, binary: pd.DataFrame, cls: Any) -> None:
    weights = np.round(np.random.default_rng(0).uniform(0.1, 3, len(binary)), 3)
    definition = define(
        binary.assign(w=weights),
        {"class_weight": [None]},
        estimator=path(cls),
        metric=THRESHOLD,
        data={"weights": "w"},
    )
    X, y = parts(binary)
    scores = evaluated(build_objective(definition), {"class_weight": None})
    assert scores == expected(
        seeded(cls(), 0), X, y, 5, THRESHOLD, params={"sample_weight": weights}
    )


def test_weights_in_a_pipeline(define: Define, binary: pd.DataFrame) -> None:
    weights = np.round(np.random.default_rng(0).uniform(0.1, 3, len(binary)), 3)
    definition = define(
        binary.assign(w=weights),
        {"C": [2.0]},
        steps=[{"estimator": path(StandardScaler)}, {"estimator": path(LogisticRegression)}],
        data={"weights": "w"},
    )
    X, y = parts(binary)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=2.0))
    assert evaluated(build_objective(definition), {"C": 2.0}) == expected(
        pipeline, X, y, 5, ["accuracy"], params={"logisticregression__sample_weight": weights}
    )


def test_whole_numbers_stay_whole(define: Define, binary: pd.DataFrame) -> None:
    frame = binary.assign(a=(binary["a"] * 10).astype(int), b=binary["b"] > 0)
    definition = define(frame, {"C": [1.0]}, estimator=path(LogisticRegression))
    X, y = parts(frame)
    assert evaluated(build_objective(definition), {"C": 1.0}) == expected(
        LogisticRegression(), X, y, 5, ["accuracy"]
    )


def test_an_estimator_that_works_in_place_spoils_no_later_fit(
    define: Define, binary: pd.DataFrame
) -> None:
    definition = define(
        binary,
        {"standardscaler__copy": [False], "fit_intercept": [True]},
        steps=[
            {"estimator": path(StandardScaler)},
            {"estimator": path(LinearRegression), "params": {"copy_X": False}},
        ],
        metric="r2",
    )
    X, y = parts(binary)
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    objective = build_objective(definition)
    point = {"standardscaler__copy": False, "fit_intercept": True}
    once, again = evaluated(objective, point), evaluated(objective, point)
    assert once == again == expected(pipeline, X, y, ms.KFold(5), ["r2"])


def test_memory_mapped_arrays(define: Define, binary: pd.DataFrame, tmp_path: Any) -> None:
    definition = define(binary, {"C": [1.0]}, estimator=path(LogisticRegression))
    objective = build_objective(definition)
    before = evaluated(objective, {"C": 1.0})
    rows = objective.table.rows
    np.save(tmp_path / "X.npy", rows.X.to_numpy())
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    frame = pd.DataFrame(mapped, columns=rows.X.columns, copy=False)
    fresh = build_objective(definition)
    object.__setattr__(fresh.table.rows, "X", frame)
    assert evaluated(fresh, {"C": 1.0}) == before


@pytest.mark.parametrize("classifier", [True, False])
@pytest.mark.parametrize("folds", [2, 5])
def test_a_number_of_folds_is_scikit_learns(
    define: Define, multiclass: pd.DataFrame, folds: int, *, classifier: bool
) -> None:
    cls = LogisticRegression if classifier else Ridge
    name = "accuracy" if classifier else "r2"
    definition = define(multiclass, {"tol": [1e-3]}, estimator=path(cls), metric=name, cv=folds)
    X, y = parts(multiclass)
    assert is_classifier(cls()) is classifier
    splits = build_objective(definition).splits
    pairs = list(ms.check_cv(folds, y, classifier=classifier).split(X, y))
    assert len(splits) == len(pairs)
    for split, (train, test) in zip(splits, pairs, strict=True):
        assert split.train.tolist() == train.tolist()
        assert split.test.tolist() == test.tolist()
