from typing import Any

from tunesmith.analysis.importance.declared import declared_space, points_of
from tunesmith.history import Trial
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.space import Categorical, Float, Int


def trials(*points: dict[str, Any]) -> list[Trial]:
    return [Trial(i, point, key=str(i), origin="random") for i, point in enumerate(points)]


def test_the_recorded_space_is_read_with_conditions_and_constraints() -> None:
    boxes = [{"k": ["a", "b"], "x": {"float": [1, 9], "log": True, "when": {"k": ["a"]}}}]
    recorded = RecordedSpace.of({"boxes": boxes, "constraints": ["x < 5"]})
    space, is_declared = declared_space(recorded, trials({"k": "b"}))
    assert is_declared
    assert space.to_json() == recorded.content


def test_a_space_that_is_not_recorded_is_made_of_the_trials() -> None:
    found = trials({"n": 1, "x": 0.5}, {"n": 7, "x": 1.5}, {"n": 2, "x": 0.25}, {"k": "a"})
    space, is_declared = declared_space(RecordedSpace(), found)
    assert not is_declared
    assert space.boxes[0].parameters == {"n": Int(1, 7), "x": Float(0.25, 1.5)}
    assert space.boxes[1].parameters == {"k": Categorical(("a",))}


def test_all_combinations_of_values_are_lists() -> None:
    grid = [{"n": n, "flag": flag} for n in (10, 100) for flag in (True, False)]
    space, _ = declared_space(RecordedSpace(), trials(*grid))
    assert space.boxes[0].parameters["n"].n_levels == 2


def test_points_outside_and_names_of_a_budget_are_left_out() -> None:
    recorded = RecordedSpace.of({"boxes": [{"x": {"int": [1, 5]}}], "constraints": []})
    found = trials({"x": 3, "epochs": 9}, {"x": 8}, {"x": 1})
    space, _ = declared_space(recorded, found)
    assert [point for _, point in points_of(space, found)] == [{"x": 3}, {"x": 1}]
