"""Estimators without a seed: which repeat, and which do not."""

from inspect import signature
from typing import Any

import numpy as np
import pytest
from sklearn import decomposition, ensemble, linear_model, neighbors, preprocessing, svm
from sklearn import model_selection as theirs
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from tunesmith.sharing.randomness import RULES, is_certainly_random, is_random
from tunesmith.sklearn import GridSearchCV

X, Y = make_classification(120, 12, n_informative=5, flip_y=0.2, random_state=0)
WIDE, WIDE_Y = make_classification(60, 600, n_informative=5, random_state=0)

# scikit-learn 1.9 warns of the old default; versions before 1.7 have no other one.
QUANTILES = "quantile_method" in signature(preprocessing.KBinsDiscretizer).parameters
BINS = {"quantile_method": "averaged_inverted_cdf"} if QUANTILES else {}
REPEATING: list[Any] = [
    decomposition.PCA(),
    decomposition.PCA(3),
    decomposition.PCA(3, svd_solver="full"),
    ensemble.HistGradientBoostingClassifier(max_iter=5),
    ensemble.HistGradientBoostingRegressor(max_iter=5, early_stopping=False),
    ensemble.BaggingClassifier(DecisionTreeClassifier(), n_estimators=3, random_state=0),
    linear_model.ElasticNet(alpha=0.01),
    linear_model.Lasso(alpha=0.01),
    linear_model.LogisticRegression(),
    linear_model.MultiTaskElasticNet(alpha=0.01),
    linear_model.MultiTaskLasso(alpha=0.01),
    linear_model.Ridge(),
    linear_model.RidgeClassifier(),
    neighbors.KNeighborsClassifier(),
    preprocessing.KBinsDiscretizer(**BINS),
    preprocessing.QuantileTransformer(n_quantiles=10),
    svm.LinearSVC(dual=False),
    svm.LinearSVR(dual=False, loss="squared_epsilon_insensitive"),
    svm.NuSVC(nu=0.3),
    svm.SVC(),
]
RANDOM: list[Any] = [
    decomposition.PCA(3, svd_solver="randomized"),
    ensemble.BaggingClassifier(DecisionTreeClassifier()),
    ensemble.HistGradientBoostingClassifier(early_stopping=True),
    ensemble.HistGradientBoostingClassifier(max_features=0.5),
    ensemble.RandomForestClassifier(),
    ensemble.VotingClassifier([("tree", DecisionTreeClassifier())]),
    linear_model.Lasso(selection="random"),
    linear_model.LogisticRegression(solver="saga"),
    linear_model.SGDClassifier(),
    MLPClassifier(),
    svm.LinearSVC(),
]


def answer(estimator: Any) -> Any:
    """What a fitted estimator makes of the rows."""
    for method in ("transform", "decision_function", "predict_proba", "predict"):
        if hasattr(estimator, method):
            found = getattr(estimator, method)(X)
            return found.toarray() if hasattr(found, "toarray") else found
    raise AssertionError(f"{estimator} answers nothing")


@pytest.mark.parametrize("estimator", REPEATING, ids=str)
def test_what_needs_no_seed_repeats(estimator: Any) -> None:
    assert not is_certainly_random(estimator)
    assert not is_random(estimator, X)
    y = np.column_stack([Y, Y]) if "MultiTask" in str(estimator) else Y
    answers = []
    for seed in (1, 2):
        np.random.seed(seed)  # what estimators without a seed draw from
        answers.append(answer(clone(estimator).fit(X, y)))
    np.testing.assert_array_equal(*answers)


def test_every_rule_has_an_example() -> None:
    assert RULES.keys() == {type(estimator).__name__ for estimator in REPEATING} & RULES.keys()


@pytest.mark.parametrize("estimator", RANDOM, ids=str)
def test_what_draws_is_known_before_any_fit(estimator: Any) -> None:
    assert is_certainly_random(estimator)
    assert is_random(estimator, X)


def test_rows_decide_where_an_estimator_leaves_it_to_them() -> None:
    components = decomposition.PCA(3)
    assert not is_certainly_random(components)
    assert is_random(components, WIDE)
    quantiles = preprocessing.QuantileTransformer(n_quantiles=10, subsample=100)
    assert not is_random(quantiles, X[:100])
    assert is_random(quantiles, X)
    boosting = ensemble.HistGradientBoostingClassifier()
    assert not is_random(boosting, X)
    assert is_random(boosting, np.zeros((10_001, 1)))


def test_parts_count_for_the_worst() -> None:
    parts = ColumnTransformer([("pca", decomposition.PCA(3), [0, 1, 2, 3])])
    assert is_random(parts, X)  # nobody knows here which rows the part will see
    parts.set_params(pca__random_state=0)
    assert not is_random(parts, X)


def test_unknown_estimators_count_as_random() -> None:
    class Own(linear_model.Ridge):  # type: ignore[misc]
        pass

    Own.__module__ = "somewhere"
    assert is_certainly_random(Own())


def test_searches_without_seeds_share_what_repeats() -> None:
    pipe = Pipeline(
        [
            ("scale", preprocessing.StandardScaler()),
            ("pca", decomposition.PCA()),
            ("clf", linear_model.RidgeClassifier()),
        ]
    )
    grid = {"pca__n_components": [2, 5], "clf__alpha": [0.1, 1.0, 10.0]}
    ours = GridSearchCV(pipe, grid, cv=3).fit(X, Y)
    expected = theirs.GridSearchCV(pipe, grid, cv=3).fit(X, Y)
    assert ours.n_fits_ == 2 * 3
    np.testing.assert_array_equal(
        ours.cv_results_["split1_test_score"], expected.cv_results_["split1_test_score"]
    )


def test_searches_share_nothing_that_is_random() -> None:
    pipe = Pipeline([("pca", decomposition.PCA()), ("clf", linear_model.RidgeClassifier())])
    grid = {"pca__n_components": [2, 5], "clf__alpha": [0.1, 1.0, 10.0]}
    search = GridSearchCV(pipe, grid, cv=3).fit(WIDE, WIDE_Y)
    assert search.n_fits_ == 6 * 3
