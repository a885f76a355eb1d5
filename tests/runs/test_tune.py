"""Whole studies from Python: equal to scikit-learn's searches, the same for any workers."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform, randint
from sklearn import model_selection as ms
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from tunesmith import Int, define, tune
from tunesmith.errors import UsageError
from tunesmith.history import Trial

SEEDED = {"random_state": 0}
DATA = {"cancer": load_breast_cancer, "diabetes": load_diabetes, "wine": load_wine}
SCALED = [
    {"name": "scale", "estimator": "sklearn.preprocessing.StandardScaler"},
    {"name": "model", "estimator": "sklearn.linear_model.LogisticRegression"},
]
GRIDS: dict[str, tuple[Any, dict[str, Any], dict[str, list[Any]], str, list[str]]] = {
    "forest": (
        RandomForestClassifier(random_state=0),
        {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": SEEDED},
        {"n_estimators": [4, 2, 7], "max_depth": [2, None], "class_weight": [None, "balanced"]},
        "cancer",
        ["roc_auc", "recall", "neg_log_loss"],
    ),
    "boosting": (
        GradientBoostingRegressor(random_state=0),
        {"estimator": "sklearn.ensemble.GradientBoostingRegressor", "params": SEEDED},
        {"n_estimators": [5, 15], "learning_rate": [0.1, 0.3], "subsample": [0.5, 1.0]},
        "diabetes",
        ["r2", "neg_mean_absolute_error"],
    ),
    "neighbours": (
        KNeighborsClassifier(),
        {"estimator": "sklearn.neighbors.KNeighborsClassifier"},
        {"n_neighbors": [1, 5, 15], "weights": ["uniform", "distance"]},
        "wine",
        ["accuracy"],
    ),
    "pipeline": (
        Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]),
        {"steps": SCALED},
        {"model__C": [0.01, 1.0, 100.0], "scale__with_mean": [True, False]},
        "cancer",
        ["roc_auc", "f1"],
    ),
    "machine": (
        SVC(),
        {"estimator": "sklearn.svm.SVC"},
        {"C": [0.1, 1.0], "kernel": ["linear", "rbf"]},
        "wine",
        ["f1_macro"],
    ),
    "ridge": (
        Ridge(),
        {"estimator": "sklearn.linear_model.Ridge"},
        {"alpha": [1e-3, 0.1, 10.0], "fit_intercept": [True, False]},
        "diabetes",
        ["r2"],
    ),
}
SPLITTERS: dict[str, tuple[dict[str, Any] | int, Any]] = {
    "5 folds": (5, 5),
    "shuffled": (
        {"method": "kfold", "folds": 3, "shuffle": True, "seed": 7},
        ms.KFold(3, shuffle=True, random_state=7),
    ),
    "random splits": (
        {"method": "shuffle_split", "folds": 4, "test_fraction": 0.3, "seed": 1},
        ms.ShuffleSplit(4, test_size=0.3, random_state=1),
    ),
}


def study(folder: Path, data: str = "wine", **sections: Any) -> Any:
    frame = DATA[data](as_frame=True).frame
    frame.to_csv(folder / "data.csv", index=False)
    objective = {"data": {"path": "data.csv", "target": "target"}, "metric": "accuracy"}
    objective |= sections.pop("objective", {})
    return tune(define({"study": "s", "objective": objective, **sections}, root=folder))


def read(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.read_csv(folder / "data.csv")
    return frame.drop(columns="target"), frame["target"]


def assert_equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found["params"] == expected["params"]
    columns = [name for name in expected if "_test_" in name]
    assert columns
    for name in columns:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        assert found[name].dtype == expected[name].dtype


@pytest.mark.parametrize(
    ("name", "splitter"),
    [(name, list(SPLITTERS)[i % 3]) for i, name in enumerate(GRIDS)]
    # What is shared, and what is not, once under every splitter.
    + [("forest", "shuffled"), ("forest", "random splits")]
    + [("machine", "5 folds"), ("machine", "random splits")],
)
def test_a_grid_study_is_grid_search(tmp_path: Path, name: str, splitter: str) -> None:
    estimator, objective, grid, data, metrics = GRIDS[name]
    cv, peer_cv = SPLITTERS[splitter]
    result = study(
        tmp_path,
        data,
        objective={**objective, "cv": cv, "metric": metrics},
        space=grid,
        search={"method": "grid"},
        execution={"workers": 1},
    )
    scoring: Any = metrics[0] if len(metrics) == 1 else metrics
    peer = ms.GridSearchCV(estimator, grid, cv=peer_cv, scoring=scoring, refit=False)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer.fit(*read(tmp_path))
    assert_equal(result.cv_results_, peer.cv_results_)
    assert result.n_fits <= result.n_evaluated == len(result.cv_results_["params"]) * peer.n_splits_


def test_a_random_study_scores_as_randomized_search(tmp_path: Path) -> None:
    space = {"n_estimators": randint(3, 20), "max_features": [0.3, "sqrt"], "max_depth": [3, None]}
    result = study(
        tmp_path,
        objective={"estimator": "sklearn.ensemble.RandomForestClassifier", "params": SEEDED},
        space=space,
        search={"method": "random", "seed": 42, "curves": False},
        stop={"trials": 12},
        execution={"workers": 1},
    )
    found = result.cv_results_
    assert len({str(params) for params in found["params"]}) == 12
    # Its draws are its own; the scores of what was drawn are not.
    peer = ms.RandomizedSearchCV(
        RandomForestClassifier(random_state=0),
        [{name: [value] for name, value in params.items()} for params in found["params"]],
        n_iter=12,
        cv=5,
        scoring="accuracy",
        refit=False,
        random_state=0,
    )
    peer.fit(*read(tmp_path))
    by_params = {
        str(sorted(params.items())): i for i, params in enumerate(peer.cv_results_["params"])
    }
    order = [by_params[str(sorted(params.items()))] for params in found["params"]]
    for column in (f"split{fold}_test_score" for fold in range(5)):
        np.testing.assert_array_equal(found[column], peer.cv_results_[column][order])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["grid", "random", "bayesian"])
def test_the_same_trials_for_any_number_of_workers(tmp_path: Path, method: str) -> None:
    space: dict[str, Any] = {"n_estimators": [4, 8, 16], "max_depth": [2, 3, 5, None]}
    if method != "grid":
        space |= {"min_samples_leaf": randint(1, 9), "max_features": loguniform(0.1, 1)}
    found = []
    for n_workers in (1, 3):
        folder = tmp_path / str(n_workers)
        folder.mkdir()
        result = study(
            folder,
            objective={"estimator": "sklearn.ensemble.ExtraTreesClassifier", "cv": 3},
            space=space,
            search={"method": method, "seed": 5},
            stop={"trials": 14},
            execution={"workers": n_workers},
        )
        found.append([(t.key, t.scores("accuracy").tolist()) for t in result.record.history])
    assert len(found[0]) == (12 if method == "grid" else 14)
    assert found[0] == found[1]


def test_a_wider_grid_costs_only_what_is_new(tmp_path: Path) -> None:
    forest = {"estimator": "sklearn.ensemble.RandomForestClassifier"}
    for depths, n_evaluated, n_fits in (([2, 3], 20, 10), ([2, 3, 4], 10, 5), ([3], 0, 0)):
        result = study(
            tmp_path,
            objective=forest,
            space={"max_depth": depths, "n_estimators": [3, 6]},
            search={"method": "grid"},
            execution={"workers": 1},
        )
        assert (result.n_evaluated, result.n_fits) == (n_evaluated, n_fits)


def test_sharing_can_be_turned_off(tmp_path: Path) -> None:
    results = [
        study(
            tmp_path,
            objective={"estimator": "sklearn.ensemble.RandomForestClassifier"},
            space={"n_estimators": [3, 6]},
            search={"method": "grid"},
            execution={"workers": 1, "share": share},
            ledger=f"{share}.db",
        )
        for share in ("exact", "off")
    ]
    assert [result.n_fits for result in results] == [5, 10]
    assert_equal(results[0].cv_results_, results[1].cv_results_)


CURVES: dict[str, tuple[Any, str, dict[str, Any], int]] = {
    "forest": (
        RandomForestClassifier(random_state=0),
        "sklearn.ensemble.RandomForestClassifier",
        {"n_estimators": Int(2, 9), "max_depth": [2, 3, 5], "max_features": loguniform(0.2, 1)},
        1,
    ),
    "neighbours": (
        KNeighborsClassifier(),
        "sklearn.neighbors.KNeighborsClassifier",
        {"n_neighbors": Int(1, 25, step=3), "p": [1, 2, 3]},
        1,
    ),
    "pruning": (
        DecisionTreeClassifier(random_state=0),
        "sklearn.tree.DecisionTreeClassifier",
        {"ccp_alpha": [0.0, 0.01, 0.05, 0.1], "max_features": loguniform(0.1, 1)},
        4,
    ),
}
"""Estimator, its path, space, and the fewest points of a curve."""


def seeds_of(estimator: Any) -> dict[str, Any]:
    return SEEDED if hasattr(estimator, "random_state") else {}


def curve_of(trial: Trial, name: str, space: dict[str, Any]) -> list[dict[str, Any]]:
    """All points that a fit of what a trial proposed holds."""
    proposed = dict(trial.proposed or trial.params)
    if name == "ccp_alpha":
        return [{**proposed, name: value} for value in space[name]]
    levels = map(space[name].level, range(space[name].index(proposed[name]) + 1))
    return [{**proposed, name: value} for value in levels]


@pytest.mark.parametrize("case", CURVES)
@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_a_trial_is_the_best_of_its_curve(tmp_path: Path, case: str, method: str) -> None:
    estimator, path, space, n_fewest = CURVES[case]
    result = study(
        tmp_path,
        objective={"estimator": path, "params": seeds_of(estimator), "cv": 3},
        space=space,
        search={"method": method, "start_with": []},
        stop={"trials": 5},
        execution={"workers": 1},
    )
    X, y = read(tmp_path)
    name, folds = next(iter(space)), ms.StratifiedKFold(3)
    for trial in result.record.history:
        submodel_candidates = curve_of(trial, name, space)
        scores = [
            ms.cross_val_score(clone(estimator).set_params(**p), X, y, cv=folds)
            for p in submodel_candidates
        ]
        best = int(np.argmax([fold_scores.mean() for fold_scores in scores]))
        assert dict(trial.params) == submodel_candidates[best]
        assert trial.scores("accuracy").tolist() == scores[best].tolist()
        assert trial.n_points == len(submodel_candidates) >= n_fewest
    assert result.n_fits <= 15 < result.n_evaluated
    report = (tmp_path / "outputs/tuning_results.md").read_text()
    assert "Each trial is the best of several points that its fits score" in report


def test_a_grid_over_curves_that_were_scored_makes_no_fit(tmp_path: Path) -> None:
    forest = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": SEEDED}
    space = {"n_estimators": Int(2, 8), "max_depth": [2]}
    sampled = study(
        tmp_path,
        objective=forest,
        space=space,
        search={"method": "bayesian", "start_with": []},
        stop={"trials": 7},
        execution={"workers": 1},
    )
    # One fit a fold holds all forests, and nothing else is left to choose.
    assert [params["n_estimators"] for params in map(proposal, sampled.record.history)] == [8]
    assert sampled.n_fits == 5
    grid = study(
        tmp_path,
        objective=forest,
        space=space,
        search={"method": "grid"},
        execution={"workers": 1},
    )
    assert (grid.n_fits, grid.n_evaluated, grid.n_reused) == (0, 0, 35)
    assert max(grid.cv_results_["mean_test_score"]) == max(sampled.cv_results_["mean_test_score"])


def proposal(trial: Trial) -> Any:
    return trial.proposed or trial.params


@pytest.mark.parametrize(
    "without", [{"search": {"curves": False}}, {"execution": {"share": "off"}}]
)
def test_curves_can_be_turned_off(tmp_path: Path, without: dict[str, Any]) -> None:
    result = study(
        tmp_path,
        objective={"estimator": "sklearn.ensemble.RandomForestClassifier"},
        space={"n_estimators": Int(2, 8)},
        search={"method": "random", **without.get("search", {})},
        stop={"trials": 3},
        execution={"workers": 1, **without.get("execution", {})},
    )
    assert [(t.n_points, t.proposed) for t in result.record.history] == [(1, None)] * 3


def test_the_winner_is_scored_on_rows_that_nobody_saw(tmp_path: Path) -> None:
    result = study(
        tmp_path,
        objective={
            "estimator": "sklearn.neighbors.KNeighborsClassifier",
            "data": {"path": "data.csv", "target": "target", "holdout": {"fraction": 0.25}},
        },
        space={"n_neighbors": [1, 5, 9]},
        search={"method": "grid"},
        execution={"workers": 1},
    )
    best = result.record.history.best()
    assert best is not None
    score = result.record.holdout[best.number].scores["accuracy"]
    report = (tmp_path / "outputs/tuning_results.md").read_text()
    assert f"which the search never saw: `accuracy` {score:.6g}." in report
    X, y = read(tmp_path)
    train, test = next(ms.ShuffleSplit(1, test_size=0.25, random_state=0).split(X))
    model = KNeighborsClassifier(**result.best_params).fit(X.iloc[train], y.iloc[train])
    assert model.score(X.iloc[test], y.iloc[test]) == score


def test_what_changed_is_said(tmp_path: Path) -> None:
    said: list[str] = []

    def run(**objective: Any) -> Any:
        sections = {
            "study": "s",
            "objective": {
                "estimator": "sklearn.tree.DecisionTreeClassifier",
                "data": {"path": "data.csv", "target": "target"},
                "metric": "accuracy",
                **objective,
            },
            "space": {"max_depth": [1, 2]},
            "search": {"method": "grid"},
            "execution": {"workers": 1},
        }
        return tune(define(sections, root=tmp_path), say=said.append)

    load_wine(as_frame=True).frame.to_csv(tmp_path / "data.csv", index=False)
    run()
    run(params={"min_samples_leaf": 3})
    load_wine(as_frame=True).frame.iloc[1:].to_csv(tmp_path / "data.csv", index=False)
    last = run(params={"min_samples_leaf": 3})
    assert [text.split(":")[0] for text in said] == [
        "the objective changed (`objective.params`)",
        "the data changed",
    ]
    assert last.record.head.generation == 3
    assert last.n_evaluated == 10


@pytest.mark.parametrize("asked", [{}, {"start_with": ["defaults"]}])
def test_defaults_outside_the_space_are_told_to_who_asks_for_them(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    load_wine(as_frame=True).frame.to_csv(tmp_path / "data.csv", index=False)
    sections = {
        "study": "s",
        "objective": {
            "estimator": "sklearn.tree.DecisionTreeClassifier",
            "data": {"path": "data.csv", "target": "target"},
            "metric": "accuracy",
        },
        "space": {"max_depth": {"int": [2, 4]}},
        "search": {"method": "bayesian", **asked},
        "stop": {"trials": 2},
        "execution": {"workers": 1},
    }
    said: list[str] = []
    tune(define(sections, root=tmp_path), say=said.append)
    begins = ["the estimator's defaults are not tried first"] if asked else []
    assert [text.split(":")[0] for text in said] == begins


def test_options_that_a_sampler_lacks_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="n_startups"):
        study(
            tmp_path,
            objective={"estimator": "sklearn.tree.DecisionTreeClassifier"},
            space={"max_depth": [1, 2]},
            search={"method": "bayesian", "sampler": "tpe", "options": {"n_startups": 3}},
            stop={"trials": 3},
        )
