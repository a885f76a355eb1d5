"""The study around an Optuna objective."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import Source

OBJECTIVE = "import optuna\ndef objective(trial):\n  return trial.suggest_int('x', 1, 3)\n"


def content(rest: str, objective: str = OBJECTIVE) -> dict[str, Any]:
    source = Source(Path("a.py"), f"{objective}{rest}")
    (setup,) = find(source)
    return convert(source, setup).finished()


@pytest.mark.parametrize(
    ("sampler", "search"),
    [
        ("RandomSampler(seed=3)", {"method": "random", "seed": 3}),
        ("TPESampler()", {"method": "bayesian", "sampler": "tpe"}),
        ("CmaEsSampler()", {"method": "bayesian", "sampler": "cmaes"}),
        ("NSGAIISampler()", {"method": "bayesian"}),
    ],
)
def test_samplers(sampler: str, search: dict[str, Any]) -> None:
    rest = f"s = optuna.create_study(sampler=optuna.samplers.{sampler})\ns.optimize(objective, 5)\n"
    assert content(rest)["search"] == search
    assert content(rest)["stop"] == {"trials": 5}


def test_a_grid_has_values_of_its_own() -> None:
    rest = (
        "grid = {'x': [1, 3]}\n"
        "s = optuna.create_study(sampler=optuna.samplers.GridSampler(grid))\n"
        "s.optimize(objective)\n"
    )
    result = content(rest)
    assert (result["space"], result["search"]) == ({"x": [1, 3]}, {"method": "grid"})
    assert "stop" not in result


def test_several_directions() -> None:
    rest = "s = optuna.create_study(directions=['minimize', 'maximize'])\n"
    objective = OBJECTIVE.replace("return trial", "a = b = trial") + "  return a, b\n"
    assert content(rest, objective)["objective"]["metric"] == [
        {"name": "a", "direction": "minimize"},
        {"name": "b", "direction": "maximize"},
    ]


def test_numbers_that_only_a_run_tells_are_noted() -> None:
    source = Source(Path("a.py"), f"{OBJECTIVE}optuna.create_study().optimize(objective, args.n)\n")
    draft = convert(source, find(source)[0])
    assert draft.finished()["stop"] == {"trials": 100}
    assert any("args.n" in note for note in draft.notes[("stop",)])
