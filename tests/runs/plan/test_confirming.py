"""Forecast of the evaluations on further splits."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import define
from tunesmith.runs.plan.confirming import plan_confirm
from tunesmith.runs.starting_points import StartingPoints

OBJECTIVE = {
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "data": {"path": "data.csv", "target": "kind"},
    "metric": "accuracy",
}


def planned(
    root: Path, n_trials: int | None, cv: Any = 5, has_current: bool = True, **sections: Any
) -> tuple[int | None, str] | None:
    data = {"study": "s", "space": {"max_depth": {"int": [1, 9]}}, "gate": {}, **sections}
    if has_current:
        (root / "config").mkdir(exist_ok=True)
        (root / "config/best_parameters.yaml").write_text("max_depth: 3\n")
    definition = define({**data, "objective": {**OBJECTIVE, "cv": cv}}, root=root)
    current = StartingPoints(definition).current_parameters
    found = plan_confirm(definition, current, n_trials, 5)
    return None if found is None else (found.n_fits, found.text)


@pytest.mark.parametrize(
    ("n_trials", "sections", "n_fits", "words"),
    [
        (30, {}, 40, "at most 40 further fits"),
        (30, {"confirm": {"fits": 10}}, 10, "(1 repeat × 5 folds × 2)"),
        (4, {}, 10, "(1 repeat × 5 folds × 2)"),
        (4, {"confirm": {"fits": "29%"}}, 0, "one repeat takes 10 fits, and `confirm` allows 5"),
        (None, {}, None, "at most 30% of the search's fits"),
        (None, {"confirm": {"fits": 100}}, None, "at most 100 fits"),
        (30, {"cv": {"method": "time_series"}}, 0, "a time series cannot be split anew"),
        (30, {"confirm": {"fits": 3}}, 0, "nothing can be adopted: one repeat takes 10 fits, and"),
        (30, {"confirm": {"fits": "1%"}}, 0, "nothing can be adopted: one repeat takes 10 fits"),
        (
            30,
            {"space": {"max_depth": {"int": [5, 9]}}},
            0,
            "no further fits: the current parameters lie outside the space (`max_depth`: 3",
        ),
        (
            30,
            {"space": {"max_depth": [3, 4], "splitter": ["best", "random"]}},
            0,
            "the current parameters lack `splitter` and are not tried, so that the winner cannot",
        ),
        (30, {"space": {"splitter": ["best", "random"]}}, 0, "(unknown parameter `max_depth`)"),
        (30, {"has_current": False}, 0, "no current parameters yet"),
    ],
)
def test_the_forecast(
    tmp_path: Path, n_trials: int | None, sections: Any, n_fits: int | None, words: str
) -> None:
    found = planned(tmp_path, n_trials, **sections)
    assert found is not None
    assert found[0] == n_fits
    assert words in found[1]


def test_nothing_is_forecast_without_a_gate_or_if_it_is_off(tmp_path: Path) -> None:
    assert planned(tmp_path, 30, gate=None) is None
    assert planned(tmp_path, 30, confirm="off") is None


def test_a_winner_that_is_written_in_any_case_needs_no_other_space(tmp_path: Path) -> None:
    space = {"max_depth": {"int": [5, 9]}}
    kept, written = (
        planned(tmp_path, 30, space=space, gate={"keep": keep}) for keep in (True, False)
    )
    assert kept is not None
    assert written is not None
    assert "cannot replace them" in kept[1]
    assert "cannot replace them" not in written[1]


def test_what_only_the_rows_tell_is_foreseen(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/best_parameters.yaml").write_text("max_depth: 3\n")
    data = {"study": "s", "space": {"max_depth": {"int": [1, 9]}}, "gate": {}}
    definition = define({**data, "objective": {**OBJECTIVE, "cv": 5}}, root=tmp_path)
    current = StartingPoints(definition).current_parameters
    limits: dict[str, Any] = {"no_further": "five groups are five folds"}
    found = plan_confirm(definition, current, 30, 5, limits)
    assert found is not None
    assert (found.n_fits, found.text) == (
        0,
        "by the folds of the search alone: five groups are five folds",
    )
    few = plan_confirm(definition, current, 100, 5, {"n_further": 6})
    assert few is not None
    assert few.n_fits == 6 * 2 * 5
