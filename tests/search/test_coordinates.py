"""Points as rows: there and back over random spaces."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.search.coordinates import Coordinates
from tunesmith.space import SearchSpace
from tunesmith.testing.strategies import spaces

SEEDS = st.integers(0, 2**32 - 1)


def same(space: SearchSpace, left: object, right: object) -> bool:
    return space.key(left) == space.key(right)  # type: ignore[arg-type]


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
        assert same(space, space.canonical(params), params)


@settings(max_examples=40, deadline=None)
@given(space=spaces(), seed=SEEDS)
def test_equal_points_have_equal_features(space: SearchSpace, seed: int) -> None:
    coordinates, rng = Coordinates(space), np.random.default_rng(seed)
    row = coordinates.random(1, rng)
    other = coordinates.encode(coordinates.decode(row[0]))[None]
    features = coordinates.features(np.vstack([row, other]))
    np.testing.assert_allclose(features[0], features[1], atol=1e-9)
    assert features.shape[1] == len(coordinates.groups)
