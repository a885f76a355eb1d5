from collections import Counter

import numpy as np
import pytest
from tests.analysis.importance.situations import BOXES, CONDITIONAL

from tunesmith.analysis.importance.measure import BOX, Measure
from tunesmith.space.parse import parse_space

U = {"float": [0.0, 1.0]}


def measure_of(written: object) -> Measure:
    space, violations = parse_space(written)
    assert space is not None, violations
    return Measure(space)


def test_points_are_drawn_as_random_search_draws_them() -> None:
    measure = measure_of(
        {"n": {"int": [1, 20], "log": True}, "k": ["a", "b"], "s": {"float": [0, 1], "step": 0.5}}
    )
    rng = np.random.default_rng(0)
    units = rng.random((3000, measure.n_units))
    rows = measure.rows(units)
    drawn = [measure.coordinates.decode(row) for row in rows]
    box = measure.space.boxes[0]
    names = measure.space.names
    assert drawn == [
        dict(sorted(box.point(dict(zip(names, unit, strict=False))).items())) for unit in units
    ]
    assert Counter(point["n"] for point in drawn)[1] > 600


def test_a_parameter_depends_on_what_switches_it_on() -> None:
    written = {
        "kind": ["a", "b"],
        "x": {"values": [1, 2], "when": {"kind": "a"}},
        "y": {"float": [0, 1], "when": {"x": 1}},
        "z": U,
        "fixed": [3],
    }
    measure = measure_of(written)
    assert measure.names == ("kind", "x", "y", "z")
    assert measure.dependents("kind") == {"x", "y"}
    assert measure.dependents("x") == {"y"}
    assert measure.dependents("z") == frozenset()


def test_a_parameter_with_values_of_its_own_in_each_box_stands_for_the_box() -> None:
    measure = measure_of(BOXES)
    assert measure.owner == "kernel"
    assert measure.names == ("C", "gamma", "kernel")
    # The same `C` is in both boxes, so that it does not depend on the box.
    assert measure.dependents("kernel") == {"gamma"}


def test_boxes_that_nothing_tells_apart_have_a_name_of_their_own() -> None:
    measure = measure_of([{"a": U, "k": [1, 2]}, {"a": {"float": [5, 9]}, "k": [2, 3]}])
    assert measure.names == (BOX, "a", "k")
    assert measure.dependents(BOX) == {"a", "k"}


def test_points_that_break_a_constraint_are_not_drawn() -> None:
    measure = measure_of(
        {"parameters": {"a": {"int": [1, 9]}, "b": {"int": [1, 9]}}, "constraints": ["a <= b"]}
    )
    rng = np.random.default_rng(0)
    units = rng.random((800, measure.n_units))
    units = units[measure.allowed(units)]
    moved = measure.redrawn(units, rng.random(units.shape), {"a"}, rng)
    before, after = (
        [measure.coordinates.decode(r) for r in measure.rows(u)] for u in (units, moved)
    )
    assert all(measure.space.allows(point) for point in after)
    assert [point["b"] for point in before] == [point["b"] for point in after]
    fives = [point["a"] for point in after if point["b"] == 5]
    assert set(fives) == {1, 2, 3, 4, 5}


def test_active_parameters_are_those_of_the_branch() -> None:
    measure = measure_of(CONDITIONAL)
    active = measure.active(np.random.default_rng(0).random((400, measure.n_units)))
    assert active["x"].mean() == pytest.approx(0.5, abs=0.1)
    assert active["kind"].all()
    assert active["idle"].all()
