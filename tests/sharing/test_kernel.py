"""The kernel as a whole: who shares, and that nobody's score changes."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from tests.tables import Define, numbers

from tunesmith import registry
from tunesmith.objective.crossval import CrossValObjective, build_objective
from tunesmith.sharing.extra_candidates import MAX_POINTS, held
from tunesmith.sharing.proved import Proved, Versions
from tunesmith.sharing.submodels.family import resized
from tunesmith.sharing.submodels.forest import Forest
from tunesmith.sharing.subtransformers.pca import Components
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.types import Fit, Params

FOREST = "sklearn.ensemble.RandomForestClassifier"
STEPS = [
    {"name": "scale", "estimator": "sklearn.preprocessing.StandardScaler"},
    {"name": "pca", "estimator": "sklearn.decomposition.PCA"},
    {"name": "model", "estimator": FOREST},
]


def points(**values: list[Any]) -> list[Params]:
    return [
        dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())
    ]


def alone(objective: CrossValObjective, params: Params, fold: int) -> dict[str, float]:
    objective.is_shared = False
    (result,) = objective.evaluate(Fit(fold, (params,)))
    objective.is_shared = True
    assert result.failure is None
    return dict(result.scores)


def check(objective: CrossValObjective, candidates: list[Params]) -> list[tuple[int, ...]]:
    """Scores of shared fits against those of candidates one by one; returns the groups."""
    groups = objective.groups(candidates)
    assert sorted(index for group in groups for index in group) == list(range(len(candidates)))
    for fold, group in itertools.product(range(2), groups):
        members = tuple(candidates[index] for index in group)
        results = objective.evaluate(Fit(fold, members))
        for params, result in zip(members, results, strict=True):
            assert result.n_sharing == len(group)
            assert dict(result.scores) == alone(objective, params, fold), params
    assert all(objective._kernel._trust.values())
    return groups


def test_candidates_that_differ_in_a_submodel_parameter_share(
    define: Define, binary: pd.DataFrame
) -> None:
    space = {"n_estimators": [3, 9, 5], "max_depth": [2, 4]}
    objective = build_objective(define(binary, space, estimator=FOREST, also=["roc_auc"]))
    assert check(objective, points(**space)) == [(0, 2, 4), (1, 3, 5)]


def test_the_parameter_that_saves_more_is_chosen(define: Define, binary: pd.DataFrame) -> None:
    space: dict[str, list[Any]] = {"n_estimators": [3, 5], "ccp_alpha": [0.0, 0.01, 0.02, 0.03]}
    objective = build_objective(define(binary, space, estimator=FOREST))
    assert check(objective, points(**space)) == [(0, 1, 2, 3), (4, 5, 6, 7)]


@pytest.mark.parametrize("steps", [[], STEPS[:1]], ids=["alone", "behind a scaler"])
def test_candidates_may_differ_in_free_parameters_too(
    define: Define, binary: pd.DataFrame, steps: list[Any]
) -> None:
    space: dict[str, list[Any]] = {
        "n_neighbors": [3, 9, 5],
        "weights": ["uniform", "distance"],
        "p": [1.0, 2.0],
    }
    model = {"name": "model", "estimator": "sklearn.neighbors.KNeighborsClassifier"}
    objective = build_objective(define(binary, space, steps=[*steps, model], also=["roc_auc"]))
    groups = [(0, 2, 4, 6, 8, 10), (1, 3, 5, 7, 9, 11)]
    assert check(objective, points(**space)) == groups
    # The prototype's own weights are no free parameter's value.
    mixed = [*points(n_neighbors=[3, 4]), *points(n_neighbors=[3, 4], weights=["distance"])]
    assert check(objective, mixed) == [(0, 1), (2, 3)]
    # What the estimator will refuse stands alone.
    unknown = points(n_neighbors=[3, 4], weights=["uniform", "no such"])
    assert objective.groups(unknown) == [(0, 2), (1,), (3,)]


@pytest.mark.parametrize("name", ["iterations", "n_estimators", "num_trees"])
@pytest.mark.parametrize("steps", [[], STEPS[:1]], ids=["alone", "behind a scaler"])
def test_a_parameter_is_shared_by_whichever_of_its_names(
    define: Define, binary: pd.DataFrame, steps: list[Any], name: str
) -> None:
    pytest.importorskip("catboost")
    given = {"learning_rate": 0.2, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
    model = {"name": "model", "estimator": "catboost.CatBoostClassifier", "params": given}
    space = {name: [3, 9, 5], "depth": [2, 4]}
    objective = build_objective(define(binary, space, steps=[*steps, model], also=["roc_auc"]))
    assert check(objective, points(**space)) == [(0, 2, 4), (1, 3, 5)]


@pytest.mark.parametrize("steps", [[], STEPS[:2]], ids=["alone", "behind a scaler and a PCA"])
def test_a_family_may_fit_in_its_own_way(
    define: Define, binary: pd.DataFrame, steps: list[Any]
) -> None:
    space: dict[str, list[Any]] = {"alpha": [3.0, 0.1, 100.0], "fit_intercept": [True, False]}
    weighted = binary.assign(w=np.random.default_rng(0).uniform(0.1, 4, len(binary)))
    model = {"name": "model", "estimator": "sklearn.linear_model.RidgeClassifier"}
    definition = define(
        weighted, space, steps=[*steps, model], also=["roc_auc"], data={"weights": "w"}
    )
    assert check(build_objective(definition), points(**space)) == [(0, 2, 4), (1, 3, 5)]


def test_pipelines_share_fits_and_first_steps(define: Define, binary: pd.DataFrame) -> None:
    space: dict[str, list[Any]] = {
        "pca__n_components": [2, 3],
        "max_depth": [2, 3],
        "n_estimators": [2, 6],
    }
    objective = build_objective(define(binary, space, steps=STEPS, also=["roc_auc"]))
    assert len(check(objective, points(**space))) == 4
    kept = objective._kernel._fitting._prefixes._kept
    # Two folds: one scaler each, one decomposition, and a PCA for every number of components.
    assert len(kept) == 2 * (1 + 1 + 2)
    assert objective._kernel._trust.keys() == {"Forest", "Components", "prefix"}


def test_a_mixed_table_behind_its_preprocessor(define: Define, mixed: pd.DataFrame) -> None:
    space: dict[str, list[Any]] = {"max_iter": [3, 8], "learning_rate": [0.1, 0.5]}
    objective = build_objective(
        define(
            mixed,
            space,
            estimator="sklearn.ensemble.HistGradientBoostingClassifier",
            preprocess="auto",
        )
    )
    assert len(check(objective, points(**space))) == 2


def test_weights_reach_the_last_step(define: Define, binary: pd.DataFrame) -> None:
    frame = binary.assign(w=np.random.default_rng(0).uniform(0.1, 4, len(binary)))
    space = {"n_estimators": [2, 6], "max_depth": [3]}
    objective = build_objective(define(frame, space, steps=STEPS, data={"weights": "w"}))
    assert check(objective, points(**space)) == [(0, 1)]


def test_each_estimator_of_several_shares_its_own(define: Define, binary: pd.DataFrame) -> None:
    objective = build_objective(
        define(
            binary,
            {"estimator": ["forest", "near"]},
            estimators={
                "forest": {"estimator": FOREST},
                "near": {"estimator": "sklearn.neighbors.KNeighborsClassifier"},
            },
            preprocess="auto",
        )
    )
    candidates = [
        *points(estimator=["near"], n_neighbors=[1, 4, 9]),
        *points(estimator=["forest"], n_estimators=[2, 5]),
    ]
    assert check(objective, candidates) == [(0, 1, 2), (3, 4)]


@pytest.mark.parametrize(
    "more",
    [
        {"params": {"random_state": None}},
        {"params": {"oob_score": True}},
        {"also": ["fit_time"]},
    ],
    ids=["unseeded", "out of bag", "time is a metric"],
)
def test_sharing_is_off_where_it_would_show(
    define: Define, binary: pd.DataFrame, more: dict[str, Any]
) -> None:
    space = {"n_estimators": [12, 15]}
    objective = build_objective(define(binary, space, estimator=FOREST, **more))
    assert objective.groups(points(**space)) == [(0,), (1,)]


@pytest.mark.parametrize("steps", [[], STEPS[:1]], ids=["alone", "behind a scaler"])
def test_bins_are_made_once_a_fold(define: Define, binary: pd.DataFrame, steps: list[Any]) -> None:
    pytest.importorskip("xgboost")
    model = {"name": "model", "estimator": "xgboost.XGBClassifier", "params": {"n_jobs": 1}}
    space: dict[str, list[Any]] = {
        "learning_rate": [0.1, 0.5],
        "max_depth": [2, 3],
        "n_estimators": [3, 6],
    }
    weighted = binary.assign(w=np.random.default_rng(0).uniform(0.1, 4, len(binary)))
    given = {"steps": [*steps, model], "also": ["roc_auc"], "data": {"weights": "w"}}
    objective = build_objective(define(weighted, space, **given))
    check(objective, points(**space))
    check(objective, points(learning_rate=[0.2, 0.3, 0.4], max_depth=[2]))
    kept: list[Any] = list(objective._kernel._fitting._prefixes._kept)
    assert len([place for place in kept if place[0] == "bins"]) == 2
    ways = {"XGBoost", "bins", "prefix"} if steps else {"XGBoost", "bins"}
    assert objective._kernel._trust.keys() == ways


def test_bins_that_are_wrong_are_found_out(define: Define, binary: pd.DataFrame) -> None:
    pytest.importorskip("xgboost")
    space = {"max_depth": [2, 3]}
    objective = build_objective(define(binary, space, estimator="xgboost.XGBClassifier"))
    params = {"max_depth": 2}
    # The rows of one fold in the place of another's.
    objective._kernel._fitting.fitted(params, 0, objective._slices.shared(1))
    (result,) = objective.evaluate(Fit(0, (params,)))
    assert dict(result.scores) == alone(objective, params, 0)
    assert objective._kernel._trust == {"bins": False}
    assert not objective._kernel._fitting.has_start(params)


def test_a_step_that_turns_out_to_need_a_seed_is_fitted_by_each_for_itself(
    define: Define,
) -> None:
    rng = np.random.default_rng(0)
    wide = (
        pd.DataFrame(rng.normal(size=(900, 90))).add_prefix("x").assign(y=rng.integers(2, size=900))
    )
    unseeded = {**STEPS[1], "params": {"random_state": None, "n_components": 3}}
    space = {"max_depth": [2, 3], "n_estimators": [2, 4]}
    definition = define(wide, space, steps=[unseeded, STEPS[2]])
    objective = build_objective(definition)
    members = objective.groups(points(**space))
    assert members == [(0, 1), (2, 3)]
    results = objective.evaluate(Fit(0, tuple(points(max_depth=[2], n_estimators=[2, 4]))))
    assert [(result.failure, result.n_sharing) for result in results] == [(None, 1), (None, 1)]
    # Other solvers draw no random numbers, or always.
    for solver, groups in (("full", [(0, 1)]), ("randomized", [(0,), (1,)])):
        assert objective.groups(points(pca__svd_solver=[solver], n_estimators=[2, 4])) == groups


def test_one_bad_candidate_costs_the_others_nothing(define: Define, binary: pd.DataFrame) -> None:
    space = {"n_neighbors": [3, 500, 5]}
    objective = build_objective(
        define(binary, {"n_neighbors": [3]}, estimator="sklearn.neighbors.KNeighborsClassifier")
    )
    candidates = points(**space)
    assert objective.groups(candidates) == [(0, 1, 2)]
    results = objective.evaluate(Fit(0, tuple(candidates)))
    assert [result.failure is None for result in results] == [True, False, True]
    assert [result.n_sharing for result in results] == [2, 1, 2]


def test_a_family_that_is_wrong_is_found_out_at_once(
    define: Define, binary: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {"n_estimators": [1, 30]}
    objective = build_objective(define(binary, space, estimator=FOREST, also=["roc_auc"]))
    monkeypatch.setattr(Forest, "submodels", lambda self, fitted, values, X: [fitted] * len(values))
    candidates = points(**space)
    results = objective.evaluate(Fit(0, tuple(candidates)))
    for params, result in zip(candidates, results, strict=True):
        assert (dict(result.scores), result.n_sharing) == (alone(objective, params, 0), 1)
    assert objective._kernel._trust["Forest"] is False
    fits: list[Params] = []
    monkeypatch.setattr(
        objective._kernel._fitting, "fitted", lambda params, *_: fits.append(params)
    )
    assert [r.n_sharing for r in objective.evaluate(Fit(1, tuple(candidates)))] == [1, 1]
    assert fits == []


def test_a_family_of_transformers_that_is_wrong_is_the_only_one_to_lose_trust(
    define: Define, binary: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {"pca__n_components": [2, 3], "n_estimators": [2, 6]}
    objective = build_objective(define(binary, space, steps=STEPS, also=["roc_auc"]))
    finished = Components.finished

    def scaled(family: Components, *given: Any) -> Any:
        fitted, rows = finished(family, *given)
        return fitted, rows * 1000

    monkeypatch.setattr(Components, "finished", scaled)
    candidates = points(**space)
    for members in (candidates[::2], candidates[1::2]):
        for params, result in zip(members, objective.evaluate(Fit(0, tuple(members))), strict=True):
            assert dict(result.scores) == alone(objective, params, 0)
    assert objective._kernel._trust == {"Components": False, "prefix": True}
    results = objective.evaluate(Fit(1, tuple(points(pca__n_components=[2], n_estimators=[2, 6]))))
    assert [result.n_sharing for result in results] == [2, 2]
    assert objective._kernel._trust == {"Components": False, "prefix": True, "Forest": True}


def test_an_outside_package_adds_a_family(
    define: Define, binary: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = {"submodels": {"cut": f"{__name__}:CutFamily"}}
    monkeypatch.setattr(registry, "outside", lambda group: offered.get(group, {}))
    space = {"shift": [-0.5, 0.0, 0.5]}
    objective = build_objective(define(binary, space, estimator=f"{__name__}.Cut"))
    assert check(objective, points(**space)) == [(0, 1, 2)]


class Cut(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Cuts a column some way beside its mean."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def fit(self, X: Any, y: Any) -> "Cut":
        self.classes_, self.mean_ = np.unique(y), float(np.mean(X["a"]))
        return self

    def predict(self, X: Any) -> Any:
        return (X["a"] > self.mean_ + self.shift).astype(int)


class CutFamily:
    """A family in as many lines as it takes."""

    parameter = "shift"
    proved = Proved((f"{__name__}.Cut",), Versions("scikit-learn", "1.9", "2"))

    def can_share(self, estimator: Any, values: Any) -> bool:
        return True

    def in_order(self, values: Any) -> list[Any]:
        return list(values)

    def widest(self, values: Any) -> Any:
        return values[0]

    def submodels(self, fitted: Any, values: Any, X: Any) -> Any:
        for value in values:
            yield resized(fitted, shift=value)


# -- curves --------------------------------------------------------------------------------------


def submodel_candidates(
    define: Define, space: SearchSpace, proposed: Params, estimator: str = FOREST, **section: Any
) -> list[Params]:
    """What comes with a proposal, checked: each point is scored as by itself."""
    objective = build_objective(define(numbers(), space, estimator=estimator, **section))
    found = objective.submodel_candidates(proposed, space)
    others = tuple(point for point in found if point != proposed)
    assert len(others) == len(found) - 1
    results = objective.evaluate(Fit(0, (proposed,), others))
    for params, result in zip((proposed, *others), results, strict=True):
        assert result.n_sharing == len(found)
        assert dict(result.scores) == alone(objective, params, 0)
    return found


def test_a_curve_holds_what_the_proposed_fit_holds(define: Define) -> None:
    space = SearchSpace.of({"n_estimators": Int(2, 12, step=2), "max_depth": Int(1, 3)})
    assert submodel_candidates(define, space, {"max_depth": 2, "n_estimators": 8}) == points(
        max_depth=[2], n_estimators=[2, 4, 6, 8]
    )


def test_pruning_and_penalties_come_whole(define: Define) -> None:
    alphas = (0.1, 0.0, 0.02)
    tree = "sklearn.tree.DecisionTreeClassifier"
    found = submodel_candidates(
        define, SearchSpace.of({"ccp_alpha": Categorical(alphas)}), {"ccp_alpha": 0.02}, tree
    )
    assert [point["ccp_alpha"] for point in found] == sorted(alphas)
    ridge = "sklearn.linear_model.RidgeClassifier"
    found = submodel_candidates(
        define, SearchSpace.of({"alpha": Categorical((1, 10, 0.1))}), {"alpha": 1}, ridge
    )
    assert [point["alpha"] for point in found] == [0.1, 1, 10]


def test_only_points_of_the_space_are_on_a_curve(define: Define) -> None:
    box = Box(
        {"n_estimators": Categorical((4, 8, 6, 2, None)), "max_depth": Int(1, 9)},
        {"max_depth": (Condition("n_estimators", (4, 6, 8)),)},
    )
    space = SearchSpace((box,), (Expression("n_estimators != 4"),))
    found = submodel_candidates(define, space, {"max_depth": 2, "n_estimators": 8})
    assert found == points(max_depth=[2], n_estimators=[6, 8])


def test_pipelines_have_curves_along_their_last_step(define: Define) -> None:
    space = SearchSpace.of({"n_estimators": Int(1, 4), "pca__n_components": Int(2, 4)})
    proposed = {"n_estimators": 3, "pca__n_components": 2}
    found = submodel_candidates(define, space, proposed, None, steps=STEPS)  # type: ignore[arg-type]
    assert found == points(n_estimators=[1, 2, 3], pca__n_components=[2])


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"ccp_alpha": 0.01}, Float(0, 1)),
        ({"n_estimators": 4}, Int(1, 100_000)),
        ({"max_depth": 3}, Int(1, 9)),
    ],
)
def test_where_nothing_comes_along_there_is_no_curve(
    define: Define, params: Params, parameter: Any
) -> None:
    (name,) = params
    assert submodel_candidates(define, SearchSpace.of({name: parameter}), params) == [params]


def test_unseeded_estimators_have_no_curve(define: Define) -> None:
    space = SearchSpace.of({"n_estimators": Int(1, 9)})
    fixed = {"random_state": None}
    objective = build_objective(define(numbers(), space, estimator=FOREST, params=fixed))
    assert objective.submodel_candidates({"n_estimators": 5}, space) == [{"n_estimators": 5}]


def test_long_curves_are_thinned_in_the_same_places() -> None:
    long, longer = (
        held(Forest(), RandomForestClassifier(random_state=0), proposed, Int(50, 2000))
        for proposed in (700, 755)
    )
    assert len(long) <= len(longer) <= MAX_POINTS
    assert (long[0], long[-1], longer[-1]) == (50, 700, 755)
    assert set(long[:-1]) <= set(longer)
    assert {after - before for before, after in itertools.pairwise(long[:-1])} == {3}


def test_points_that_need_fits_of_their_own_are_given_up(define: Define) -> None:
    # The number of neighbours decides the algorithm, as only the fit shows.
    space = SearchSpace.of({"n_neighbors": Int(1, 45)})
    estimator = "sklearn.neighbors.KNeighborsClassifier"
    objective = build_objective(define(numbers(), space, estimator=estimator, cv=4))
    proposed = {"n_neighbors": 45}
    found = objective.submodel_candidates(proposed, space)
    assert len(found) == 45
    (only,) = objective.evaluate(Fit(0, (proposed,), tuple(found[:-1])))
    assert (only.n_sharing, dict(only.scores)) == (1, alone(objective, proposed, 0))
    assert objective.evaluate(Fit(0, (), tuple(found))) == []
