"""Where an unset seed does not matter: fits repeat, bit by bit."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from tunesmith.objective.chance import IDLE, idle_while, is_left_to_chance, is_up_to_the_rows
from tunesmith.objective.prototype import Prototype

X, Y = make_classification(150, 12, n_informative=8, n_classes=3, random_state=0)


def boosters() -> list[Any]:
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    return [
        xgboost.XGBClassifier(n_estimators=5, subsample=0.5, n_jobs=1),
        xgboost.XGBRegressor(n_estimators=5, colsample_bynode=0.5, n_jobs=1),
        lightgbm.LGBMClassifier(n_estimators=5, colsample_bytree=0.5, n_jobs=1, verbose=-1),
        lightgbm.LGBMRegressor(n_estimators=5, extra_trees=True, n_jobs=1, verbose=-1),
    ]


def others() -> list[Any]:
    classes = {"LogisticRegression": LogisticRegression, "PCA": PCA, "SVC": SVC}
    classes |= {"Ridge": Ridge, "RidgeClassifier": RidgeClassifier}
    found = []
    for (package, name), deciding in IDLE.items():
        if package == "sklearn":
            ((parameter, values),) = deciding.items()
            found += [
                classes[name](**{parameter: value}, **({"max_iter": 500} if "Log" in name else {}))
                for value in values
            ]
    return found


def answers(estimator: Any, seed: int) -> Any:
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        y = Y if is_classifier(estimator) else X[:, 0] * Y
        fitted = clone(estimator).fit(X[:100], y[:100])
    finally:
        np.random.set_state(state)
    return getattr(fitted, "predict_proba", getattr(fitted, "predict", None) or fitted.transform)(
        X[100:]
    )


@pytest.mark.filterwarnings("ignore:The `probability`:FutureWarning")
def test_idle_estimators_do_without_a_seed() -> None:
    estimators = [*boosters(), *others()]
    assert {type(estimator).__name__ for estimator in estimators} == {name for _, name in IDLE}
    for estimator in estimators:
        if getattr(estimator, "solver", "") == "lbfgs" and isinstance(estimator, Ridge):
            estimator.set_params(positive=True)
        assert estimator.get_params()["random_state"] is None
        assert idle_while(estimator) is not None
        np.testing.assert_array_equal(
            answers(estimator, 0), answers(estimator, 1), err_msg=f"{estimator}"
        )


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(n_estimators=3),
        PCA(2, svd_solver="arpack"),
        LogisticRegression(solver="saga", max_iter=3),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_others_do_not(estimator: Any) -> None:
    assert idle_while(estimator) is None
    assert not np.array_equal(answers(estimator, 0), answers(estimator, 1))


def test_subclasses_and_other_packages_are_unknown() -> None:
    class Mine(Ridge):  # type: ignore[misc]
        pass

    assert idle_while(Mine()) is None
    assert idle_while(Ridge()) is not None


def test_a_prototype_knows_what_its_parts_leave_to_chance() -> None:
    pipeline = make_pipeline(PCA(svd_solver="full"), LogisticRegression())
    prototype = Prototype(pipeline)
    assert prototype.unseeded == []
    assert prototype.deciding == {"pca__svd_solver", "logisticregression__solver"}
    random = Prototype(make_pipeline(PCA(svd_solver="randomized"), LogisticRegression()))
    assert random.unseeded == ["pca__random_state"]
    assert random.deciding == {"logisticregression__solver"}


def test_only_the_rows_tell_what_a_pca_does() -> None:
    wide = np.random.default_rng(0).normal(size=(510, 100))
    assert is_up_to_the_rows(PCA(2))
    assert not is_up_to_the_rows(PCA(2, svd_solver="full"))
    assert not is_left_to_chance(PCA(2), X)
    assert is_left_to_chance(PCA(2), wide)
    assert is_left_to_chance(PCA(2), sparse.csr_array(wide))
    assert not is_left_to_chance(PCA(2, random_state=0), wide)
    assert not is_left_to_chance(LogisticRegression(), wide)
