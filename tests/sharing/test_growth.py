"""Params of one form give the same model, bit by bit."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from tunesmith.sharing.growth import DEPTH, GROWTHS, UNREACHED, Growth, seedless
from tunesmith.space.parameter import canonical_json
from tunesmith.testing.submodels import asked, drawn_from, random_table

VALUES: dict[str, list[Any]] = {
    "max_depth": [None, 1, 2, 3, 5, 8, 15, 20, 40],
    "max_leaf_nodes": [None, 2, 3, 5, 8, 20, 80, 200],
    "min_samples_split": [2, 3, 4, 6, 10, 0.1],
    "max_features": [None, "sqrt", "log2", 0.2, 0.25, 0.5, 0.55, 1.0, 1, 2, 3],
}


def varied(growth: Growth, estimator: Any, rng: np.random.Generator, n: int) -> Any:
    """The estimator with ``n`` of the parameters drawn anew."""
    names = rng.permutation([growth.parameter, *growth.free])[:n]
    drawn = {str(one): VALUES[one][rng.integers(len(VALUES[one]))] for one in names}
    return clone(estimator).set_params(**drawn)


def nodes_of(fitted: Any) -> list[bytes]:
    """All nodes of all trees, as bytes."""
    if hasattr(fitted, "_predictors"):
        return [tree.nodes.tobytes() for of_round in fitted._predictors for tree in of_round]
    trees = np.asarray(getattr(fitted, "estimators_", [fitted]), dtype=object).ravel()
    states = [tree.tree_.__getstate__() for tree in trees]
    return [part.tobytes() for one in states for part in (one["nodes"], one["values"])]


@pytest.mark.parametrize("growth", GROWTHS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore")  # odd parameters, and rows of a handful
def test_equal_forms_are_equal_models(growth: Growth, seed: int) -> None:
    rng, n_equal = np.random.default_rng([seed, 17]), 0
    for _ in range(60):
        estimator = varied(growth, drawn_from(growth.proved, rng, {}), rng, 4)
        try:
            X, y, X_test, given = random_table(estimator, rng)
            fitted = clone(estimator).fit(X, y, **given)
        except Exception:  # noqa: BLE001, S112 - values that do not go together
            continue
        facts, params = growth.facts(fitted), estimator.get_params(deep=False)
        form = canonical_json(growth.form(params, facts))
        others = (varied(growth, estimator, rng, 1 + place % 3) for place in range(12))
        for other in others:
            changed = other.get_params(deep=False)
            if repr(changed) == repr(params):
                continue
            if canonical_json(growth.form(changed, facts)) == form:
                n_equal += 1
                fresh = other.fit(X, y, **given)
                assert nodes_of(fresh) == nodes_of(fitted), f"{estimator} {other}"
                for name, answer in asked(fitted, X_test).items():
                    expected = getattr(fresh, name)(X_test)
                    np.testing.assert_array_equal(answer, expected, err_msg=f"{other} {name}")
        if n_equal >= 8:
            return
    assert n_equal, "no two forms were equal"


def test_a_limit_that_a_tree_reached_counts() -> None:
    X, y = make_classification(200, 6, flip_y=0.3, random_state=0)
    (growth, *_) = GROWTHS
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    facts = growth.facts(tree)
    assert facts[DEPTH] == 3
    forms = [growth.form({**tree.get_params(), "max_depth": one}, facts) for one in (3, 4, None)]
    assert [form["max_depth"] for form in forms] == [3, UNREACHED, UNREACHED]


def test_a_tree_without_a_limit_of_leaves_grows_otherwise() -> None:
    X, y = make_classification(200, 6, flip_y=0.3, random_state=0)
    (growth, *_) = GROWTHS
    tree = DecisionTreeClassifier(max_leaf_nodes=500, random_state=0).fit(X, y)
    facts, params = growth.facts(tree), tree.get_params()
    forms = [growth.form({**params, "max_leaf_nodes": one}, facts) for one in (500, 900, None)]
    assert [form["max_leaf_nodes"] for form in forms] == [UNREACHED, UNREACHED, None]


def test_pruning_hides_how_deep_a_tree_was() -> None:
    X, y = make_classification(200, 6, flip_y=0.3, random_state=0)
    (growth, *_) = GROWTHS
    forest = RandomForestClassifier(3, ccp_alpha=0.02, random_state=0).fit(X, y)
    assert DEPTH not in growth.facts(forest)


@pytest.mark.parametrize("value", [True, 8.0, "8", np.nan])
def test_what_scikit_learn_refuses_equals_nothing_else(value: object) -> None:
    X, y = make_classification(100, 6, random_state=0)
    for growth, estimator in zip(
        (GROWTHS[0], GROWTHS[2]),
        (DecisionTreeClassifier(random_state=0), HistGradientBoostingClassifier(max_iter=2)),
        strict=True,
    ):
        facts, params = growth.facts(estimator.fit(X, y)), estimator.get_params(deep=False)
        usual = growth.form(params, facts)
        for name in (growth.parameter, *growth.free):
            assert growth.form({**params, name: value}, facts) != usual


def test_without_a_seed_nothing_is_shown() -> None:
    assert seedless(DecisionTreeClassifier())
    assert seedless(DecisionTreeClassifier(random_state=np.random.RandomState(0)))
    assert not seedless(DecisionTreeClassifier(random_state=3))
