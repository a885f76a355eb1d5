from typing import Any

import pytest
from pydantic import ValidationError

from tunesmith.config.model import File
from tunesmith.config.salvage import is_touched, salvage
from tunesmith.errors import Path

GOOD: dict[str, Any] = {
    "study": "s",
    "objective": {"estimator": "a.B", "data": {"path": "d.csv", "target": "y"}, "metric": "r2"},
    "stop": {"trials": 5},
}


def salvaged(**changes: Any) -> tuple[File | None, set[Path]]:
    data = {**GOOD, **changes}
    with pytest.raises(ValidationError) as caught:
        File.model_validate(data)
    return salvage(data, caught.value)


def test_the_sound_part_is_kept() -> None:
    file, touched = salvaged(stop={"trials": "many", "patience": 3}, extra=1)
    assert file is not None
    assert (file.stop.trials, file.stop.patience) == (None, 3)
    assert touched == {("stop", "trials"), ("extra",)}


@pytest.mark.parametrize("key", ["study", "objective"])
def test_what_must_be_there_is_filled_in(key: str) -> None:
    file, touched = salvaged(**{key: 7})
    assert file is not None
    assert touched == {(key,)}


def test_a_broken_item_keeps_the_places_of_the_others() -> None:
    objective = {**GOOD["objective"], "metric": ["r2", 5, {"name": "max_error"}]}
    file, _ = salvaged(objective=objective)
    assert file is not None
    assert [metric.name for metric in file.objective.metric] == ["r2", "r2", "max_error"]


def test_a_single_mapping_in_place_of_a_list_is_mended() -> None:
    objective = {**GOOD["objective"], "also": {"name": "max_error", "directoin": "maximize"}}
    file, touched = salvaged(objective=objective)
    assert file is not None
    assert [metric.name for metric in file.objective.also] == ["max_error"]
    assert touched == {("objective", "also", 0, "directoin")}


def test_the_data_are_left_as_they_were() -> None:
    stop = {"trials": "many"}
    salvaged(stop=stop)
    assert stop == {"trials": "many"}


def test_touched_is_at_within_and_around() -> None:
    touched: set[Path] = {("objective", "cv")}
    assert is_touched(("objective", "cv"), touched)
    assert is_touched(("objective", "cv", "folds"), touched)
    assert is_touched(("objective",), touched)
    assert not is_touched(("objective", "data"), touched)
