"""Grid search: scikit-learn's order, every point once, at constant cost."""

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid

from tunesmith.history import History, Metric, TrialLog
from tunesmith.search.grid import GridSampler
from tunesmith.space import Categorical, Float, Int, SearchSpace
from tunesmith.types import Params

RNG = np.random.default_rng(0)


def space_of(*grids: dict[str, list[Any]]) -> SearchSpace:
    return SearchSpace.of(*({n: Categorical(tuple(v)) for n, v in g.items()} for g in grids))


def walk(space: SearchSpace, log: TrialLog, n: int = 1) -> list[Params]:
    """Ask until nothing is left."""
    sampler = GridSampler()
    first = len(log.trials)
    while found := sampler.suggest(space, log.view(), n, RNG):
        for params in found:
            log.ask(params, space.key(params), "any name")
    return [trial.params for trial in log.trials[first:]]


def new_log() -> TrialLog:
    return TrialLog((Metric("score"),))


values = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
grids = st.dictionaries(st.sampled_from("abcd"), values, min_size=1, max_size=3)


@given(grids, st.integers(1, 4))
def test_the_order_is_scikit_learns(grid: dict[str, list[int]], n: int) -> None:
    assert walk(space_of(grid), new_log(), n) == list(ParameterGrid(grid))


@given(grids, st.integers(1, 4))
def test_a_spread_grid_has_the_same_points(grid: dict[str, list[int]], n: int) -> None:
    space, log = space_of(grid), new_log()
    sampler = GridSampler().spread()
    while found := sampler.suggest(space, log.view(), n, RNG):
        for params in found:
            log.ask(params, space.key(params), "any name")
        # A resumed study goes on in the same order.
        sampler = GridSampler().spread()
    keys = [space.key(trial.params) for trial in log.trials]
    assert sorted(keys) == sorted(space.key(params) for params in ParameterGrid(grid))


def test_the_first_points_of_a_spread_grid_lie_everywhere() -> None:
    space = space_of({"a": list(range(10)), "b": list(range(10))})
    found = GridSampler().spread().suggest(space, new_log().view(), 10, RNG)
    assert min(len({params[name] for params in found}) for name in "ab") >= 7
    # The numbers of a grid may be too large for a list.
    huge = space_of({name: list(range(1000)) for name in "abcdef"})
    assert len(GridSampler().spread().suggest(huge, new_log().view(), 3, RNG)) == 3


@given(st.lists(grids, min_size=2, max_size=3))
def test_a_list_of_grids_keeps_the_order_and_drops_repeats(parts: list[dict[str, Any]]) -> None:
    expected: list[Any] = []
    for params in ParameterGrid(parts):
        if params not in expected:
            expected.append(params)
    assert walk(space_of(*parts), new_log()) == expected


def test_values_of_every_json_kind_keep_their_type() -> None:
    grid = {"p": [1, 1.0, True, "1", None, [1], {"a": 1}]}
    found = walk(space_of(grid), new_log())
    assert [(type(p["p"]), p["p"]) for p in found] == [(type(v), v) for v in grid["p"]]


def test_points_that_were_tried_first_are_left_out() -> None:
    space = space_of({"a": [1, 2, 3]})
    log = new_log()
    log.ask({"a": 2}, space.key({"a": 2}), "start_with")
    assert walk(space, log) == [{"a": 1}, {"a": 3}]


def test_a_study_goes_on_where_it_was() -> None:
    space = space_of({"a": [1, 2, 3], "b": [1, 2]})
    whole = walk(space, new_log())
    resumed = new_log()
    for params in whole[:4]:
        resumed.ask(params, space.key(params), "grid")
    assert walk(space, resumed) == whole[4:]


def test_a_widened_grid_evaluates_what_is_new() -> None:
    log = new_log()
    walk(space_of({"a": [1, 3]}), log)
    assert walk(space_of({"a": [1, 2, 3, 4]}), log) == [{"a": 2}, {"a": 4}]


def test_steps_are_points_and_ranges_are_refused_by_name() -> None:
    space = SearchSpace.of({"x": Float(0, 1, step=0.5), "n": Int(1, 2)})
    assert len(walk(space, new_log())) == 6
    reason = GridSampler().blocker(SearchSpace.of({"rate": Float(0, 1), "n": Int(1, 2)}))
    assert reason is not None
    assert "`rate`" in reason
    assert "step" in reason


def test_a_billion_points_cost_no_memory_and_no_time() -> None:
    space = SearchSpace.of({f"p{i}": Int(0, 999) for i in range(3)})
    log, sampler = new_log(), GridSampler()
    tracemalloc.start()
    began = time.process_time()
    for _ in range(2000):
        params = sampler.suggest(space, log.view(), 1, RNG)[0]
        log.ask(params, space.key(params), "grid")
    seconds = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6
    assert seconds < 10.0
    assert log.trials[1001].params == {"p0": 0, "p1": 1, "p2": 1}


def test_the_number_of_points_looked_at_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks a suggestion: the point proposed last, which is known by now, and the next."""
    space, log, sampler = space_of({"a": list(range(500))}), new_log(), GridSampler()
    looks: list[str] = []
    has = History.has

    def counted(self: History, key: str) -> bool:
        looks.append(key)
        return has(self, key)

    monkeypatch.setattr(History, "has", counted)
    for _ in range(400):
        params = sampler.suggest(space, log.view(), 1, RNG)[0]
        log.ask(params, space.key(params), "grid")
    assert len(looks) <= 2 * 400
