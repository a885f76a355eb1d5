import pickle
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from tunesmith import registry
from tunesmith.sharing.pipeline_prefix import answering_pipeline
from tunesmith.sharing.submodels.family import fitted_for
from tunesmith.sharing.submodels.plain import plain

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[:150], Y[:150]
SMALL = [
    (RandomForestClassifier(random_state=0), "n_estimators"),
    (GradientBoostingClassifier(random_state=0), "n_estimators"),
    (LGBMClassifier(random_state=0, n_jobs=1, verbose=-1), "n_estimators"),
    (XGBClassifier(random_state=0, n_jobs=1), "n_estimators"),
    (KNeighborsClassifier(), "n_neighbors"),
]


def family_of(estimator: Any, parameter: str) -> Any:
    for name in registry.names("submodels"):
        family = registry.load("submodels", name)()
        if family.parameter == parameter and family.proved.has(estimator):
            return family
    raise AssertionError(parameter)


@pytest.mark.parametrize(
    ("estimator", "parameter"), SMALL, ids=[type(one).__name__ for one, _ in SMALL]
)
def test_plain_submodels_answer_as_fresh_fits_for_any_rows(estimator: Any, parameter: str) -> None:
    family, rows = family_of(estimator, parameter), X[:40]
    values = family.in_order([3, 7])
    widest = clone(estimator).set_params(**{parameter: family.widest(values)})
    fitted = fitted_for(family, widest, X, Y)
    kept = {}
    for value, model in zip(values, family.submodels(fitted, values, rows), strict=True):
        model.predict_proba(rows)
        # Stored while the stand-in is valid, and read after the next one was made.
        kept[value] = plain(model)
    for value, model in kept.items():
        fresh = clone(estimator).set_params(**{parameter: value}).fit(X, Y)
        for one in (model, pickle.loads(pickle.dumps(model))):
            assert np.array_equal(one.predict_proba(X), fresh.predict_proba(X))


def test_steps_of_pipelines_become_plain() -> None:
    whole = make_pipeline(StandardScaler(), KNeighborsClassifier(3)).fit(X, Y)
    last, rows = whole[-1], whole[0].transform(X)
    stand_in = answering_pipeline(whole, last, X, rows)
    made = plain(stand_in)
    assert "predict" not in vars(made)
    assert np.array_equal(pickle.loads(pickle.dumps(made)).predict(X), whole.predict(X))
    assert plain(whole[0]).mean_ is whole[0].mean_
