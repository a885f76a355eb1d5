from pathlib import Path

from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
program: train.py
method: random
metric: {name: val/loss, goal: minimize}
run_cap: 12
parameters:
  lr: {distribution: log_uniform_values, min: !!float 1e-4, max: 0.1}
  decay: {distribution: log_uniform, min: 0, max: 1}
  layers: {min: 1, max: 4}
  drop: {min: 0.0, max: 0.5}
  width: {distribution: q_uniform, min: 16, max: 64, q: 16}
  noise: {distribution: normal, mu: 0, sigma: 2}
  kind: {values: [adam, sgd]}
  epochs: {value: 3}
  model:
    parameters:
      depth: {values: [2, 3]}
command: ["${env}", python3, "${program}", "--fast", "${args}"]
"""


class TestWandb(ImporterContract):
    tool, file, sample = "wandb", "sweep.yaml", SAMPLE
    space = {
        "lr": {"float": [0.0001, 0.1], "log": True},
        "decay": {"float": [1.0, 2.71828182846], "log": True},
        "layers": {"int": [1, 4]},
        "drop": {"float": [0.0, 0.5]},
        "width": {"int": [16, 64], "step": 16},
        "noise": {"scipy": "norm", "kwds": {"loc": 0.0, "scale": 2.0}},
        "kind": ["adam", "sgd"],
        "model.depth": [2, 3],
    }
    settings = {"search": {"method": "random"}, "stop": {"trials": 12}}
    refused = {
        "unequal": "values: [adam, sgd] -> values: [adam, sgd], probabilities: [0.1, 0.9]",
        "a log scale with steps": "q_uniform, min: 16, max: 64, q: 16 -> q_log_uniform_values,"
        " min: 16, max: 64, q: 16",
        "must be a number": "min: 1, max: 4 -> min: one, max: 4",
        "has no equal": "distribution: normal -> distribution: q_beta",
        "listed twice": "[2, 3] -> [2, 2]",
    }


def test_a_command_without_arguments_gets_options(tmp_path: Path) -> None:
    text = SAMPLE.replace(', "${args}"]', "]")
    command = TestWandb().converted(tmp_path, text).content["objective"]["command"]
    assert command[:3] == ["python3", "train.py", "--fast"]
    assert "--lr={lr}" in command


def test_equal_probabilities_are_none(tmp_path: Path) -> None:
    listed = "values: [adam, sgd]"
    text = SAMPLE.replace(listed, f"{listed}, probabilities: [0.5, 0.5]")
    assert text != SAMPLE
    assert TestWandb().converted(tmp_path, text).content["space"] == TestWandb.space
