from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tunesmith.config.model import Definition, File, OuterFold
from tunesmith.config.stop import StopSection
from tunesmith.errors import UsageError
from tunesmith.space import Categorical, SearchSpace

GOOD: dict[str, Any] = {
    "study": "s",
    "objective": {"data": {"path": "d.csv", "target": "y"}, "metric": "r2", "cv": 3},
}


@pytest.mark.parametrize("value", [0, -1, True, "0s", float("inf"), float("nan"), []])
def test_a_time_limit_is_positive_and_finite(value: object) -> None:
    with pytest.raises(ValidationError):
        StopSection.model_validate({"time": value})


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_target_score_is_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        StopSection(target=value)


@pytest.mark.parametrize("name", ["", ".x", "-x", "a b", "a/b", "ü", "x" * 81])
def test_a_study_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(ValidationError):
        File.model_validate({**GOOD, "study": name})


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        File.model_validate(GOOD).study = "other"  # type: ignore[misc]


def file(**sections: Any) -> File:
    return File.model_validate({**GOOD, **sections})


def definition(**sections: Any) -> Definition:
    return Definition(
        file=file(**sections), space=SearchSpace.of({"a": Categorical((1, 2))}), root=Path()
    )


BUDGET = {"parameter": "epochs", "min": 2, "max": 18}


def test_a_trial_is_given_varied_and_fixed_parameters_and_the_budget() -> None:
    objective = {**GOOD["objective"], "params": {"b": 3}}
    study = definition(objective=objective, budget=BUDGET)
    assert study.parameter_names == ["a", "b", "epochs"]
    assert study.file.fixed_params == {"b": 3, "epochs": 18}
    without = definition(budget={"min": 2, "max": 18})
    assert (without.parameter_names, without.file.fixed_params) == (["a"], {})


@pytest.mark.parametrize(
    ("sections", "points"),
    [
        ({}, ["defaults", "current"]),
        ({"search": {"method": "random"}}, []),
        ({"search": {"method": "grid"}, "gate": {}}, ["current"]),
        ({"search": {"start_with": [{"a": 2}]}}, [{"a": 2}]),
        ({"search": {"start_with": ["defaults"]}, "gate": {}}, ["defaults", "current"]),
    ],
)
def test_starting_points_are_those_configured_and_a_gate_adds_one(
    sections: dict[str, Any], points: list[Any]
) -> None:
    assert file(**sections).starting_points == points


@pytest.mark.parametrize(
    "section",
    [
        {"search": {"method": "grid"}},
        {"search": {"curves": False}},
        {"execution": {"share": "off"}},
        {"budget": BUDGET},
    ],
)
def test_some_studies_have_no_submodel_candidates(section: dict[str, Any]) -> None:
    assert file().has_submodel_candidates
    assert not file(**section).has_submodel_candidates


def test_the_seed_of_estimators_is_that_of_the_search_if_there_is_no_other() -> None:
    assert file(search={"seed": 7}).random_state == 7
    objective = {**GOOD["objective"], "random_state": 0}
    assert file(search={"seed": 7}, objective=objective).random_state == 0


def test_a_gate_is_added_and_an_existing_one_keeps_its_other_keys() -> None:
    added = definition().with_gate().file.gate
    assert added is not None
    assert added.base is None
    gate = definition(gate={"min_improvement": 0.1}).with_gate("origin/main").file.gate
    assert gate is not None
    assert (gate.min_improvement, gate.base) == (0.1, "origin/main")
    with pytest.raises(UsageError, match="no name of a revision"):
        definition().with_gate("-x")


def test_searches_of_nested_cross_validation_know_their_fold_and_not_the_current_parameters() -> (
    None
):
    outer = definition(outer_folds=2, gate={}).outer_searches("digest of the rows")
    assert [one.file.study for one in outer] == ["s.outer0", "s.outer1"]
    assert [one.outer for one in outer] == [OuterFold(n, 2, "digest of the rows") for n in (0, 1)]
    assert all(one.file.starting_points == ["defaults"] for one in outer)
    assert all(one.file.gate is None and one.file.outer_folds is None for one in outer)
    assert definition().outer_searches("digest of the rows") == []
