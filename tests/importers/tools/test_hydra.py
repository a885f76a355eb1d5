from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import Source
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
defaults:
  - override hydra/sweeper: optuna
  - override hydra/sweeper/sampler: random
hydra:
  sweeper:
    direction: maximize
    n_trials: 25
    n_jobs: 2
    params:
      model.lr: tag(log, interval(1e-4, 1e-1))
      model.kind: choice(cnn, mlp)
      model.depth: range(1, 5)
      model.width: int(interval(8, 64))
      model.scale: interval(1, 5)
      data.split: range(0.5, 1.0, step=0.25)
      seed: 3
optimized_metric: val/acc
"""


class TestHydra(ImporterContract):
    tool, file, sample = "hydra", "config.yaml", SAMPLE
    space = {
        "model.lr": {"float": [0.0001, 0.1], "log": True},
        "model.kind": ["cnn", "mlp"],
        "model.depth": {"int": [1, 5]},
        "model.width": {"int": [8, 64]},
        "model.scale": {"float": [1.0, 5.0]},
        "data.split": {"float": [0.5, 1.0], "step": 0.25},
    }
    settings = {
        "search": {"method": "random"},
        "stop": {"trials": 25},
        "execution": {"workers": 2},
        "objective": {
            "command": ["python", "train.py"],
            "overrides": "hydra",
            "params": {"seed": 3},
            "metric": {"name": "val/acc", "direction": "maximize"},
            "metrics_file": "metrics.json",
        },
    }
    refused = {
        "has no equal": "sweeper: optuna -> sweeper: ax",
        "glob(": "choice(cnn, mlp) -> glob(*)",
        "is code": "n_jobs: 2 -> custom_search_space: module.space",
        "the sampler": "sampler: random -> sampler: motpe",
    }


def test_a_command_line_is_a_grid() -> None:
    text = "# runs\npython train.py -m model=cnn,mlp \\\n  lr=0.1,0.01 seed='range(3)' note=x\n"
    source = Source(Path("runs.sh"), text)
    (setup,) = find(source)
    content = convert(source, setup).finished()
    assert content["space"] == {"model": ["cnn", "mlp"], "lr": [0.1, 0.01], "seed": [0, 1, 2]}
    assert content["objective"]["command"] == ["python", "train.py"]
    assert content["objective"]["params"] == {"note": "x"}
    assert content["search"] == {"method": "grid"}


def test_an_interval_is_for_optunas_sweeper() -> None:
    source = Source(
        Path("runs.sh"), "python train.py -m 'lr=tag(log, interval(1e-5, 1e-3))' a=1,2\n"
    )
    (setup,) = find(source)
    content = convert(source, setup).finished()
    assert content["space"]["lr"] == {"float": [1e-5, 0.001], "log": True}
    assert content["search"] == {"method": "bayesian", "sampler": "tpe"}


def test_variables_in_front_of_the_program_are_no_overrides() -> None:
    source = Source(Path("runs.sh"), "A=1 B=2 python train.py -m lr=0.1,0.2\n")
    (setup,) = find(source)
    content = convert(source, setup).finished()
    assert content["space"] == {"lr": [0.1, 0.2]}
    assert content["objective"]["command"] == ["env", "A=1", "B=2", "python", "train.py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{_target_: a.OptunaSweeper, n_trials: 3}", "no `params`"),
        ("{_target_: a.OptunaSweeper, params: /other}", "in another file"),
    ],
)
def test_a_sweeper_without_a_space_says_so(text: str, message: str) -> None:
    source = Source(Path("sweep.yaml"), f"hydra:\n  sweeper: {text}\n")
    (setup,) = find(source)
    with pytest.raises(ConfigError, match=message):
        convert(source, setup)
