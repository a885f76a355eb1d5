from typing import Any

import pytest
from pydantic import ValidationError

from tunesmith.config.model import File, StopSection
from tunesmith.config.objective import CrossValidation, MetricSpec
from tunesmith.config.section import seconds

GOOD: dict[str, Any] = {
    "study": "s",
    "objective": {"data": {"path": "d.csv", "target": "y"}, "metric": "r2", "cv": 3},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("250ms", 0.25), ("2d", 172_800.0),
     ("1 h 30 m", 5400.0), (90, 90.0), (0.5, 0.5)],
)  # fmt: skip
def test_durations(text: object, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "5", "5 min", "-5s", "5s6", "s", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


@pytest.mark.parametrize("value", [0, -1, True, "0s", float("inf"), float("nan"), []])
def test_a_time_limit_is_positive_and_finite(value: object) -> None:
    with pytest.raises(ValidationError):
        StopSection.model_validate({"time": value})


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_target_score_is_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        StopSection(target=value)


def test_shorthands_become_the_full_form() -> None:
    file = File.model_validate(GOOD)
    assert file.objective.metric == (MetricSpec(name="r2"),)
    assert file.objective.data is not None
    assert file.objective.data.path == ("d.csv",)
    assert file.objective.cv == CrossValidation(folds=3)


def test_a_metric_of_nothing_is_an_error_like_others() -> None:
    objective = {**GOOD["objective"], "metric": None}
    with pytest.raises(ValidationError):
        File.model_validate({**GOOD, "objective": objective})


@pytest.mark.parametrize("name", ["", ".x", "-x", "a b", "a/b", "ü", "x" * 81])
def test_a_study_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(ValidationError):
        File.model_validate({**GOOD, "study": name})


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        File.model_validate(GOOD).study = "other"  # type: ignore[misc]
