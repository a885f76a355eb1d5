"""Quick scorers are scikit-learn's combined scorer, whatever they are given."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import check_scoring, get_scorer, make_scorer
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tunesmith.objective import quick_scores
from tunesmith.objective.quick_scores import QuickScorers

BINARY = ("accuracy", "f1", "roc_auc", "neg_log_loss", "average_precision", "neg_brier_score")
MULTI = ("accuracy", "f1_macro", "roc_auc_ovr", "roc_auc_ovo", "neg_log_loss")
ERRORS = ("r2", "neg_mean_absolute_error", "d2_absolute_error_score")


def constant(y: Any) -> np.ndarray:
    found = np.array(y)
    found.flags.writeable = False
    return found


def classes(n_classes: int = 2, names: Any = None) -> tuple[pd.DataFrame, np.ndarray]:
    X, y = make_classification(
        150, 6, n_informative=4, n_classes=n_classes, flip_y=0.2, random_state=0
    )
    return pd.DataFrame(X), constant(y if names is None else np.array(names)[y])


def outcome(scorer: Any, estimator: Any, X: Any, y: Any) -> tuple[Any, list[str]]:
    """Scores or the error, and the warnings."""
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        try:
            found: Any = {k: repr(float(v)) for k, v in scorer(estimator, X, y).items()}
        except Exception as error:  # noqa: BLE001
            found = f"{type(error).__name__}: {error}"
    return found, [str(w.message) for w in noted]


def assert_same(scoring: dict[str, Any], estimator: Any, X: Any, y: Any) -> Any:
    expected, noted = outcome(check_scoring(scoring=scoring), estimator, X, y)
    quick = QuickScorers(scoring)
    for _ in range(2):  # the first time compares, the second does not
        found, quick_noted = outcome(quick, estimator, X, y)
        assert found == expected
        assert set(quick_noted) == set(noted)
    return expected


def named(*names: str) -> dict[str, Any]:
    return {name: get_scorer(name) for name in names}


@pytest.mark.parametrize("names", [None, [1, 2], [-1, 1], ["no", "yes"], [False, True], [0.0, 1.0]])
@pytest.mark.parametrize("model", [LogisticRegression(), SVC(), RandomForestClassifier(5)])
def test_two_classes(model: Any, names: Any) -> None:
    X, y = classes(2, names)
    fitted = make_pipeline(StandardScaler(), model).fit(X[:80], y[:80])
    for name in BINARY:
        assert_same(named(name), fitted, X[80:], constant(y[80:]))
    assert_same(named("accuracy", *BINARY), fitted, X[80:], constant(y[80:]))
    assert_same(named("average_precision", "roc_auc"), fitted, X[80:], constant(y[80:]))
    assert_same(named("roc_auc", "average_precision"), fitted, X[80:], constant(y[80:]))


@pytest.mark.parametrize("names", [None, ["a", "b", "c"]])
def test_three_classes(names: Any) -> None:
    X, y = classes(3, names)
    fitted = RandomForestClassifier(5, random_state=0).fit(X[:80], y[:80])
    assert_same(named(*MULTI), fitted, X[80:], constant(y[80:]))
    assert "ValueError" in assert_same(named("accuracy", "roc_auc"), fitted, X, y)
    assert "ValueError" in assert_same(named("f1", "accuracy"), fitted, X, y)
    few = np.flatnonzero(y != y[0])
    assert_same(named("accuracy", "f1_macro"), fitted, X.iloc[few], constant(y[few]))
    assert_same(named("recall_macro"), fitted, X.iloc[few], constant(y[few]))


def test_numbers() -> None:
    X, _ = classes()
    y = constant(X[0] * 2 + X[1] ** 2)
    fitted = LinearRegression().fit(X[:80], y[:80])
    assert_same(named(*ERRORS), fitted, X[80:], constant(y[80:]))
    assert "mix" in assert_same(named("accuracy", "r2"), fitted, X, constant(y > 0))


def test_one_class_and_other_oddities() -> None:
    X, y = classes()
    one = LogisticRegression()
    one.classes_, one.coef_, one.intercept_ = np.array([1]), np.zeros((1, 6)), np.ones(1)
    for fitted in (
        one,
        IsolationForest(n_estimators=5, random_state=0).fit(X),
        MultiOutputClassifier(LogisticRegression()).fit(X, np.c_[y, 1 - y]),
        LogisticRegression(),
    ):
        assert_same(named("accuracy", "neg_log_loss"), fitted, X, y)
        assert_same(named("roc_auc"), fitted, X, y)


def test_own_scorers_stand_beside_quick_ones() -> None:
    X, y = classes()
    fitted = LogisticRegression().fit(X, y)
    scoring = {
        **named("accuracy"),
        "own": lambda estimator, X, y: estimator.score(X, y) / 2,
        "positives": make_scorer(lambda y, found: found.sum()),
        "recall of 0": make_scorer(metrics.recall_score, pos_label=0),
        "first": make_scorer(
            metrics.average_precision_score, pos_label=0, response_method="decision_function"
        ),
        "loss": make_scorer(
            metrics.log_loss, greater_is_better=False, response_method="predict_proba"
        ),
    }
    assert_same(scoring, fitted, X, y)


class Counting(LogisticRegression):  # type: ignore[misc]
    """Counts its predictions."""

    n_proposed = 0

    def predict(self, X: Any) -> Any:
        self.n_proposed += 1
        return super().predict(X)


def test_an_estimator_is_asked_once() -> None:
    X, y = classes()
    fitted = Counting().fit(X, y)
    quick = QuickScorers(named("accuracy", "f1", "balanced_accuracy", "matthews_corrcoef"))
    quick(fitted, X, y)
    assert fitted.n_proposed == 1


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the metrics that scikit-learn itself computes."""
    asked: list[str] = []
    own = quick_scores.Part.own

    def note(part: Any, y: Any, answers: Any) -> Any:
        asked.append(part.score_func.__name__)
        return own(part, y, answers)

    monkeypatch.setattr(quick_scores.Part, "own", note)
    return asked


