from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError
from tunesmith.objective.crossval import build_objective
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.testing.projects import TUNING, make_project

BEST = "config/best_parameters.yaml"
DEFAULTS = ("defaults", {"criterion": "gini", "max_depth": None})


def points(
    root: Path, best: str | None = "max_depth: 2\n", more: str = "", start: str = ""
) -> StartingPoints:
    text = TUNING.replace("seed: 3", f"seed: 3{start}") + more
    path = make_project(root, text=text, method="bayesian")
    if best is not None:
        (root / BEST).parent.mkdir()
        (root / BEST).write_text(best)
    return StartingPoints(load_definition(path))


def of(starting: StartingPoints) -> list[tuple[str, Any]]:
    return starting.of(build_objective(starting.definition))


def test_defaults_come_before_the_current_parameters(tmp_path: Path) -> None:
    starting = points(tmp_path)
    assert of(starting) == [DEFAULTS, ("current", {"max_depth": 2})]
    assert starting.current_parameters == {"max_depth": 2}


def test_without_a_file_there_are_no_current_parameters(tmp_path: Path) -> None:
    starting = points(tmp_path, best=None)
    assert of(starting) == [DEFAULTS]
    assert starting.current_parameters is None


def test_the_budget_belongs_to_trials_and_not_to_the_current_parameters(tmp_path: Path) -> None:
    budget = "budget: {parameter: max_leaf_nodes, min: 2, max: 18}\n"
    starting = points(tmp_path, "max_depth: 2\nmax_leaf_nodes: 9\n", budget)
    assert starting.current_parameters == {"max_depth": 2}
    assert starting.written == {"max_depth": 2, "max_leaf_nodes": 9}


def test_a_file_that_cannot_be_read_is_an_error_only_if_it_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        _ = points(tmp_path / "wanted", "max_depth: [\n").current_parameters
    start = ", start_with: [{max_depth: 1, criterion: gini}]"
    starting = points(tmp_path / "unwanted", "max_depth: [\n", start=start)
    assert starting.current_parameters is None
    assert of(starting) == [("start_with", {"criterion": "gini", "max_depth": 1})]
