"""The sections ``gate`` and ``confirm``."""

from typing import Any

import pytest
from pydantic import ValidationError

from tunesmith.config.gate import ConfirmSection
from tunesmith.config.load import define
from tunesmith.config.model import File
from tunesmith.errors import ConfigError

BASE = {
    "study": "s",
    "space": {"a": [1, 2]},
    "objective": {"estimator": "x.Y", "metric": "r2", "data": {"path": "d.csv", "target": "y"}},
}


def file(**sections: Any) -> File:
    return define({**BASE, **sections}).file


def test_a_gate_confirms_unless_that_is_turned_off() -> None:
    assert file().confirms is None
    assert file(confirm={"fits": 9}).confirms is None
    assert file(gate={}).confirms == ConfirmSection()
    assert file(gate={}, confirm={"fits": 9, "within": 0.1}).confirms == ConfirmSection(
        fits=9, within=0.1
    )
    assert file(gate={}, confirm="off").confirms is None


def test_a_definition_without_the_section_is_stored_as_before() -> None:
    assert "confirm" not in define(BASE).as_json()["file"]
    assert define({**BASE, "confirm": "off"}).as_json()["file"]["confirm"] == "off"


@pytest.mark.parametrize("fits", ["30", "many", "-1%", -1, 0.3, True, "30 %"])
def test_a_number_of_fits_is_a_share_or_a_whole_number(fits: Any) -> None:
    with pytest.raises(ValidationError):
        ConfirmSection(fits=fits)


@pytest.mark.parametrize(("gate", "least"), [(True, 0.0), (0.002, 0.002), (3, 3.0), (False, None)])
def test_a_gate_is_true_or_a_smallest_gain(gate: Any, least: float | None) -> None:
    section = file(gate=gate).gate
    assert (None if section is None else section.min_improvement) == least


@pytest.mark.parametrize("gate", [-0.1, "yes", [1]])
def test_other_short_gates_are_refused(gate: Any) -> None:
    with pytest.raises(ConfigError, match="gate"):
        file(gate=gate)
