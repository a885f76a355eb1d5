"""What models' answers mean: those without a mean are refused, and rules of their own are kept."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import FixedThresholdClassifier, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tunesmith.models.meaning import has_own_rule, is_by_pair, why_no_mean
from tunesmith.sklearn import GridSearchCV

X, Y = load_iris(return_X_y=True)
STRICT = FixedThresholdClassifier(
    LogisticRegression(max_iter=500), threshold=0.99, response_method="predict_proba"
)


class Plain:
    """An estimator that says nothing of itself."""

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (KMeans(2, random_state=0), "numbers clusters"),
        (make_pipeline(StandardScaler(), KMeans(2)), "numbers clusters"),
        (GaussianMixture(), "numbers components"),
        (IsolationForest(), "marks outliers"),
        (SVC(kernel="precomputed"), "its own training rows"),
        (SVC(), ""),
        (Ridge(), ""),
        (Plain(), ""),
    ],
)
def test_labels_and_distances_have_no_mean(model: Any, words: str) -> None:
    reason = why_no_mean(model)
    assert reason.find(words) >= 0 if words else reason == ""


@pytest.mark.parametrize(
    ("wrapped", "own", "pairs"),
    [
        (STRICT, True, False),
        (make_pipeline(StandardScaler(), STRICT), True, False),
        (SVC(decision_function_shape="ovo"), False, True),
        (make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")), False, True),
        (SVC(), False, False),
        (BaseEstimator(), False, False),
    ],
)
def test_rules_are_found_behind_wrappers(wrapped: Any, own: bool, pairs: bool) -> None:
    assert (has_own_rule(wrapped), is_by_pair(wrapped)) == (own, pairs)


@pytest.mark.parametrize("kind", ["average", "ensemble"])
def test_three_pairs_of_three_classes_are_not_taken_for_classes(kind: str) -> None:
    grid = {"C": [1.0]}
    svc = SVC(decision_function_shape="ovo")
    search = GridSearchCV(svc, grid, cv=3, model=kind).fit(X, Y)
    votes = np.array([model.predict(X) for model in search.best_estimator_.models_])
    most = [np.bincount(column, minlength=3).argmax() for column in votes.T]
    assert search.predict(X).tolist() == most
    with pytest.raises(ValueError, match="per pair"):
        search.best_estimator_.decision_function(X)


@pytest.mark.parametrize("kind", ["average", "ensemble"])
def test_a_threshold_is_kept(kind: str) -> None:
    X_of, y_of = load_breast_cancer(return_X_y=True)
    line = make_pipeline(StandardScaler(), STRICT)
    grid = {"fixedthresholdclassifier__estimator__C": [1.0]}
    search = GridSearchCV(line, grid, cv=3, model=kind).fit(X_of, y_of)
    fits = [
        clone(line).fit(X_of[rows], y_of[rows]) for rows, _ in StratifiedKFold(3).split(X_of, y_of)
    ]
    votes = np.mean([model.predict(X_of) for model in fits], axis=0)
    assert search.predict(X_of).tolist() == (votes > 0.5).astype(int).tolist()
    # The most probable class would be another one for many rows.
    by_probability = search.predict_proba(X_of).argmax(axis=1)
    assert (by_probability != search.predict(X_of)).sum() > 10


def _several_outputs() -> list[tuple[Any, dict[str, list[Any]]]]:
    return [
        (MLPClassifier((3,), max_iter=5, random_state=0), {"alpha": [1e-4]}),
        (OneVsRestClassifier(LogisticRegression()), {"estimator__C": [1.0]}),
        (RidgeClassifier(), {"alpha": [1.0]}),
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "grid"), _several_outputs())
@pytest.mark.parametrize("kind", ["average", "ensemble"])
def test_classes_of_several_outputs_are_refused(
    estimator: Any, grid: dict[str, list[Any]], kind: str
) -> None:
    X_of, y_of = make_multilabel_classification(60, random_state=0)
    with pytest.raises(ValueError, match="classes of several outputs"):
        GridSearchCV(estimator, grid, cv=3, model=kind).fit(X_of, y_of)


@pytest.mark.parametrize("kind", ["average", "ensemble"])
def test_clusters_are_refused_with_the_way_out(kind: str) -> None:
    clusters = KMeans(random_state=0, n_init=1)
    with pytest.raises(ValueError, match=r"numbers clusters.*`best`"):
        GridSearchCV(clusters, {"n_clusters": [2, 3]}, cv=3, model=kind).fit(X)
