from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: digits}
spec:
  objective: {type: maximize, goal: 0.99, objectiveMetricName: accuracy}
  algorithm:
    algorithmName: bayesianoptimization
    algorithmSettings: [{name: random_state, value: "10"}]
  parallelTrialCount: 3
  maxTrialCount: 12
  parameters:
    - {name: lr, parameterType: double, feasibleSpace: {min: "0.01", max: "0.05"}}
    - {name: wd, parameterType: double, feasibleSpace: {min: "1e-5", max: "0.1", distribution: logUniform}}
    - {name: layers, parameterType: int, feasibleSpace: {min: "2", max: "8", step: "2"}}
    - {name: size, parameterType: discrete, feasibleSpace: {list: ["16", "32"]}}
    - {name: optimizer, parameterType: categorical, feasibleSpace: {list: [sgd, adam]}}
  trialTemplate:
    trialParameters:
      - {name: rate, reference: lr}
      - {name: decay, reference: wd}
      - {name: depth, reference: layers}
      - {name: batch, reference: size}
      - {name: opt, reference: optimizer}
    trialSpec:
      spec:
        template:
          spec:
            containers:
              - name: training
                command: [python3, train.py, "--lr=${trialParameters.rate}", "--wd=${trialParameters.decay}"]
                args: ["--n=${trialParameters.depth}", "-b${trialParameters.batch}", "--opt=${trialParameters.opt}"]
"""  # noqa: E501 - as such files are


class TestKatib(ImporterContract):
    tool, file, sample = "katib", "experiment.yaml", SAMPLE
    space = {
        "lr": {"float": [0.01, 0.05]},
        "wd": {"float": [1e-5, 0.1], "log": True},
        "layers": {"int": [2, 8], "step": 2},
        "size": [16, 32],
        "optimizer": ["sgd", "adam"],
    }
    settings = {
        "search": {"method": "bayesian", "sampler": "gp", "seed": 10},
        "stop": {"target": 0.99, "trials": 12},
        "execution": {"workers": 3},
    }
    refused = {
        "has no equal": "bayesianoptimization -> enas",
        "must be a number": 'min: "0.01" -> min: low',
        "stands for no parameter": "reference: lr -> reference: learning",
        "a log scale with steps": "distribution: logUniform -> distribution: logUniform, step: 0.1",
    }


def test_names_of_older_experiments_are_options(tmp_path: Path) -> None:
    text = SAMPLE.replace("name: lr,", "name: --lr,").replace("reference: lr}", "reference: --lr}")
    content = TestKatib().converted(tmp_path, text).content
    assert "lr" in content["space"]
    assert "--lr={lr}" in content["objective"]["command"]
    bare = TestKatib().converted(tmp_path, text.partition("  trialTemplate")[0]).content
    assert bare["objective"]["command"][:3] == ["python", "train.py", "--lr={lr}"]


def test_the_first_katib_is_named(tmp_path: Path) -> None:
    text = "apiVersion: kubeflow.org/v1alpha1\nkind: StudyJob\nspec: {studyName: a}\n"
    with pytest.raises(ConfigError, match="StudyJob"):
        TestKatib().converted(tmp_path, text)
