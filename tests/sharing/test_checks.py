"""Fresh fits, with which shared ones are compared."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from tunesmith.sharing.checks import answers, are_same, ask_once

X, Y = make_classification(120, 20, n_informative=5, flip_y=0.2, random_state=0)


def boosted(package: str, name: str, **given: Any) -> Any:
    return getattr(pytest.importorskip(package), name)(**given)


@pytest.mark.parametrize(
    "made",
    [
        lambda: KNeighborsClassifier(algorithm="brute"),
        lambda: KNeighborsClassifier(algorithm="kd_tree", weights="distance"),
        lambda: RandomForestClassifier(5, random_state=0),
        lambda: BaggingClassifier(DecisionTreeClassifier(), 5, random_state=0),
        lambda: boosted("lightgbm", "LGBMClassifier", n_estimators=5, verbose=-1, n_jobs=1),
        lambda: boosted("xgboost", "XGBClassifier", n_estimators=5, n_jobs=1),
        lambda: boosted("catboost", "CatBoostClassifier", iterations=5, verbose=0, thread_count=1),
    ],
    ids=["brute", "tree", "forest", "bagging", "lightgbm", "xgboost", "catboost"],
)
def test_answers_that_are_computed_once_are_the_same(
    made: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # CatBoost writes a folder
    model = made().fit(X, Y)
    expected = answers(model, X)
    ask_once(model, X)
    assert are_same(answers(model, X), expected)
    # Other rows have answers of their own.
    assert are_same(model.predict(X[:7]), expected["predict"][:7])


class Model:
    """Answers by itself, writes into what it gets, and takes arguments."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def predict_proba(self, X: Any, scale: float = 1.0, weights: Any = None) -> Any:
        self.calls.append("predict_proba")
        return X * scale * (1.0 if weights is None else weights[len(weights) // 2])

    def predict(self, X: Any) -> Any:
        self.calls.append("predict")
        votes = self.predict_proba(X=X)
        votes *= 2
        return votes


def test_what_is_computed_once_is_handed_out_as_copies() -> None:
    model, rows = Model(), np.ones(3)
    ask_once(model, rows)
    for _ in range(2):
        assert model.predict_proba(rows).tolist() == [1, 1, 1]
        assert model.predict(rows).tolist() == [2, 2, 2]
    assert model.calls == ["predict_proba", "predict"]


def test_other_arguments_have_other_answers() -> None:
    model, rows = Model(), np.ones(3)
    ask_once(model, rows)
    assert model.predict_proba(rows, 3.0).tolist() == [3, 3, 3]
    assert model.predict_proba(rows, scale=4.0).tolist() == [4, 4, 4]
    # The text of a long array shows its ends alone.
    for middle in (5.0, 6.0):
        weights = np.ones(5001)
        weights[2500] = middle
        assert model.predict_proba(rows, weights=weights).tolist() == [middle] * 3
