"""Searches that keep their scores."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection as theirs
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.svm import SVC

from tunesmith import Float
from tunesmith.errors import LockedError, UsageError
from tunesmith.execute import starter
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.sklearn import BayesSearchCV, GridSearchCV, engine
from tunesmith.sklearn.session import session

X, Y = make_classification(100, 6, random_state=0)
FOREST = RandomForestClassifier(random_state=0)
GRID = {"n_estimators": np.array([2, 4, 8]), "max_features": ["sqrt", 0.5]}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "scores.db"


def scores(search: Any) -> dict[str, Any]:
    return {name: v.tolist() for name, v in search.cv_results_.items() if "_test_" in name}


def test_a_search_is_taken_up_where_it_ended(place: Path) -> None:
    first = GridSearchCV(FOREST, GRID, cv=3, ledger=place).fit(X, Y)
    again = GridSearchCV(FOREST, GRID, cv=3, ledger=place).fit(X, Y)
    assert (first.n_fits_, again.n_fits_) == (6, 0)
    assert scores(again) == scores(first)
    assert again.best_params_ == first.best_params_
    np.testing.assert_array_equal(again.predict(X), first.predict(X))


def test_a_wider_search_costs_its_new_part_alone(place: Path) -> None:
    GridSearchCV(FOREST, GRID, cv=3, ledger=place).fit(X, Y)
    wider = GRID | {"n_estimators": np.array([2, 4, 8, 10])}
    search = GridSearchCV(FOREST, wider, cv=3, ledger=place).fit(X, Y)
    assert search.n_reused_ == 6 * 3
    assert search.n_fits_ == 2 * 3
    expected = theirs.GridSearchCV(FOREST, wider, cv=3).fit(X, Y)
    assert scores(search) == scores(expected)


def test_another_question_gets_its_own_answer(place: Path) -> None:
    GridSearchCV(FOREST, GRID, cv=3, ledger=place).fit(X, Y)
    others: list[tuple[tuple[Any, Any], dict[str, Any]]] = [
        ((X + 1, Y), {}),
        ((X, 1 - Y), {}),
        ((X, Y), {"scoring": "roc_auc"}),
        ((X, Y), {"cv": 4}),
        ((X, Y), {"estimator": RandomForestClassifier(random_state=1)}),
        ((X, Y), {"return_train_score": True}),
    ]
    for data, options in others:
        given = {"estimator": FOREST, "param_grid": GRID, "cv": 3} | options
        search = GridSearchCV(**given, ledger=place).fit(*data)
        assert search.n_reused_ == 0, options
        assert scores(search) == scores(theirs.GridSearchCV(**given).fit(*data))


def test_failures_are_kept_too(place: Path) -> None:
    grid = {"C": [-1.0, 1.0]}
    found = []
    for _ in range(2):
        with pytest.warns((FitFailedWarning, UserWarning)) as caught:
            found.append(GridSearchCV(SVC(), grid, cv=3, ledger=place).fit(X, Y))
        told = [str(w.message) for w in caught if w.category is FitFailedWarning]
        assert "The 'C' parameter of SVC must be a float" in told[0]
    assert found[1].n_fits_ == 0
    assert np.isnan(found[1].cv_results_["mean_test_score"][0])
    assert repr(scores(found[1])) == repr(scores(found[0]))


def test_several_metrics_come_back(place: Path) -> None:
    options: dict[str, Any] = {
        "cv": 3,
        "scoring": ["accuracy", "roc_auc"],
        "refit": "roc_auc",
        "return_train_score": True,
        "ledger": place,
    }
    first, again = (GridSearchCV(FOREST, GRID, **options).fit(X, Y) for _ in range(2))
    assert again.n_fits_ == 0
    for name, values in first.cv_results_.items():
        if "_time" not in name and name != "params":
            np.testing.assert_array_equal(again.cv_results_[name], values)


def test_a_bayesian_search_goes_on(place: Path) -> None:
    space = {"C": Float(0.01, 100, log=True), "kernel": ["rbf", "linear"]}
    options: dict[str, Any] = {"cv": 3, "random_state": 0, "ledger": place}
    whole = BayesSearchCV(SVC(), space, n_iter=14, cv=3, random_state=0).fit(X, Y)
    part = BayesSearchCV(SVC(), space, n_iter=9, **options).fit(X, Y)
    rest = BayesSearchCV(SVC(), space, n_iter=14, **options).fit(X, Y)
    assert (part.n_fits_, rest.n_fits_) == (27, 15)
    assert rest.cv_results_["params"] == whole.cv_results_["params"]


def test_the_ledger_speaks_of_the_search(place: Path) -> None:
    GridSearchCV(FOREST, GRID, cv=3, ledger=place, scoring="roc_auc").fit(X, Y)
    with Ledger.open(place, create=False) as ledger:
        record = ledger.load("GridSearchCV-RandomForestClassifier")
    assert [metric.name for metric in record.metrics] == ["roc_auc"]
    assert len(record.history) == 6
    assert record.definition["file"]["search"] == {"method": "grid"}


def test_two_processes_do_not_mix(place: Path) -> None:
    with (
        run_lock(place, "GridSearchCV-SVC"),
        pytest.raises(LockedError),
    ):
        GridSearchCV(SVC(), {"C": [1.0]}, cv=3, ledger=place).fit(X, Y)


def own_scorer(estimator: Any, X: Any, y: Any) -> float:
    return float(estimator.score(X, y))


def test_a_scorer_of_your_own_is_known_by_its_code(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise all tests would count as the project's code.
    monkeypatch.chdir(place.parent)

    def fits(weight: float) -> int:
        def scorer(estimator: Any, X: Any, y: Any) -> float:
            return weight * own_scorer(estimator, X, y)

        search = GridSearchCV(SVC(), {"C": [1.0]}, cv=3, ledger=place, scoring=scorer)
        return int(search.fit(X, Y).n_fits_)

    assert [fits(1.0), fits(1.0), fits(2.0)] == [3, 0, 3]


def test_what_nobody_recognises_is_refused(place: Path) -> None:
    held = (number for number in [1])
    with pytest.raises(UsageError, match=r"ledger: `held` of .* has no content that another"):
        GridSearchCV(
            SVC(), {"C": [1.0]}, cv=3, ledger=place, scoring=lambda e, X, y: next(held)
        ).fit(X, Y)
    assert not place.exists()


def test_fits_are_imported_for_while_the_ledger_is_opened(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter._close_kept(os.getpid())
    are_there = []

    def opening(*given: Any) -> Any:
        are_there.append(os.getpid() in starter._kept)
        return session(*given)

    monkeypatch.setattr(engine, "session", opening)
    GridSearchCV(FOREST, GRID, cv=3, ledger=place).fit(X, Y)
    GridSearchCV(FOREST, GRID, cv=3, ledger=place, n_jobs=2).fit(X, Y)
    # One job runs in this process, which needs no other.
    assert are_there == [False, True]
