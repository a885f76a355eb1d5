"""Results are taken over from fits that have shown to give the same model."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV as ScikitGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import tunesmith
from tunesmith import Int
from tunesmith.history import FoldResult
from tunesmith.objective.live import LiveBuilder
from tunesmith.objective.objects import Objects
from tunesmith.sharing.grouping import Grouping
from tunesmith.sharing.same_models import WAY, SameModels
from tunesmith.sklearn import GridSearchCV
from tunesmith.study.loop import MOST_MISSED
from tunesmith.types import Fit

DEPTHS = {"max_depth": [2, 4, 6, 8, 12, 16, None], "min_samples_split": [2, 4, 8]}
WINE = load_wine(return_X_y=True)
FACTS = {"columns": 13, "depth": 5, "leaves": 9}


def store(estimator: Any) -> SameModels:
    """An empty store for an estimator."""
    return SameModels(Grouping(LiveBuilder(estimator, Objects())))


def scored(score: float, fold: int = 0, **more: Any) -> FoldResult:
    """A result of a fit whose trees came to depth 5."""
    return FoldResult(fold, {"accuracy": score}, facts=FACTS, **more)


@pytest.fixture
def trees() -> SameModels:
    """A store that has learnt of one tree, and trusts."""
    found = store(DecisionTreeClassifier(random_state=0))
    found.learn({"max_depth": 7}, scored(0.9, n_sharing=3, ways=("Pruning",)))
    assert found.find({"max_depth": 8}, 0) is None, "the first one is compared"
    found.learn({"max_depth": 8}, scored(0.9))
    return found


def test_a_deeper_limit_needs_no_fit(trees: SameModels) -> None:
    result = trees.find({"max_depth": 12}, 0)
    assert result is not None
    assert result.scores == {"accuracy": 0.9}
    assert (result.ways, result.n_sharing) == (("Pruning", WAY), 1)
    assert trees.find({"max_depth": None}, 0) is not None


@pytest.mark.parametrize(
    ("params", "fold"),
    [
        ({"max_depth": 5}, 0),
        ({"max_depth": 9}, 1),
        ({"max_depth": 9, "min_samples_leaf": 2}, 0),
        ({"max_depth": 9, "max_features": "sqrt"}, 0),
        ({"max_depth": 9.0}, 0),
        ({"criterion": "gini"}, 0),
    ],
)
def test_all_others_do(trees: SameModels, params: dict[str, Any], fold: int) -> None:
    assert trees.find(params, fold) is None


def test_a_fit_needs_none_if_all_its_candidates_are_known(trees: SameModels) -> None:
    known, unknown = {"max_depth": 11}, {"max_depth": 3}
    assert len(trees.find_all(Fit(0, (known,))) or ()) == 1
    assert trees.find_all(Fit(0, (known,), (unknown,))) is None


def test_trials_whose_fits_hold_the_same_submodels_are_alike() -> None:
    forests = store(RandomForestClassifier(random_state=0))
    few, many = {"max_depth": 8, "n_estimators": 2}, {"max_depth": 8, "n_estimators": 5}
    assert forests.alike_of(Fit(0, (few,), (many,))) == forests.alike_of(Fit(0, (many,), (few,)))
    assert forests.alike_of(Fit(0, (few,), (many,))) != forests.alike_of(Fit(1, (many,), (few,)))
    assert store(LogisticRegression()).alike_of(Fit(0, ({"C": 1.0},))) is None


def test_trials_with_submodel_candidates_need_few_fits_for_all_depths() -> None:
    space = {"max_depth": Int(15, 40), "n_estimators": Int(2, 8)}
    forest = RandomForestClassifier(random_state=0)
    result = tunesmith.tune(
        forest,
        *WINE,
        space=space,
        search="random",
        stop=12,
        cv=3,
        seed=0,
        workers=1,
        progress=False,
    )
    # 27 of different depths; the first ones of each fold, and those that are compared, are made.
    assert result.n_fits <= 15


def test_other_scores_than_those_of_a_fit_end_it() -> None:
    trees = store(DecisionTreeClassifier(random_state=0))
    trees.learn({"max_depth": 7}, scored(0.9))
    assert trees.find({"max_depth": 8}, 0) is None
    told = trees.learn({"max_depth": 8}, scored(0.8))
    assert [check.is_passed for check in told.checks] == [False]
    assert trees.find({"max_depth": 9}, 0) is None


def test_failed_fits_show_nothing(trees: SameModels) -> None:
    from tunesmith.history import Failure

    trees.learn({"max_depth": 7}, scored(0.9, 1, failure=Failure("ValueError", "bad")))
    assert trees.find({"max_depth": 12}, 1) is None


def test_names_of_a_pipeline_are_known() -> None:
    trees = store(make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)))
    name = "decisiontreeclassifier__max_depth"
    assert trees.alike({name: 3}, 0) == trees.alike({name: 9}, 0) is not None
    assert trees.alike({name: 3, "standardscaler__with_mean": True}, 0) != trees.alike({name: 3}, 0)


def test_other_estimators_are_left_alone() -> None:
    assert store(LogisticRegression()).alike({"C": 1.0}, 0) is None
    derived = type("Derived", (DecisionTreeClassifier,), {})
    assert store(derived(random_state=0)).alike({"max_depth": 1}, 0) is None


def test_fits_without_a_seed_show_nothing() -> None:
    for seed, is_known in ((None, False), (0, True)):
        tree = DecisionTreeClassifier(random_state=seed)
        facts = store(tree).facts({"max_depth": 9}, tree.fit(*WINE))
        assert (facts is not None) == is_known


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_has_the_table_of_scikit_learn_with_fewer_fits(n_jobs: int | None) -> None:
    tree = DecisionTreeClassifier(random_state=0)
    search = GridSearchCV(tree, DEPTHS, cv=5, return_train_score=True, n_jobs=n_jobs).fit(*WINE)
    expected = ScikitGrid(tree, DEPTHS, cv=5, return_train_score=True).fit(*WINE)
    assert search.n_fits_ + search.n_reused_ == 105
    assert search.n_fits_ < 70
    for name, column in expected.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(search.cv_results_[name], column, err_msg=name)


def penalized(estimator: Any, X: Any, y: Any) -> float:
    """Accuracy, less what a deep limit costs."""
    return float(estimator.score(X, y)) - 0.01 * max((estimator.max_depth or 20) - 8, 0)


@pytest.mark.parametrize("scoring", [penalized, {"accuracy": "accuracy", "penalized": penalized}])
def test_scorers_that_read_the_estimator_get_each_one(scoring: Any) -> None:
    # The first scores that could be taken over are equal here, so that the check cannot tell.
    tree = DecisionTreeClassifier(random_state=0)
    search = GridSearchCV(tree, DEPTHS, cv=4, scoring=scoring, refit=False).fit(*WINE)
    expected = ScikitGrid(tree, DEPTHS, cv=4, scoring=scoring, refit=False).fit(*WINE)
    assert search.n_reused_ == 0
    for name, column in expected.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(search.cv_results_[name], column, err_msg=name)


def test_own_metrics_of_predictions_are_taken_over() -> None:
    scorer = make_scorer(lambda y, found: float((y == found).mean()))
    tree = DecisionTreeClassifier(random_state=0)
    assert GridSearchCV(tree, DEPTHS, cv=3, scoring=scorer).fit(*WINE).n_reused_ > 0


def test_boosting_shows_it_too() -> None:
    boosting = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    depths = {"max_depth": [3, 10, 20, None]}
    search = GridSearchCV(boosting, depths, cv=3).fit(*WINE)
    expected = ScikitGrid(boosting, depths, cv=3).fit(*WINE)
    assert search.n_reused_ > 0
    for name in ("split0_test_score", "mean_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], expected.cv_results_[name])


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(random_state=0),
        DecisionTreeClassifier(),
        RandomForestClassifier(2, random_state=0),
        HistGradientBoostingClassifier(max_iter=3, random_state=0),
        make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)),
    ],
)
def test_an_objection_that_is_remembered_is_that_of_the_very_params(estimator: Any) -> None:
    """Params in a mixed order: whatever was remembered of others has to be right for these."""
    objects, prefix = (
        Objects(),
        "".join(f"{name}__" for name, _ in estimator.steps[1:])
        if (hasattr(estimator, "steps"))
        else "",
    )
    choices: dict[str, list[Any]] = {
        "max_depth": [3, 9, None, 4.5, "3", np.random.RandomState(0)],
        "max_leaf_nodes": [7, 8],
        "max_features": ["sqrt", 0.5, np.random.RandomState(0)],
        "random_state": [0, None, np.random.RandomState(0)],
        "ccp_alpha": [0.0, 0.1],
        "early_stopping": [False, True],
        "class_weight": [None, "balanced"],
    }
    rng, known = np.random.default_rng(0), estimator.get_params()
    names = [name for name in choices if prefix + name in known]
    shared = SameModels(Grouping(LiveBuilder(estimator, objects)))
    reasons = set()
    for _ in range(300):
        taken = [name for name in names if name == "max_depth" or rng.random() < 0.5]
        values = {prefix + name: choices[name][rng.integers(len(choices[name]))] for name in taken}
        params = {name: objects.encode(value) for name, value in values.items()}
        grown = shared._of(params)
        assert grown is not None
        found = shared._objection(grown, params)
        assert found == shared._judged(grown.growth, params)
        reasons.add(found)
    assert len(reasons) > 2
    assert 1 < len(shared._objections) < 300


@pytest.mark.parametrize(
    ("name", "most_looks"),
    [
        # Before its fit, and for each fit among those that may be alike: few of many.
        ("max_features", 1 + MOST_MISSED),
        # Trees that split by other numbers of rows are never alike.
        ("min_samples_split", 2),
    ],
)
def test_a_long_queue_is_not_looked_through_after_every_fit(
    monkeypatch: pytest.MonkeyPatch, name: str, most_looks: int
) -> None:
    looks: list[object] = []
    find = SameModels.find

    def counted(self: SameModels, params: Any, fold: int) -> FoldResult | None:
        looks.append(params)
        return find(self, params, fold)

    monkeypatch.setattr(SameModels, "find", counted)
    X, y = make_classification(200, 61, flip_y=0.4, random_state=0)
    values = list(range(2, 62))
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {name: values}, cv=3).fit(X, y)
    # No value answers another, so that the queue stays long.
    assert search.n_fits_ == 3 * len(values)
    assert len(looks) <= most_looks * search.n_fits_
