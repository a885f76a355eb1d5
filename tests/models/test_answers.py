from typing import Any

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.svm import SVC

from tunesmith.errors import UsageError
from tunesmith.models.answers import FoldAnswers, answers_of, blend
from tunesmith.models.average import averaged

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])[Y]


def test_answers_are_those_of_the_model() -> None:
    model = LogisticRegression(max_iter=500).fit(X, NAMES)
    answers = answers_of(model, X[:7])
    assert answers.values.keys() == {"predict", "predict_proba", "decision_function"}
    assert np.array_equal(answers.values["predict_proba"], model.predict_proba(X[:7]))
    assert answers.classes is not None
    assert (answers.n_rows, answers.classes.tolist()) == (7, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (DBSCAN().fit(X), "DBSCAN predicts nothing"),
        (
            MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(X, np.c_[Y, Y > 1]),
            "several outputs",
        ),
    ],
)
def test_models_without_an_average_are_refused(model: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        answers_of(model, X)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(max_iter=500),
        RidgeClassifier(),
        SVC(decision_function_shape="ovo"),
        SVC(),
    ],
)
@pytest.mark.parametrize("classes", [(0, 1, 2), (0, 1)])
def test_a_blend_answers_as_the_averaged_estimator_does(
    estimator: Any, classes: tuple[int, ...]
) -> None:
    rows = np.isin(Y, classes)
    X_of, y_of = X[rows], NAMES[rows]
    models = [
        type(estimator)(**estimator.get_params()).fit(X_of[part::3], y_of[part::3])
        for part in range(3)
    ]
    average = averaged({"m": (estimator, models)})
    blended = blend([answers_of(model, X) for model in models], average.weights_.tolist())
    assert np.array_equal(average.predict(X), blended.values["predict"])
    for method in ("predict_proba", "decision_function"):
        if method in blended.values:
            assert np.array_equal(getattr(average, method)(X), blended.values[method])


def test_classes_that_a_member_has_not_seen_get_no_probability() -> None:
    one = FoldAnswers(
        {"predict": np.array([0]), "predict_proba": np.array([[0.6, 0.4]])}, NAMES[:0]
    )
    one = FoldAnswers(one.values, np.array([0, 2]))
    other = FoldAnswers(
        {"predict": np.array([1]), "predict_proba": np.array([[0.1, 0.8, 0.1]])}, None
    )
    other = FoldAnswers(other.values, np.array([0, 1, 2]))
    blended = blend([one, other], [1, 1])
    assert blended.values["predict_proba"].round(3).tolist() == [[0.35, 0.4, 0.25]]
    assert blended.values["predict"].tolist() == [1]
