"""Averages, ensembles and out-of-fold predictions of the searches: exact, and without a fit."""

import pickle
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tunesmith import sklearn as ours
from tunesmith.models.predictions import per_row
from tunesmith.sklearn import models as under_test

X, Y = make_classification(120, 6, n_informative=4, flip_y=0.1, random_state=0)
LINE = make_pipeline(StandardScaler(), LogisticRegression())
CASES: list[tuple[Any, dict[str, list[Any]]]] = [
    (RandomForestClassifier(random_state=0), {"n_estimators": [3, 6], "max_depth": [2, 4]}),
    (LGBMClassifier(random_state=0, n_jobs=1, verbose=-1), {"n_estimators": [3, 6]}),
    (LINE, {"logisticregression__C": [0.01, 1.0]}),
    # Without a seed, nothing is shared and no fit repeats: only kept models can be exact.
    (RandomForestClassifier(4), {"max_depth": [2, 3]}),
]
IDS = ["forest", "lightgbm", "pipeline", "unseeded"]


@pytest.mark.parametrize(("estimator", "grid"), CASES, ids=IDS)
def test_an_average_needs_no_fit_and_is_that_of_the_folds(
    estimator: Any, grid: dict[str, list[Any]]
) -> None:
    search = ours.GridSearchCV(
        estimator, grid, cv=3, scoring="roc_auc", model="average", oof_predictions=True
    ).fit(X, Y)
    assert (search.model_.n_fits, search.model_.n_kept) == (0, 3)
    best = search.best_estimator_
    splits = list(StratifiedKFold(3).split(X, Y))
    # The models that are averaged are those that were scored.
    for fold, ((_, test), model) in enumerate(zip(splits, best.models_, strict=True)):
        score = get_scorer("roc_auc")(model, X[test], Y[test])
        assert score == search.cv_results_[f"split{fold}_test_score"][search.best_index_]
    table = search.oof_predictions_
    told = table.sort_values("row")[["probability_0", "probability_1"]].to_numpy()
    for (_, test), model in zip(splits, best.models_, strict=True):
        assert np.array_equal(told[test], model.predict_proba(X[test]))
    if estimator.get_params().get("random_state", 0) is not None:
        fresh = clone(estimator).set_params(**search.best_params_)
        assert np.array_equal(told, cross_val_predict(fresh, X, Y, cv=3, method="predict_proba"))
        for (train, _), model in zip(splits, best.models_, strict=True):
            one = clone(fresh).fit(X[train], Y[train])
            assert np.array_equal(model.predict_proba(X), one.predict_proba(X))


def test_the_tables_are_those_of_a_search_that_keeps_nothing() -> None:
    grid = {"n_estimators": [3, 6], "max_depth": [2, 4]}
    plain = ours.GridSearchCV(RandomForestClassifier(random_state=0), grid, cv=3).fit(X, Y)
    keeping = ours.GridSearchCV(
        RandomForestClassifier(random_state=0), grid, cv=3, model="ensemble"
    ).fit(X, Y)
    for name, column in plain.cv_results_.items():
        if "time" not in name:
            assert np.array_equal(column, keeping.cv_results_[name])
    assert keeping.n_fits_ == plain.n_fits_


def test_an_ensemble_is_an_estimator_with_a_worth() -> None:
    search = ours.RandomizedSearchCV(
        LINE,
        {"logisticregression__C": loguniform(1e-4, 10)},
        n_iter=5,
        random_state=0,
        cv=3,
        scoring="neg_log_loss",
        model="ensemble",
    ).fit(X, Y)
    built = search.model_
    assert built.n_fits == 0
    assert built.worth is not None
    assert built.worth.chosen >= search.best_score_ - 1e-12
    assert sum(one.weight for one in built.members) == pytest.approx(1)
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.predict_proba(X), search.predict_proba(X))
    assert search.score(X, Y) == get_scorer("neg_log_loss")(search.best_estimator_, X, Y)
    assert clone(search.best_estimator_).fit(X, Y).n_models_ == built.model.n_models_


def test_regressors_and_bayesian_searches_are_averaged() -> None:
    X_of, y_of = make_regression(60, 4, noise=5.0, random_state=0)
    search = ours.BayesSearchCV(
        Ridge(), {"alpha": (1e-3, 10.0)}, n_iter=4, cv=3, random_state=0, model="average"
    ).fit(X_of, y_of)
    assert search.predict(X_of).shape == (60,)
    assert search.model_.n_fits == 0


def test_repeats_give_a_row_per_split() -> None:
    cv = RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0)
    search = ours.GridSearchCV(
        LINE, {"logisticregression__C": [0.1, 1.0]}, cv=cv, oof_predictions=2
    ).fit(X, Y)
    table = search.oof_predictions_
    assert len(table) == 2 * 3 * len(X)
    mean = per_row(table[table["trial"] == search.best_index_])
    assert (mean["n_predictions"] == 3).all()
    assert mean["row"].tolist() == list(range(len(X)))


def test_models_without_room_are_fitted_again_and_counted() -> None:
    search = ours.GridSearchCV(
        RandomForestClassifier(random_state=0),
        {"max_depth": [2, 3]},
        cv=3,
        model="average",
        models_size=1,
    ).fit(X, Y)
    assert (search.model_.n_fits, search.model_.n_kept) == (3, 0)


def test_arguments_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="leave refit on"):
        ours.GridSearchCV(LINE, {}, model="average", refit=False).fit(X, Y)
    with pytest.raises(ValueError, match="models_size"):
        ours.GridSearchCV(LINE, {}, model="average", models_size="huge").fit(X, Y)
    with pytest.raises(ValueError, match="model"):
        ours.GridSearchCV(LINE, {}, model="mean").fit(X, Y)
    assert under_test.kept_models is not None


class Clusters(DBSCAN):  # type: ignore[misc]
    def score(self, X: Any, y: Any = None) -> float:
        return float(len(set(self.labels_)))


def test_what_predicts_nothing_has_no_average() -> None:
    search = ours.GridSearchCV(Clusters(), {"eps": [0.5, 1.0]}, cv=3, model="average")
    with pytest.raises(ValueError, match="predicts nothing"):
        search.fit(X)
