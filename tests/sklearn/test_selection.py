"""The one-standard-error rule."""

from typing import Any

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from tunesmith.sklearn import GridSearchCV
from tunesmith.sklearn.selection import one_se

X, Y = make_classification(200, 10, n_informative=3, flip_y=0.2, random_state=0)


def results(means: list[float], spread: float, depths: list[Any]) -> dict[str, Any]:
    array = np.array(means)
    ranks = (-array).argsort(kind="stable").argsort(kind="stable") + 1
    return {
        "params": [{"max_depth": depth} for depth in depths],
        "mean_test_score": array,
        "rank_test_score": ranks,
        "split0_test_score": array - spread,
        "split1_test_score": array + spread,
    }


def test_the_simplest_within_one_standard_error_is_taken() -> None:
    # Two folds at -0.1 and +0.1: a standard error of 0.1 * sqrt(2) / sqrt(2).
    found = results([0.79, 0.81, 0.9], 0.1, [1, 2, None])
    assert one_se(found, "score", 2) == 1
    assert one_se(results([0.79, 0.81, 0.9], 0.0, [1, 2, None]), "score", 2) == 2


def test_equally_simple_ones_go_by_their_score_then_by_their_order() -> None:
    assert one_se(results([0.88, 0.9, 0.9], 0.1, [2, 2, 2]), "score", 2) == 1


def test_failed_candidates_are_not_simple() -> None:
    found = results([float("nan"), 0.8, 0.9], 0.2, [1, 2, 3])
    found["rank_test_score"] = np.array([3, 2, 1])
    assert one_se(found, "score", 2) == 1
    found["mean_test_score"][:] = np.nan
    found["rank_test_score"] = np.array([1, 1, 1])
    assert one_se(found, "score", 2) == 0


def test_a_search_selects_by_it() -> None:
    grid = {"C": [0.001, 0.01, 0.1, 1.0, 10.0]}
    best = GridSearchCV(LogisticRegression(), grid, cv=5).fit(X, Y)
    simple = GridSearchCV(LogisticRegression(), grid, cv=5, selection="one_se").fit(X, Y)
    scores = [best.cv_results_[f"split{fold}_test_score"][best.best_index_] for fold in range(5)]
    error = np.std(scores, ddof=1) / np.sqrt(5)
    assert simple.best_params_["C"] < best.best_params_["C"]
    assert best.best_score_ - error <= simple.best_score_ <= best.best_score_
    assert simple.best_params_["C"] == simple.best_estimator_.C
