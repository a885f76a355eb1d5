"""Parameters that every fit answers for all values are read off, and not searched."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from tunesmith import registry
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.sklearn import BayesSearchCV
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.study.read_off import ReadOff, ReadOffStrategy, read_off_of, with_read_off
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.types import Params, Value

X, Y = load_iris(return_X_y=True)
DEPTH = {"depth": Int(1, 5)}
TREES = {"trees": Int(10, 50, step=10)}
Answer = Callable[[Params], tuple[str, Value] | None]


@dataclass
class Shared:
    """An objective of which one fit answers for a parameter; it evaluates nothing."""

    answer: Answer
    objectives: tuple[Metric, ...] = (Metric("score"),)

    def read_off(self, params: Params, space: SearchSpace) -> tuple[str, Value] | None:
        return self.answer(params)


def most_trees(params: Params) -> tuple[str, Value] | None:
    return ("trees", 50) if "trees" in params else None


def found_in(space: SearchSpace, answer: Answer = most_trees) -> ReadOff | None:
    return read_off_of(space, Shared(answer))  # type: ignore[arg-type]


def test_the_parameter_leaves_the_space_and_comes_back() -> None:
    found = found_in(SearchSpace.of({**DEPTH, **TREES}))
    assert found is not None
    assert found.names == ("trees",)
    assert list(found.searched.names) == ["depth"]
    assert found.shortened({"depth": 2, "trees": 30}) == {"depth": 2}
    assert found.completed({"depth": 2}) == {"depth": 2, "trees": 50}
    assert found.is_whole({"depth": 2, "trees": 50})
    assert not found.is_whole({"depth": 2, "trees": 30})


def test_a_parameter_that_is_active_for_one_model_only() -> None:
    box = Box(
        {"model": Categorical(("forest", "linear")), "c": Float(0, 1), **TREES},
        {
            "trees": (Condition("model", ("forest",)),),
            "c": (Condition("model", ("linear",)),),
        },
    )
    found = found_in(SearchSpace((box,)))
    assert found is not None
    assert found.completed({"model": "forest"}) == {"model": "forest", "trees": 50}
    assert found.completed({"c": 0.5, "model": "linear"}) == {"c": 0.5, "model": "linear"}
    assert found.is_whole({"c": 0.5, "model": "linear"})


def test_each_box_has_a_parameter_of_its_own() -> None:
    space = SearchSpace.of(
        {"kind": Categorical(("a",)), **DEPTH, **TREES}, {"kind": Categorical(("b",)), **DEPTH}
    )
    found = found_in(space)
    assert found is not None
    assert found.completed({"depth": 1, "kind": "a"}) == {"depth": 1, "kind": "a", "trees": 50}
    assert found.completed({"depth": 1, "kind": "b"}) == {"depth": 1, "kind": "b"}


def test_a_parameter_that_others_depend_on_is_searched() -> None:
    parent = Box({**DEPTH, **TREES}, {"depth": (Condition("trees", (50,)),)})
    assert found_in(SearchSpace((parent,))) is None
    limited = SearchSpace((Box({**DEPTH, **TREES}),), (Expression("trees > 5 * depth"),))
    assert found_in(limited) is None


def test_what_no_fit_answers_everywhere_is_searched() -> None:
    space = SearchSpace.of({"mode": Categorical(("exact", "dart")), **DEPTH, **TREES})
    assert found_in(space, lambda p: ("trees", 50) if p["mode"] == "exact" else None) is None
    # The answer differs from point to point.
    assert found_in(space, lambda p: ("trees", 50 if p["mode"] == "exact" else 10)) is None


def test_nothing_would_be_left_to_search() -> None:
    assert found_in(SearchSpace.of(TREES)) is None
    same = {"kind": Categorical(("a",))}
    twins = SearchSpace.of({**same, "trees": Int(10, 50)}, {**same, "trees": Int(60, 90)})
    assert found_in(twins, lambda p: ("trees", 90)) is None


@pytest.mark.parametrize("name", ["random", "sobol", "grid"])
def test_a_search_that_reads_no_results_keeps_its_distribution(name: str) -> None:
    space = SearchSpace.of({**DEPTH, **TREES})
    sampling = SamplerStrategy(space, registry.load("samplers", name)(seed=0), name=name, seed=0)
    objective: Any = Shared(most_trees)
    assert with_read_off(sampling, objective) is sampling


def strategy(start: tuple[tuple[str, Params], ...] = ()) -> ReadOffStrategy:
    space = SearchSpace.of({**TREES, "depth": Int(1, 4), "mode": Categorical(("a", "b"))})
    sampler = registry.load("samplers", "gp")(seed=3, n_startup=2)
    sampling = SamplerStrategy(space, sampler, name="gp", seed=3, window=2, start=start)
    objective: Any = Shared(most_trees)
    found = with_read_off(sampling, objective)
    assert isinstance(found, ReadOffStrategy)
    return found


def played(proposing: Callable[[], ReadOffStrategy]) -> TrialLog:
    """A study whose trials are told with the best number of trees, until nothing is left."""
    log = TrialLog((Metric("score"),))
    while (found := proposing().propose(log)) is not None:
        origin, params = found
        log.ask(params, proposing().key(params), origin)
        while len(log.completed) < len(log.trials) - 1:
            trial = log.trials[len(log.completed)]
            score = float(str(trial.params["depth"])) + (trial.params["mode"] == "b")
            found_best = (
                trial.params if trial.origin == "defaults" else {**trial.params, "trees": 20}
            )
            told = trial.completed([FoldResult(0, {"score": score})])
            log.tell(replace(told, params=found_best, proposed=trial.params))
    return log


def test_no_proposal_repeats_a_fit_and_a_fresh_strategy_proposes_the_same() -> None:
    one = strategy()
    log = played(lambda: one)
    rests = [(t.params["depth"], t.params["mode"]) for t in log.trials]
    assert len(set(rests)) == len(rests) == one.n_points == 8
    assert {t.params["trees"] for t in log.trials} == {50}
    assert [t.params for t in played(strategy).trials] == [t.params for t in log.trials]


def test_the_fit_of_a_starting_point_is_not_known_for_all_values() -> None:
    start: Params = {"depth": 3, "mode": "a", "trees": 30}
    one = strategy((("defaults", start),))
    log = played(lambda: one)
    assert log.trials[0].params == start
    assert {**start, "trees": 50} in [t.params for t in log.trials[1:]]
    assert len(log.trials) == one.n_points == 9
    whole = strategy((("defaults", {**start, "trees": 50}),))
    assert len(played(lambda: whole).trials) == whole.n_points == 8


def test_a_search_of_neighbours_makes_one_fit_for_all_numbers() -> None:
    space = {"n_neighbors": Int(1, 12), "p": Float(1, 3), "weights": ["uniform", "distance"]}
    search = BayesSearchCV(KNeighborsClassifier(), space, n_iter=14, random_state=0, cv=3)
    search.fit(X, Y)
    tried = [repr(p) for p in search.cv_results_["params"]]
    # The first one is the estimator's own number of neighbours, and scored as it is.
    rests = [(p["p"], p["weights"]) for p in search.cv_results_["params"]]
    assert len(tried) == 14
    assert len(set(rests[1:])) == len(rests) - 1


def test_a_continuum_is_searched() -> None:
    space = {"ccp_alpha": Float(0.0, 0.1), "max_depth": Int(1, 4)}
    search = BayesSearchCV(
        DecisionTreeClassifier(random_state=0), space, n_iter=5, random_state=0, cv=2
    ).fit(X, Y)
    assert len({p["ccp_alpha"] for p in search.cv_results_["params"]}) > 2


def test_objectives_without_shared_fits_search_everything() -> None:
    class Alone:
        objectives = (Metric("score"),)

    objective: Any = Alone()
    assert read_off_of(SearchSpace.of({**DEPTH, **TREES}), objective) is None
    several: Any = Shared(most_trees, (Metric("a"), Metric("b")))
    sampling = strategy().sampling
    assert with_read_off(sampling, several) is sampling
