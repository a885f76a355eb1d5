"""A search says beforehand what it will share and why not, whatever stands in the way."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from tunesmith.sklearn import BayesSearchCV, GridSearchCV

X, Y = make_classification(60, 5, random_state=0)
TREES = {"n_estimators": [2, 3, 4]}
FOREST = RandomForestClassifier(random_state=0, max_depth=2)


class Mine(RandomForestClassifier):  # type: ignore[misc]
    """Might fit otherwise."""


def steps(*front: Any) -> Any:
    return make_pipeline(*front, FOREST)


def lightgbm(**given: Any) -> Any:
    module = pytest.importorskip("lightgbm")
    return module.LGBMClassifier(verbose=-1, n_jobs=1, min_child_samples=5, **given)


def catboost(**given: Any) -> Any:
    module = pytest.importorskip("catboost")
    quiet = {"verbose": 0, "thread_count": 1, "allow_writing_files": False, "depth": 1}
    return module.CatBoostClassifier(**quiet, **given)


STEP = {"randomforestclassifier__n_estimators": [2, 3]}
REASONS: dict[str, tuple[Any, Any, Any, list[str]]] = {
    "a parameter": (
        RandomForestClassifier(random_state=0, warm_start=True),
        TREES,
        {},
        ["along `n_estimators`: `warm_start` is set, and is not among the parameters tried"],
    ),
    "no seed": (
        RandomForestClassifier(),
        TREES,
        {},
        ["along `n_estimators`: it draws random numbers without a seed"],
    ),
    "an object for a seed": (
        RandomForestClassifier(random_state=np.random.RandomState(0)),
        TREES,
        {},
        ["along `n_estimators`: its seed is an object, which draws on from fit to fit"],
    ),
    "a value": (
        RandomForestClassifier(random_state=0, n_jobs=2),
        TREES,
        {},
        ["along `n_estimators`: `n_jobs=2` is not among the values tried"],
    ),
    "a derived class": (
        Mine(random_state=0),
        TREES,
        {},
        [
            (
                "along `n_estimators`: Mine is derived from RandomForestClassifier, and may fit"
                " otherwise; only RandomForestClassifier itself was tried"
            )
        ],
    ),
    "an argument of fit": (
        GradientBoostingClassifier(random_state=0),
        TREES,
        {"monitor": lambda *_: False},
        ["along `n_estimators`: `fit` is given `monitor`, which is not among the arguments tried"],
    ),
    "a function": (
        KNeighborsClassifier(metric=lambda a, b: abs(a - b).sum()),
        {"n_neighbors": [1, 3]},
        {},
        ["along `n_neighbors`: `metric=<lambda>` is not among the values tried"],
    ),
    "a solver": (
        Ridge(solver="svd"),
        {"alpha": [1.0, 2.0]},
        {},
        ["along `alpha`: `solver='svd'` is not among the values tried"],
    ),
    "a step": (
        steps(FunctionTransformer(np.copy), FunctionTransformer(lambda rows: rows)),
        STEP,
        {},
        [
            f"{way}: step `functiontransformer-2`: `func`: `<lambda>` is of your own: nobody knows"
            " what it does"
            for way in ("steps before the last one", f"along `{next(iter(STEP))}`")
        ],
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_what_stands_in_the_way_is_named(name: str) -> None:
    estimator, grid, fit, reasons = REASONS[name]
    found = GridSearchCV(estimator, grid, cv=2, refit=False).fit(X, Y, **fit)
    assert found.plan_.not_shared == tuple(reasons)
    assert found.n_fits_ == found.plan_.n_fits == found.plan_.n_scores


def test_other_names_are_named() -> None:
    grid = {"num_iterations": [2, 3]}
    plan = GridSearchCV(lightgbm(), grid, cv=2, refit=False).fit(X, Y).plan_
    assert plan.not_shared == (
        "along `num_iterations`: it is another name of `n_estimators`; search that",
    )
    plan = GridSearchCV(lightgbm(boost="dart"), TREES, cv=2, refit=False).fit(X, Y).plan_
    (reason,) = plan.not_shared
    assert reason == "along `n_estimators`: `boost='dart'` is not among the values tried"


def test_a_border_splits_a_path_and_is_no_reason() -> None:
    grid = {"iterations": [5, 6, 201, 202]}
    given = catboost(learning_rate=0.3)
    plan = GridSearchCV(given, grid, cv=2, refit=False).fit(X, Y).plan_
    assert (plan.n_fits, plan.n_scores, plan.not_shared) == (4, 8, ())
    plan = GridSearchCV(catboost(), {"iterations": [2, 3]}, cv=2, refit=False).fit(X, Y).plan_
    assert plan.not_shared == (
        (
            "along `iterations`: no `learning_rate` is set, and the automatic one depends on"
            " `iterations`"
        ),
    )


def test_what_is_shared_is_printed_where_words_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = GridSearchCV(FOREST, TREES, cv=2, refit=False, verbose=1).fit(X, Y)
    said = capsys.readouterr().out
    assert str(found.plan_) in said
    assert said.splitlines()[:2] == [
        "Fitting 2 folds for each of 3 candidates, totalling 6 fits",
        "Shared: 2 fits give all 6 scores.",
    ]
    assert (
        "The first shared fit of a kind is compared with fresh fits: one on all rows, and others"
        " on a small part of them, which begin within 0.5 seconds of CPU. One process does this for"
        " all. A ledger remembers what has passed."
    ) in said
    loud = GridSearchCV(FOREST, TREES, cv=2, refit=False, verbose=2).fit(X, Y)
    assert loud.plan_.not_shared == (
        "along `n_estimators`: with verbose=2 and more every fit is made and announced",
    )
    assert str(pickle.loads(pickle.dumps(found.plan_))) == str(found.plan_)


def test_a_bayesian_search_tells_of_its_curves() -> None:
    given: dict[str, Any] = {"n_iter": 2, "cv": 2, "refit": False, "random_state": 0}
    plan = BayesSearchCV(FOREST, {"n_estimators": (2, 6)}, **given).fit(X, Y).plan_
    assert (plan.is_shared, plan.not_shared) == (True, ())
    assert str(plan).startswith("Shared: a fit scores more points than its candidate's")
    apart = RandomForestClassifier(random_state=0, oob_score=True)
    found = BayesSearchCV(apart, {"n_estimators": (20, 24)}, **given).fit(X, Y)
    assert found.plan_.not_shared == (
        "along `n_estimators`: `oob_score` is set, and is not among the parameters tried",
    )
    plain = BayesSearchCV(SVC(), {"C": (0.1, 2.0)}, **given).fit(X, Y).plan_
    assert str(plain) == "Each candidate is fitted by itself: none of what is searched is shared."


def test_first_steps_are_spoken_of_where_nothing_else_is_shared() -> None:
    own = make_pipeline(StandardScaler(), FunctionTransformer(lambda rows: rows), SVC())
    plan = GridSearchCV(own, {"svc__C": [1.0, 2.0]}, cv=2, refit=False).fit(X, Y).plan_
    (reason,) = plan.not_shared
    assert reason.startswith("steps before the last one: step `functiontransformer`: `func`: `<la")
