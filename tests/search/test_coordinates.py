"""Points as rows: there and back over random spaces."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tunesmith.search.coordinates import Coordinates
from tunesmith.space import Box, Categorical, Float, Int, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.testing.strategies import spaces
from tunesmith.types import Params

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(space=spaces(), seed=SEEDS)
def test_params_come_back_from_their_row(space: SearchSpace, seed: int) -> None:
    coordinates = Coordinates(space)
    params = space.sample(np.random.default_rng(seed))
    row = coordinates.encode(params)
    assert ((row >= 0) & (row <= 1)).all()
    decoded = coordinates.decode(row)
    assert decoded.keys() == params.keys()
    active = coordinates.active(row[None])[0]
    snapped = coordinates.snapped(row[None])[0]
    np.testing.assert_allclose(coordinates.encode(decoded)[active], row[active], atol=1e-9)
    np.testing.assert_allclose(snapped[active], row[active], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(space=spaces(), seed=SEEDS)
def test_every_row_is_a_point_of_the_space(space: SearchSpace, seed: int) -> None:
    coordinates, rng = Coordinates(space), np.random.default_rng(seed)
    rows = coordinates.random(8, rng)
    moved = coordinates.mutated(rows, np.full((8, 1), 0.1), rng)
    np.testing.assert_array_equal(coordinates.snapped(moved), moved)
    for row in (*rows, *moved):
        params = coordinates.decode(row)
        assert any(_is_as_written(box, params) for box in space)


def _is_as_written(box: Box, params: Params) -> bool:
    try:
        return canonical_json(box.canonical(params)) == canonical_json(dict(params))
    except ValueError:
        return False


@settings(max_examples=40, deadline=None)
@given(space=spaces(), seed=SEEDS)
def test_equal_points_have_equal_features(space: SearchSpace, seed: int) -> None:
    coordinates, rng = Coordinates(space), np.random.default_rng(seed)
    row = coordinates.random(1, rng)
    params = coordinates.decode(row[0])
    # A point of two boxes counts as one of the first.
    assume(len(space.boxes) == 1 or space.locate(params)[0] == int(row[0, 0] * len(space.boxes)))
    other = coordinates.encode(params)[None]
    features = coordinates.features(np.vstack([row, other]))
    # Values carry 12 digits, which leaves 7 or more of a narrow range.
    np.testing.assert_allclose(features[0], features[1], rtol=0, atol=1e-6)
    assert features.shape[1] == len(coordinates.groups)


@settings(max_examples=40, deadline=None)
@given(space=spaces(), seed=SEEDS)
def test_the_active_coordinates_are_the_names_of_the_point(space: SearchSpace, seed: int) -> None:
    coordinates = Coordinates(space)
    (row,) = coordinates.random(1, np.random.default_rng(seed))
    active = coordinates.active(row[None])[0]
    named = {axis.name for axis, counts in zip(coordinates.axes, active, strict=True) if counts}
    params = coordinates.decode(row)
    assert named - {""} == params.keys()
    boxes = {axis.box for axis, counts in zip(coordinates.axes, active, strict=True) if counts}
    box = space.boxes[max(boxes)]
    assert params.keys() == {name for name in box.order if box.is_active(name, params)}


@settings(max_examples=40, deadline=None)
@given(space=spaces(), seed=SEEDS)
def test_a_mutation_redraws_something_that_counts_and_can_vary(
    space: SearchSpace, seed: int
) -> None:
    coordinates, rng = Coordinates(space), np.random.default_rng(seed)
    rows = coordinates.random(1, rng).repeat(200, axis=0)
    active = coordinates.active(rows)[0]
    moved = coordinates.mutated(rows, np.full((200, 1), 0.5), rng)[:, active]
    levels = [
        axis.n_levels for axis, counts in zip(coordinates.axes, active, strict=True) if counts
    ]
    can_vary = np.array([n != 1 for n in levels])
    assert (moved != rows[:, active]).any(axis=0)[can_vary].all()
    assert (moved == rows[:, active])[:, ~can_vary].all()


def test_lists_of_numbers_are_ordered_and_choices_are_one_apart() -> None:
    space = SearchSpace.of({"n": Categorical((10, 1, 100)), "k": Categorical(("a", "b", None))})
    coordinates = Coordinates(space)
    points: list[Params] = [{"n": 1, "k": "a"}, {"n": 10, "k": None}, {"n": 100, "k": "b"}]
    features = coordinates.features(np.array([coordinates.encode(point) for point in points]))
    assert coordinates.groups.tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(features[:, 3], [1 / 6, 3 / 6, 5 / 6])
    apart = ((features[:, None, :3] - features[None, :, :3]) ** 2).sum(axis=2)
    np.testing.assert_allclose(apart, 1 - np.eye(3))


def test_a_long_ladder_is_a_continuum_without_losing_a_step() -> None:
    space = SearchSpace.of({"n": Int(1, 100_000), "rate": Int(1, 100_000, log=True)})
    coordinates = Coordinates(space)
    for n in (1, 2, 777, 99_999, 100_000):
        point: Params = {"n": n, "rate": n}
        assert coordinates.decode(coordinates.encode(point)) == point


def test_constants_have_no_features() -> None:
    space = SearchSpace.of({"a": Categorical(("only",)), "b": Int(3, 3), "c": Float(2, 2)})
    coordinates = Coordinates(space)
    rows = coordinates.random(4, np.random.default_rng(0))
    assert coordinates.features(rows).shape == (4, 0)
    assert coordinates.decode(rows[0]) == {"a": "only", "b": 3, "c": 2.0}
