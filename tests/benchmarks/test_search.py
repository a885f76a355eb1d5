"""The comparison of searches: its spaces, its scale, its players."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.search.__main__ import main
from benchmarks.search.players import player
from benchmarks.search.tables import interval, regrets
from benchmarks.search.yahpo import MissingError, space_of, surrogates

from tunesmith.space import Condition, Float, Int, SearchSpace
from tunesmith.types import Params

DEFINITION: Mapping[str, Any] = {
    "hyperparameters": [
        {"name": "learner", "type": "categorical", "choices": ["a", "b"]},
        {"name": "depth", "type": "uniform_int", "lower": 1, "upper": 9, "log": False},
        {"name": "rate", "type": "uniform_float", "lower": 0.1, "upper": 1.0, "log": True},
        {"name": "task_id", "type": "categorical", "choices": ["3", "4"]},
    ],
    "conditions": [
        {"child": "depth", "parent": "learner", "type": "EQ", "value": "a"},
        {
            "child": "rate",
            "type": "AND",
            "conditions": [
                {"child": "rate", "parent": "learner", "type": "IN", "values": ["a", "b"]},
                {"child": "rate", "parent": "depth", "type": "EQ", "value": 3},
            ],
        },
    ],
}


def test_a_definition_is_read_with_its_conditions() -> None:
    (box,) = space_of(DEFINITION, {"task_id": "3"})
    assert box.parameters["depth"] == Int(1, 9)
    assert box.parameters["rate"] == Float(0.1, 1.0, log=True)
    assert "task_id" not in box.parameters
    assert box.conditions["depth"] == (Condition("learner", ("a",)),)
    assert len(box.conditions["rate"]) == 2


def test_missing_surrogates_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingError, match="TUNESMITH_YAHPO"):
        surrogates(tmp_path / "nowhere")
    assert main(["--yahpo", str(tmp_path / "nowhere")]) == 2
    assert "name their folder with --yahpo" in capsys.readouterr().err


def test_regret_is_0_at_the_best_and_1_at_chance() -> None:
    losses = np.array([[[[5.0, 3.0, 1.0]]]])
    assert regrets(losses, np.array([[1.0, 3.0]])).tolist() == [[[[1.0, 1.0, 0.0]]]]


def test_an_interval_holds_its_mean() -> None:
    mean, low, high = interval(np.random.default_rng(0).random((6, 4)))
    assert low < mean < high
    assert interval(np.full((3, 2), 0.5)) == (0.5, 0.5, 0.5)


class Bowl:
    """A loss with noise of its folds."""

    name = "bowl"
    space = SearchSpace.of({"x": Float(0, 1)})
    ends = (0.0, 0.25)

    def folds(self, params: Params, seed: int) -> list[float]:
        return [self.truth(params) + shift for shift in (-0.1, 0.1)]

    def truth(self, params: Params) -> float:
        return (float(str(params["x"])) - 0.5) ** 2


@pytest.mark.parametrize("name", ["gp@1,n_startup=3", "random", "optuna-tpe", "bayesian@4"])
def test_every_player_is_judged_by_the_true_loss_of_its_best_trial(name: str) -> None:
    trace = player(name).play(Bowl(), n_trials=8, seed=1)
    assert len(trace.losses) == len(trace.cpu_s) == 8
    # Without noise between trials the best trial is the truly best one.
    assert trace.losses == np.minimum.accumulate(trace.losses).tolist()
