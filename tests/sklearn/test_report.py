import pickle
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from tunesmith.errors import UsageError
from tunesmith.sklearn import BayesSearchCV, GridSearchCV

X, Y = load_iris(return_X_y=True)


def test_a_search_has_the_report_of_a_study() -> None:
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0], "kernel": ["rbf", "linear"]}, cv=3)
    with pytest.raises(UsageError, match="fit it first"):
        search.report()
    text = search.fit(X, Y).report()
    assert text.startswith("# Tuning results: `GridSearchCV-SVC`")
    assert "4 trials on 3 folds" in text
    assert "Run the same code on the same data again" in text
    assert "<!doctype html>" in search.report("html").lower()
    assert pickle.loads(pickle.dumps(search)).report() == text


def test_predictions_are_in_the_report_if_the_search_has_them() -> None:
    grid = {"C": [0.1, 1.0]}
    search = GridSearchCV(SVC(), grid, cv=3, oof_predictions=True).fit(X, Y)
    text = search.report()
    assert "## Predictions" in text
    assert "150 rows" in text
    assert "Predictions by row" in search.report("html")
    bare = GridSearchCV(SVC(), grid, cv=3).fit(X, Y)
    assert "## Predictions" not in bare.report()


def test_values_may_be_objects() -> None:
    space: Any = {"standardscaler": [MinMaxScaler(), StandardScaler()], "svc__C": [0.1, 1.0]}
    pipeline = make_pipeline(StandardScaler(), SVC())
    search = BayesSearchCV(pipeline, space, n_iter=3, cv=3, random_state=0).fit(X, Y)
    assert "MinMaxScaler()" in search.report()
