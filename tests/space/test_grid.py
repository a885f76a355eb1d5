import time
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid

from tunesmith.space import Box, Float, Grid, Int, SearchSpace
from tunesmith.space.expression import Expression
from tunesmith.space.python import from_python
from tunesmith.testing.strategies import spaces

plain_grids = st.dictionaries(
    st.sampled_from("abc"),
    st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
    min_size=1,
)


@given(st.lists(plain_grids, min_size=1, max_size=3))
def test_order_is_that_of_parameter_grid(grids: list[dict[str, list[int]]]) -> None:
    grid = Grid(from_python(grids))
    assert list(grid.after(-1)) == list(ParameterGrid(grids))


@settings(max_examples=50)
@given(spaces(finite=True))
def test_every_point_once(space: SearchSpace) -> None:
    grid = Grid(space)
    if grid.n_numbers > 2000:
        return
    for index, box in enumerate(space.boxes):
        one = Grid(SearchSpace((box,)))
        points = list(one.after(-1))
        keys = [space.key(point) for point in points]
        assert len(set(keys)) == len(keys) == one.n_points
        if index == 0:
            assert [grid.point(grid.number(point)) for point in points] == points


def test_constrained_points_are_left_out() -> None:
    space = SearchSpace((Box({"a": Int(1, 4), "b": Int(1, 4)}),), (Expression("a < b"),))
    assert Grid(space).n_points == 6
    assert len(list(Grid(space).after(-1))) == 6


def test_a_billion_points_cost_nothing() -> None:
    space = SearchSpace.of({name: Int(1, 1000) for name in "abc"})
    tracemalloc.start()
    began = time.process_time()
    grid = Grid(space)
    assert grid.n_points == 10**9
    assert grid.point(10**9 - 1) == {"a": 1000, "b": 1000, "c": 1000}
    assert list(islice(grid.after(999_999_997), 5)) == [
        {"a": 1000, "b": 1000, "c": 999},
        {"a": 1000, "b": 1000, "c": 1000},
    ]
    assert time.process_time() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_continuum_has_no_grid() -> None:
    with pytest.raises(ValueError, match="`x` is a continuum"):
        Grid(SearchSpace.of({"x": Float(0, 1)}))
