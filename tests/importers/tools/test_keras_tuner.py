from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
import keras_tuner as kt


def head(hp):
    return hp.Choice("activation", ["relu", "tanh"])


def build(hp):
    layers = []
    for i in range(hp.Int("layers", 1, 2)):
        layers.append(hp.Int(f"units_{i}", min_value=32, max_value=96, step=32))
    if hp.Boolean("dropout"):
        hp.Float("rate", 0.1, 0.5, step=0.2)
    hp.Choice("kind", ["cnn", "mlp"])
    with hp.conditional_scope("kind", ["cnn"]):
        hp.Int("filters", 4, 32, step=2, sampling="log")
    head(hp)
    return hp.Float("lr", 1e-4, 1e-2, sampling="LOG")


tuner = kt.BayesianOptimization(build, objective="val_accuracy", max_trials=15, seed=4)
"""


ELSEWHERE = """\
class A:
    def run_trial(self, trial):
        return trial.hyperparameters.Int("size", 1, 2)


"""


class TestKerasTuner(ImporterContract):
    tool, file, sample = "keras_tuner", "build.py", SAMPLE
    space = {
        "layers": {"int": [1, 2]},
        "units_0": {"int": [32, 96], "step": 32},
        "units_1": {"int": [32, 96], "step": 32, "when": {"layers": 2}},
        "dropout": [False, True],
        "rate": {"float": [0.1, 0.5], "step": 0.2, "when": {"dropout": True}},
        "kind": ["cnn", "mlp"],
        "filters": {"values": [4, 8, 16, 32], "when": {"kind": "cnn"}},
        "activation": ["relu", "tanh"],
        "lr": {"float": [0.0001, 0.01], "log": True},
    }
    settings = {"stop": {"trials": 15}}
    refused = {
        "outside of the builder": f"tuner = -> {ELSEWHERE}tuner =",
        "replaces ranges": "max_trials=15 -> max_trials=15, hyperparameters=hps",
        "has no equal": '1e-2, sampling="LOG" -> 1e-2, sampling="reverse_log"',
        "known only if the script runs": "max_value=96 -> max_value=WIDEST",
    }


def test_hyperband_has_no_number_of_trials_to_take_over(tmp_path: Path) -> None:
    text = SAMPLE.replace("BayesianOptimization", "Hyperband").replace("max_trials=15, ", "")
    draft = TestKerasTuner().converted(tmp_path, text)
    (note,) = draft.notes["stop", "trials"]
    assert "Hyperband takes no number of trials" in note


def test_a_method_that_is_not_known_is_never_dropped(tmp_path: Path) -> None:
    for call in ('hp.Range("layers", 1, 2)', 'hp.Anything("layers")'):
        text = SAMPLE.replace('hp.Int("layers", 1, 2)', call)
        with pytest.raises(ConfigError, match="has no equal"):
            TestKerasTuner().converted(tmp_path, text)


LOOSE = """\
import keras_tuner as kt

hp = kt.HyperParameters()
units = hp.Int("units", 32, 2 * 64, step=32)
hp.Float("lr", 1e-4, 1e-1, sampling="log")
hp.Int("units", 1, 2)
hp.Fixed("size", 7)


def build(hp):
    return hp.get("units")


tuner = kt.RandomSearch(build, hyperparameters=hp, max_trials=4, objective="val_loss")
"""


def test_parameters_outside_of_functions(tmp_path: Path) -> None:
    draft = TestKerasTuner().converted(tmp_path, LOOSE)
    assert draft.content["space"] == {
        "units": {"int": [32, 128], "step": 32},
        "lr": {"float": [0.0001, 0.1], "log": True},
    }
    assert draft.content["objective"]["params"] == {"size": 7}
    assert draft.content["stop"] == {"trials": 4}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("units = hp.Int", "if x:\n    units = hp.Int", "in a branch or a loop"),
        ("units = hp.Int", "units = x and hp.Int", "in a branch or a loop"),
        ("units = hp.Int", "units = [i for i in x if hp.Int", "not valid Python"),
        ("hp.Fixed(", "more(hp)\nhp.Fixed(", "handed over in line 7"),
        ("hp.Fixed(", "other = hp\nhp.Fixed(", "handed over in line 7"),
        ("hp.Fixed(", "hp = kt.HyperParameters()\nhp.Fixed(", "set several times"),
        ("def build(hp):", 'def more():\n    hp.Int("n", 1, 2)\n\ndef build(hp):', "in a function"),
        ("RandomSearch(build,", "RandomSearch(HyperResNet(),", "parameters of its own"),
        ("2 * 64", "widest", "has no value that this file tells"),
    ],
)
def test_parameters_that_may_be_others_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = LOOSE.replace(old, new, 1)
    assert text != LOOSE
    with pytest.raises(ConfigError, match=message):
        TestKerasTuner().converted(tmp_path, text)
