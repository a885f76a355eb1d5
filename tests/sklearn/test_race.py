"""Races over folds in the searches of scikit-learn's interface."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from tunesmith.sklearn import BayesSearchCV, GridSearchCV, RandomizedSearchCV

X, Y = load_breast_cancer(return_X_y=True)
GRID = {"max_depth": [1, 2, 4, 8], "min_samples_leaf": [1, 5, 25, 100, 200]}


def tree(kind: Any = GridSearchCV, **given: Any) -> Any:
    model = DecisionTreeClassifier(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return kind(model, GRID, cv=5, **given).fit(X, Y)


def test_stopped_candidates_rank_last_and_the_winner_stays() -> None:
    whole, raced = tree(), tree(race="auto")
    assert raced.best_params_ == whole.best_params_
    assert raced.best_score_ == whole.best_score_
    assert whole.n_stopped_ == 0
    assert raced.n_stopped_ > 0
    results = raced.cv_results_
    is_stopped = np.isnan(results["mean_test_score"])
    assert is_stopped.sum() == raced.n_stopped_
    assert (results["rank_test_score"][is_stopped] == results["rank_test_score"].max()).all()
    assert np.isfinite(results["mean_fit_time"]).all()
    # The folds that were run have the scores that they have without a race.
    for fold in range(5):
        scores = results[f"split{fold}_test_score"]
        known = np.isfinite(scores)
        assert (scores[known] == whole.cv_results_[f"split{fold}_test_score"][known]).all()
    # In the order of folds: a fold is left out only after all before it were run.
    table = np.array([np.isfinite(results[f"split{fold}_test_score"]) for fold in range(5)])
    assert (np.diff(table.astype(int), axis=0) <= 0).all()


@pytest.mark.parametrize("kind", [RandomizedSearchCV, BayesSearchCV])
def test_workers_change_nothing(kind: Any) -> None:
    given = {"n_iter": 14, "random_state": 0, "race": "auto"}
    alone, several = tree(kind, **given), tree(kind, **given, n_jobs=2)
    for name in ("mean_test_score", "rank_test_score", "split4_test_score"):
        np.testing.assert_array_equal(alone.cv_results_[name], several.cv_results_[name])
    assert alone.best_params_ == several.best_params_


def test_a_race_is_off_unless_it_is_asked_for_and_one_fold_has_none() -> None:
    assert GridSearchCV(LogisticRegression(), {}).race == "off"
    split = [(np.arange(300), np.arange(300, 500))]
    search = GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=split, race="auto")
    assert search.fit(X, Y).n_stopped_ == 0
    with pytest.raises(ValueError, match="race"):
        GridSearchCV(DecisionTreeClassifier(), {}, race="yes").fit(X, Y)
