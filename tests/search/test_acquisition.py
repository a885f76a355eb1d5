"""Log expected improvement against quadrature, and the search for its maximum."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tunesmith.search.acquisition import log_expected_improvement, most_promising
from tunesmith.search.coordinates import Coordinates
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.space.expression import Expression

MIXED = SearchSpace.of({"x": Float(0, 1), "n": Int(1, 9), "k": Categorical(("a", "b", "c"))})


def by_quadrature(mean: float, deviation: float, best: float) -> float:
    end = max(mean, best) + 40 * deviation
    found, _ = quad(lambda v: (v - best) * norm.pdf(v, mean, deviation), best, end, epsabs=0)
    return math.log(found)


@pytest.mark.parametrize("z", [-6.0, -3.0, -1.01, -0.99, 0.0, 2.0, 8.0])
@pytest.mark.parametrize("deviation", [0.01, 1.0])
def test_it_is_the_logarithm_of_the_integral(z: float, deviation: float) -> None:
    found = log_expected_improvement(np.array([z * deviation]), np.array([deviation]), 0.0)
    assert found[0] == pytest.approx(by_quadrature(z * deviation, deviation, 0.0), rel=1e-6)


def test_it_rises_everywhere_and_stays_finite_far_out() -> None:
    z = -np.logspace(9, -3, 400)
    found = log_expected_improvement(z, np.ones_like(z), 0.0)
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    ahead = log_expected_improvement(np.linspace(0, 50, 100), np.ones(100), 0.0)
    assert (np.diff(ahead) > 0).all()


def test_the_best_point_of_a_mixed_space_is_found() -> None:
    coordinates = Coordinates(MIXED)
    target = coordinates.encode({"x": 0.37, "n": 7, "k": "b"})

    def score(rows: np.ndarray) -> np.ndarray:
        off = (coordinates.features(rows) - coordinates.features(target[None])) ** 2
        return np.asarray(-off.sum(axis=1))

    rng = np.random.default_rng(0)
    rows = most_promising(coordinates, score, coordinates.random(1, rng), rng)
    found = coordinates.decode(rows[0])
    assert (found["n"], found["k"]) == (7, "b")
    assert abs(float(str(found["x"])) - 0.37) < 0.005


def test_constraints_hold_and_may_leave_nothing() -> None:
    space = SearchSpace((Box({"x": Float(0, 1), "y": Float(0, 1)}),), (Expression("x < y"),))
    coordinates, rng = Coordinates(space), np.random.default_rng(0)
    start = coordinates.encode({"x": 0.2, "y": 0.4})[None]
    rows = most_promising(coordinates, lambda r: r[:, 0], start, rng)
    decoded = [coordinates.decode(row) for row in rows[:50]]
    assert all(space.allows(params) for params in decoded)
    assert float(str(decoded[0]["x"])) > 0.9
    never = SearchSpace((Box({"x": Float(0, 1)}),), (Expression("x > 2"),))
    nothing = most_promising(Coordinates(never), lambda r: r[:, 0], np.array([[0.5]]), rng)
    assert len(nothing) == 0


def test_inactive_coordinates_do_not_matter() -> None:
    box = Box({"k": Categorical(("a", "b")), "x": Float(0, 1)}, {"x": (Condition("k", ("b",)),)})
    coordinates = Coordinates(SearchSpace((box,)))
    rows = np.array([[0.25, 0.1], [0.25, 0.9], [0.75, 0.1], [0.75, 0.9]])
    features = coordinates.features(rows)
    np.testing.assert_array_equal(features[0], features[1])
    assert not np.array_equal(features[2], features[3])
