"""The averaged estimators as scikit-learn's users know estimators."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from tunesmith.models.average import AveragedClassifier, AveragedRegressor, averaged

X, Y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        AveragedClassifier([("tree", TREE), ("line", LogisticRegression())], cv=2),
        AveragedClassifier([("svc", LinearSVC())], cv=2),
        AveragedRegressor([("line", Ridge())], cv=2),
    ]
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_average_is_that_of_fits_on_the_folds() -> None:
    model = AveragedClassifier([("tree", TREE)], cv=3).fit(X, Y)
    fits = [clone(TREE).fit(X[a], Y[a]) for a, _ in StratifiedKFold(3).split(X, Y)]
    mean = sum(one.predict_proba(X) for one in fits) / 3
    assert np.allclose(model.predict_proba(X), mean, atol=1e-15)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.n_features_in_ == 4


def test_weights_count_by_estimator() -> None:
    members = [("tree", TREE), ("line", LOGISTIC)]
    model = AveragedClassifier(members, weights=[3, 1], cv=2).fit(X, Y)
    assert model.weights_.tolist() == [0.375, 0.375, 0.125, 0.125]
    for weights in ([1], [-1, 2], [0, 0]):
        with pytest.raises(ValueError, match="weights"):
            AveragedClassifier(members, weights=weights, cv=2).fit(X, Y)


def test_it_is_an_estimator_like_others() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = AveragedClassifier([("line", LOGISTIC)], cv=3).fit(frame, Y)
    assert list(model.feature_names_in_) == list("abcd")
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(frame), model.predict_proba(frame))
    fresh = clone(model)
    assert not hasattr(fresh, "models_")
    assert fresh.set_params(line__logisticregression__C=0.1).get_params()[
        "line__logisticregression__C"
    ] == pytest.approx(0.1)
    assert is_classifier(model)
    assert "LogisticRegression" in model._repr_html_()
    assert cross_val_score(fresh, frame, Y, cv=3).mean() > 0.8
    assert model.named_estimators.line is not None


def test_methods_are_those_that_all_members_have() -> None:
    model = AveragedClassifier([("tree", TREE), ("svc", LinearSVC())], cv=2).fit(X, Y)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "decision_function")
    assert set(model.predict(X)) <= {0, 1, 2}


def test_weights_of_rows_are_cut_with_the_folds() -> None:
    X_of, y_of = make_regression(40, 3, random_state=0)
    weights = np.linspace(1, 2, 40)
    model = AveragedRegressor([("line", LinearRegression())], cv=2)
    model.fit(X_of, y_of, sample_weight=weights)
    first = next(KFold(2).split(X_of))[0]
    fit = LinearRegression().fit(X_of[first], y_of[first], sample_weight=weights[first])
    assert np.array_equal(model.models_[0].predict(X_of), fit.predict(X_of))


def test_fitted_models_are_taken_over() -> None:
    models = [clone(TREE).fit(X[a], Y[a]) for a, _ in StratifiedKFold(3).split(X, Y)]
    model = averaged({"tree": (TREE, models)}, cv=3)
    assert model.models_ == models
    assert np.array_equal(model.predict_proba(X), clone(model).fit(X, Y).predict_proba(X))
