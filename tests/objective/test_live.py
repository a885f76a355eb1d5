"""The objective of estimators in memory."""

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import check_scoring
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tunesmith.history import FoldResult
from tunesmith.objective.live import LiveObjective, own_metric
from tunesmith.objective.objective import Objective
from tunesmith.objective.objects import Objects
from tunesmith.objective.outputs import FoldOutputs
from tunesmith.space import Int, SearchSpace
from tunesmith.testing.objective import ObjectiveContract
from tunesmith.types import Fit, Params

X, Y = make_classification(90, 5, random_state=0)
FOREST = RandomForestClassifier(random_state=0)
SPLITS = list(KFold(3).split(X))


def live(estimator: Any = FOREST, scoring: Any = None, data: Any = (X, Y), **given: Any) -> Any:
    scorer = check_scoring(estimator, scoring)
    several = getattr(scorer, "_scorers", None)
    names = tuple(several) if several else (scoring or "score",)
    error_score = given.pop("error_score", float("nan"))
    has_train = given.pop("train", False)
    outputs = FoldOutputs(names, several is not None, names[0], has_train, error_score)
    objects = given.pop("objects", Objects())
    X, y = data
    return LiveObjective(
        estimator=estimator,
        X=X,
        y=y,
        splits=SPLITS,
        scorer=scorer,
        objects=objects,
        outputs=outputs,
        **given,
    )


class TestLiveObjective(ObjectiveContract):
    def make(self) -> Objective:
        found: Objective = live(context={"data": "digest"})
        return found

    def params(self) -> Sequence[Params]:
        return [{"n_estimators": 3}, {"n_estimators": 9, "max_depth": 2}, {"n_estimators": 6}]

    def space(self) -> SearchSpace:
        trees = {"n_estimators": Int(3, 9, step=3)}
        return SearchSpace.of(trees, {**trees, "max_depth": Int(1, 2)})

    def failing(self) -> Params | None:
        return {"n_estimators": 0}


class TestLiveObjectiveWithSeveralMetrics(TestLiveObjective):
    def make(self) -> Objective:
        found: Objective = live(scoring=["roc_auc", "recall"], train=True, context={"data": "d"})
        return found


def test_scores_of_training_rows_are_kept_beside_the_others() -> None:
    (result,) = live(train=True).evaluate(Fit(0, ({"n_estimators": 3},)))
    train, test = SPLITS[0]
    fitted = RandomForestClassifier(n_estimators=3, random_state=0).fit(X[train], Y[train])
    assert result.scores == {
        "score": fitted.score(X[test], Y[test]),
        "train_score": fitted.score(X[train], Y[train]),
    }


def test_the_output_is_made_anew_from_what_a_ledger_keeps() -> None:
    for given in ({}, {"scoring": ["roc_auc", "accuracy"]}, {"train": True}):
        objective = live(**given)
        for params in ({"n_estimators": 3}, {"n_estimators": 0}):
            (result,) = objective.evaluate(Fit(0, (params,)))
            kept = FoldResult(
                0,
                result.scores,
                fit_time_s=result.fit_time_s,
                score_time_s=result.score_time_s,
                failure=result.failure,
            )
            found, expected = (sorted(objective.outputs.of(r).items()) for r in (kept, result))
            assert repr(found) == repr(expected)


def test_an_error_score_counts_for_failed_fits_alone() -> None:
    objective = live(error_score=0.5, scoring=["accuracy"])
    (failed,) = objective.evaluate(Fit(0, ({"n_estimators": 0},)))
    assert failed.failure.kind == "sklearn.utils._param_validation.InvalidParameterError"
    assert objective.outputs.of(failed)["test_scores"] == {"accuracy": 0.5}


def test_objects_are_set_as_they_are() -> None:
    objects = Objects()
    pipe = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    params = {"clf": objects.encode(LogisticRegression(C=0.5)), "scale": "passthrough"}
    (result,) = live(pipe, objects=objects).evaluate(Fit(1, (params,)))
    train, test = SPLITS[1]
    expected = LogisticRegression(C=0.5).fit(X[train], Y[train]).score(X[test], Y[test])
    assert result.scores == {"score": expected}