def test_scikit_learn_is_asked_once_a_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counted(monkeypatch)
    X, y = classes()
    fitted = LogisticRegression().fit(X, y)
    quick = QuickScorers(named("accuracy", "roc_auc"))
    for _ in range(3):
        quick(fitted, X, y)
    assert asked == ["accuracy_score", "roc_auc_score"]
    quick(fitted, X[:70], constant(y[:70]))
    assert asked == ["accuracy_score", "roc_auc_score"] * 2


def test_what_differs_is_quick_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = classes()
    fitted = LogisticRegression().fit(X, y)
    monkeypatch.setattr(
        quick_scores, "quick_metric", lambda function, _options: lambda _truth, _found: 0.125
    )
    quick = QuickScorers(named("accuracy"))
    asked = counted(monkeypatch)
    expected = get_scorer("accuracy")(fitted, X, y)
    assert [quick(fitted, X, y)["accuracy"] for _ in range(3)] == [expected] * 3
    assert len(asked) == 3


def test_a_truth_that_may_change_is_looked_at_anew() -> None:
    X, y = classes()
    fitted, quick = LogisticRegression().fit(X, y), QuickScorers(named("accuracy"))
    open_to_change = y.copy()
    scores = [quick(fitted, X, open_to_change)["accuracy"]]
    open_to_change[:] = 1 - open_to_change
    scores.append(quick(fitted, X, open_to_change)["accuracy"])
    assert scores[1] == get_scorer("accuracy")(fitted, X, open_to_change) != scores[0]


def test_many_truths_do_not_pile_up() -> None:
    X, y = classes()
    fitted, quick = LogisticRegression().fit(X, y), QuickScorers(named("accuracy"))
    for _ in range(3 * quick_scores.MAX_TRUTHS):
        quick(fitted, X, constant(y))
    assert len(quick._truths) <= quick_scores.MAX_TRUTHS
