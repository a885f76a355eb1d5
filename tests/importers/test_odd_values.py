"""Files of other tools with values that nobody expects: refused in words, never a defect."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.errors import TunesmithError
from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import read_source

ODD: list[Any] = [0, -1, "0", None, [], {}, "x", [[1]], float("nan"), float("inf"), 10**30]
WANDB = """
program: train.py
method: bayes
metric: {name: loss, goal: minimize}
early_terminate: {type: hyperband, min_iter: 3}
run_cap: 3
parameters:
  a: {distribution: log_uniform, min: -4, max: -1}
  b: {distribution: q_uniform, min: 1, max: 9, q: 2}
  c: {distribution: normal, mu: 0, sigma: 1}
  d: {distribution: log_normal, mu: 0, sigma: 1}
  e: {distribution: int_uniform, min: 1, max: 9}
  f: {values: [1, 2], probabilities: [0.5, 0.5]}
"""
HYDRA = """
hydra:
  sweeper:
    direction: maximize
    n_trials: 10
    sampler: {_target_: optuna.samplers.TPESampler, seed: 1}
    search_space:
      x: {type: float, low: -5.5, high: 5.5, step: 0.5}
      y: {type: categorical, choices: [1, 2]}
"""
DETERMINED = """
name: m
entrypoint: python3 train.py
hyperparameters:
  lr: {type: log, minval: -4, maxval: -1, base: 10}
  n: {type: int, minval: 1, maxval: 5}
  d: {type: double, minval: 0, maxval: 1}
  c: {type: categorical, vals: [1, 2]}
searcher: {name: adaptive_asha, metric: loss, smaller_is_better: true, max_trials: 10}
"""
KATIB = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: r}
spec:
  objective: {type: maximize, objectiveMetricName: acc}
  algorithm:
    algorithmName: hyperband
    algorithmSettings:
      - {name: resource_name, value: n}
      - {name: eta, value: "4"}
      - {name: r_l, value: "9"}
  parameters:
    - {name: lr, parameterType: double,
       feasibleSpace: {min: "0.01", max: "0.03", distribution: logNormal}}
    - {name: n, parameterType: int, feasibleSpace: {min: "2", max: "9", step: "1"}}
    - {name: o, parameterType: categorical, feasibleSpace: {list: [sgd, adam]}}
  trialTemplate:
    trialParameters: [{name: rate, reference: lr}]
    trialSpec:
      spec:
        containers: [{command: [python3, m.py, "--lr=${trialParameters.rate}"], args: [x]}]
"""


def places(part: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys: Any = ()
    if isinstance(part, dict):
        keys = part
    elif isinstance(part, list):
        keys = range(len(part))
    for key in keys:
        yield (*before, key)
        yield from places(part[key], (*before, key))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "text", [WANDB, HYDRA, DETERMINED, KATIB], ids=["wandb", "hydra", "determined", "katib"]
)
def test_no_value_is_a_defect(text: str, tmp_path: Path) -> None:
    whole, file = yaml.safe_load(text), tmp_path / "file.yaml"
    for number, place in enumerate(places(whole)):
        # Each place gets some of them, and all of them come often.
        for odd in ODD[number % 2 :: 2]:
            content = copy.deepcopy(whole)
            part = content
            for key in place[:-1]:
                part = part[key]
            part[place[-1]] = odd
            file.write_text(yaml.safe_dump(content))
            try:
                source = read_source(file)
                for candidate in find(source):
                    convert(source, candidate)
            except TunesmithError:
                pass


@pytest.mark.parametrize("sigma", ["1e30", "700", "1e300"])
def test_a_wide_log_normal_is_refused_without_a_warning(tmp_path: Path, sigma: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(
        WANDB.replace("log_normal, mu: 0, sigma: 1", f"log_normal, mu: 0, sigma: {sigma}")
    )
    source = read_source(path)
    (found,) = find(source)
    # Warnings are errors in the tests.
    with pytest.raises(TunesmithError, match="gives no numbers with these arguments"):
        convert(source, found)