def test_candidates_with_the_same_parts_share_fits() -> None:
    objects = Objects()
    pipe = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    parts = [objects.encode(FOREST), objects.encode(SVC())]
    candidates: list[Params] = [
        {"clf": parts[0], "clf__n_estimators": 3},
        {"clf": parts[1], "clf__C": 1.0},
        {"clf": parts[0], "clf__n_estimators": 9},
        {"clf": parts[0], "clf__n_estimators": 3, "scale": "passthrough"},
    ]
    assert live(pipe, objects=objects).groups(candidates) == [(0, 2), (1,), (3,)]


@pytest.mark.parametrize(
    "given",
    [
        {"verbose": 2},
        {"data": (X @ X.T, Y), "estimator": SVC(kernel="precomputed")},
        {"fit_params": {"scale__sample_weight": np.ones(90)}},
    ],
    ids=["announced", "pairwise", "a step's own arguments"],
)
def test_what_may_not_be_taken_apart_is_not(given: dict[str, Any]) -> None:
    estimator = Pipeline([("scale", StandardScaler()), ("clf", FOREST)])
    objective = live(**{"estimator": estimator, **given})
    assert not objective._may_share
    assert objective.groups([{"clf__n_estimators": n} for n in (1, 2)]) == [(0,), (1,)]


@pytest.mark.parametrize(
    ("estimator", "candidates", "size"),
    [
        (FOREST, [{"n_estimators": 5}, {"n_estimators": 30}], 30),
        (FOREST, [{"max_depth": 5}], 1),
        (RandomForestClassifier(), [{"n_estimators": 7}], 7),
        (KNeighborsClassifier(), [{"n_neighbors": 30}], 1),
        (SVC(), [{"C": 30}], 1),
        (FOREST, [{"n_estimators": "many"}], 1),
        (SVC(), [{"n_estimators": 5, "no_such": 3}], 1),
        (Pipeline([("f", FOREST)]), [{"f__n_estimators": 30, "f__max_depth": 90}], 30),
        (Pipeline([("f", SVC())]), [{"f": FOREST, "f__n_estimators": 30}], 30),
        (Pipeline([("f", SVC())]), [{"no_such": FOREST, "f__n_estimators": 30}], 1),
    ],
    ids=repr,
)
def test_fits_have_a_size_where_params_tell_it(
    estimator: Any, candidates: list[dict[str, Any]], size: float
) -> None:
    objective = live(estimator)
    encode = objective.objects.encode
    params = [{name: encode(value) for name, value in one.items()} for one in candidates]
    assert objective.size(params) == size


def test_an_estimators_own_score_is_known() -> None:
    class Own(SVC):  # type: ignore[misc]
        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            return 0.5

    assert own_metric(FOREST) == "accuracy"
    assert own_metric(RandomForestRegressor()) == "r2"
    assert own_metric(Pipeline([("scale", StandardScaler()), ("clf", SVC())])) == "accuracy"
    assert own_metric(Own()) is None
    assert own_metric(Pipeline([("clf", Own())])) is None
    (result,) = live(Own()).evaluate(Fit(0, ({"C": 1.0},)))
    assert result.scores == {"score": 0.5}


def test_a_series_is_scored_like_an_array() -> None:
    X_reg, y_reg = make_regression(90, 5, noise=9.0, random_state=0)
    forest = RandomForestRegressor(random_state=0)
    candidates = tuple({"n_estimators": n} for n in (2, 5, 9))
    scores = [
        [dict(result.scores) for result in live(forest, data=data).evaluate(Fit(2, candidates))]
        for data in ((X_reg, y_reg), (X_reg, pd.Series(y_reg)), (X_reg, y_reg.tolist()))
    ]
    assert scores[0] == scores[1] == scores[2]


def test_a_combined_scorer_is_what_scikit_learn_makes_of_several() -> None:
    assert isinstance(live(scoring=["roc_auc"]).scorer, _MultimetricScorer)


def test_it_does_not_carry_what_it_has_worked_out() -> None:
    objective = live()
    objective.evaluate(Fit(0, ({"n_estimators": 3}, {"n_estimators": 5})))
    assert len(pickle.dumps(objective)) <= len(pickle.dumps(live())) * 1.1
