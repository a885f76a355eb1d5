"""A score that is not finite is a failed fold: it never ranks first, whatever it came from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection as theirs
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier

from tunesmith.sklearn import GridSearchCV, RandomizedSearchCV

X, Y = np.random.default_rng(0).normal(size=(40, 3)), np.tile([0, 1], 20)
FOREST = RandomForestClassifier(random_state=0, n_estimators=2)
GRID = {"n_estimators": [1, 2, 3]}
WARNED = "ignore::UserWarning"


class Value(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Is worth a number."""

    def __init__(self, worth: Any = 0.0) -> None:
        self.worth = worth

    def fit(self, X: Any, y: Any) -> "Value":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))

    def score(self, X: Any, y: Any) -> Any:
        return self.worth if X[0, 0] == FIRST else 0.5


FIRST = X[0, 0]
WORTHS = [0.4, np.inf, -np.inf, np.nan, np.float64("inf"), 10**400, 0.3]
"""Of candidates on the first fold."""
OPTIONS: dict[str, Any] = {"cv": theirs.KFold(2), "refit": False}


def ranked(search: Any, estimator: Any = None, grid: Any = None, **options: Any) -> Any:
    space = {"worth": WORTHS} if grid is None else grid
    return search(Value() if estimator is None else estimator, space, **OPTIONS | options).fit(X, Y)


@pytest.mark.filterwarnings(WARNED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("scoring", [None, "several", "dict"])
def test_only_finite_scores_rank(scoring: Any) -> None:
    own = {
        "several": {"a": lambda m, X, y: m.score(X, y), "b": lambda m, X, y: 1.0},
        "dict": lambda m, X, y: {"a": m.score(X, y), "b": 1.0},
    }.get(scoring)
    found = ranked(GridSearchCV, scoring=own).cv_results_
    name = "score" if scoring is None else "a"
    means, ranks = found[f"mean_test_{name}"], found[f"rank_test_{name}"]
    assert [bool(np.isfinite(mean)) for mean in means] == [True, *[False] * 5, True]
    assert ranks.tolist() == [1, 3, 3, 3, 3, 3, 2]


@pytest.mark.filterwarnings(WARNED)
def test_what_a_failed_fold_counts_is_up_to_error_score() -> None:
    grid = {"worth": [np.inf, 0.1, np.nan]}
    found = ranked(GridSearchCV, grid=grid, error_score=-1.0).cv_results_
    # NaN stays, as in scikit-learn, which ranks it last.
    assert found["split0_test_score"].tolist()[:2] == [-1.0, 0.1]
    assert np.isnan(found["split0_test_score"][2])
    assert found["rank_test_score"].tolist() == [2, 1, 3]
    with pytest.raises(ValueError, match="Scoring failed: the scorer gave inf"):
        ranked(GridSearchCV, grid=grid, error_score="raise")


@pytest.mark.filterwarnings(WARNED)
def test_where_scikit_learns_loop_runs_it_is_the_same() -> None:
    grid = {"worth": [np.inf, 0.1]}
    given: Any = {**OPTIONS, "cv": theirs.KFold(2)}
    bar = pytest.importorskip("sklearn.callback").ProgressBar()
    search = GridSearchCV(Value(), grid, **given).set_callbacks(bar)
    assert search.fit(X, Y).cv_results_["rank_test_score"].tolist() == [2, 1]


def endless(model: Any, X: Any, y: Any) -> float:
    return np.inf if len(model.estimators_) == 3 else float(model.score(X, y))


@pytest.mark.filterwarnings(WARNED)
def test_shared_fits_and_known_scores_are_judged_alike(tmp_path: Path) -> None:
    found = [
        ranked(search, FOREST, GRID, scoring=endless, ledger=tmp_path / "scores.db", **more)
        for search, more in (
            (GridSearchCV, {}),
            (GridSearchCV, {}),
            (RandomizedSearchCV, {"n_iter": 3, "random_state": 0}),
        )
    ]
    assert [search.n_fits_ for search in found][1:] == [0, 0]
    for search in found:
        results = search.cv_results_
        last = [p["n_estimators"] for p in results["params"]].index(3)
        assert np.isnan(results["split0_test_score"][last])
        assert results["rank_test_score"][last] == 3


def test_finite_scores_are_scikit_learns() -> None:
    ours, scikit_learns = (
        ranked(search, FOREST, GRID).cv_results_ for search in (GridSearchCV, theirs.GridSearchCV)
    )
    assert ours["mean_test_score"].tolist() == scikit_learns["mean_test_score"].tolist()
