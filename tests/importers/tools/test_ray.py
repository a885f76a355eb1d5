from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.importers.convert import find
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
from ray import tune
from ray.tune.search.optuna import OptunaSearch

space = {
    "lr": tune.loguniform(1e-4, 1e-1),
    "drop": tune.uniform(0, 0.5),
    "layers": tune.randint(1, 5),
    "width": tune.qrandint(10, 40, 10),
    "step": tune.quniform(0.5, 2.0, 0.5),
    "kind": tune.choice(["adam", "sgd"]),
    "noise": tune.randn(0.0, 2.0),
    "model": {"depth": tune.choice([2, 3])},
    "epochs": 10,
    "folder": folder,
}
tuner = tune.Tuner(
    train,
    param_space=space,
    tune_config=tune.TuneConfig(
        metric="loss", mode="min", num_samples=20, search_alg=OptunaSearch()
    ),
)
"""


class TestRay(ImporterContract):
    tool, file, sample = "ray", "tune.py", SAMPLE
    space = {
        "lr": {"float": [0.0001, 0.1], "log": True},
        "drop": {"float": [0.0, 0.5]},
        "layers": {"int": [1, 4]},
        "width": {"int": [10, 40], "step": 10},
        "step": {"float": [0.5, 2.0], "step": 0.5},
        "kind": ["adam", "sgd"],
        "noise": {"scipy": "norm", "kwds": {"loc": 0.0, "scale": 2.0}},
        "model.depth": [2, 3],
    }
    settings = {
        "search": {"method": "bayesian", "sampler": "tpe"},
        "stop": {"trials": 20},
    }
    refused = {
        "is a function of the script": "tune.uniform(0, 0.5) -> tune.sample_from(lambda spec: 1)",
        "has no value that this file tells": "tune.randint(1, 5) -> tune.randint(1, n)",
        "a log scale with steps": "tune.quniform(0.5, 2.0, 0.5) -> tune.qloguniform(0.5, 2.0, 0.5)",
        "cannot be written as JSON": '["adam", "sgd"] -> [int, float]',
    }


def test_whole_steps_are_those_that_ray_draws(tmp_path: Path) -> None:
    text = SAMPLE.replace("tune.qrandint(10, 40, 10)", "tune.qrandint(2, 13, 4)")
    draft = TestRay().converted(tmp_path, text)
    # Ray draws whole numbers from 4 to 11, and rounds them to steps, half to even.
    drawn = {round(value / 4) * 4 for value in range(4, 12)}
    assert draft.content["space"]["width"] == {"int": [min(drawn), max(drawn)], "step": 4}
    assert "rare or never drawn" in draft.notes["space", "width"][0]


def test_a_space_that_a_function_returns(tmp_path: Path) -> None:
    text = """\
from ray import tune
def space(trial):
    return {"lr": tune.loguniform(1e-5, 1e-4), "epochs": tune.choice(range(5, 7))}
"""
    found = find(TestRay().source(tmp_path, text))
    assert [candidate.name for candidate in found] == ["space"]
    space = TestRay().converted(tmp_path, text).content["space"]
    assert space == {"lr": {"float": [1e-5, 1e-4], "log": True}, "epochs": [5, 6]}


def test_a_run_without_a_space_says_so(tmp_path: Path) -> None:
    text = "from ray import tune\ntune.run(train, num_samples=3, search_alg=other)\n"
    with pytest.raises(ConfigError, match="holds no space"):
        TestRay().converted(tmp_path, text)
