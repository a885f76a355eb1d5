from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
import optuna

DEPTHS = [2, 4]


def layers(trial, most):
    n = trial.suggest_int("n_layers", 1, most)
    return [trial.suggest_int(f"units_{i}", 8, 64, log=True) for i in range(n)]


def objective(trial):
    params = {"kind": trial.suggest_categorical("kind", ["svm", "tree", None])}
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    drop = trial.suggest_float("drop", 0, 0.5, step=0.25)
    if params["kind"] == "svm":
        trial.suggest_loguniform("c", 1e-3, 1e3)
    elif params["kind"] == "tree":
        params["depth"] = trial.suggest_categorical("depth", DEPTHS)
    else:
        layers(trial, most=2)
    accuracy = train(lr, drop, params)
    if trial.should_prune():
        raise optuna.TrialPruned()
    return accuracy


study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=7))
study.enqueue_trial({"lr": 0.01})
study.optimize(objective, n_trials=30, timeout=600)
"""


class TestOptuna(ImporterContract):
    tool, file, sample = "optuna", "train.py", SAMPLE
    space = {
        "kind": ["svm", "tree", None],
        "lr": {"float": [1e-5, 0.1], "log": True},
        "drop": {"float": [0.0, 0.5], "step": 0.25},
        "c": {"float": [0.001, 1000.0], "log": True, "when": {"kind": "svm"}},
        "depth": {"values": [2, 4], "when": {"kind": "tree"}},
        "n_layers": {"int": [1, 2], "when": {"kind": None}},
        "units_0": {"int": [8, 64], "log": True, "when": {"kind": None}},
        "units_1": {"int": [8, 64], "log": True, "when": {"kind": None, "n_layers": 2}},
    }
    settings = {"stop": {"trials": 30, "time": "600s"}}
    refused = {
        "depends on `n_layers`": "8, 64 -> n, 64",
        "known only if the script runs": "0, 0.5 -> 0, width",
        "was proposed with another range": '"c", 1e-3 -> "lr", 1e-3',
        "may or may not be proposed": 'params["kind"] == "svm" -> data.is_large',
        "which is not in this file": "train(lr -> train(trial",
    }

    def loaded(self, folder: Path, draft: object) -> object:  # type: ignore[override]
        # A starting point that leaves parameters out is completed by Optuna, and by nobody here.
        draft.content["search"].pop("start_with")  # type: ignore[attr-defined]
        return super().loaded(folder, draft)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("test", "conditions"),
    [
        ('kind in ("a", "b")', {"kind": ["a", "b"]}),
        ('kind != "a"', {"kind": ["b", "c"]}),
        ('not kind == "a"', {"kind": ["b", "c"]}),
        ("depth > 1", {"depth": [2, 3]}),
        ("flag", {"flag": True}),
        ("not flag", {"flag": False}),
        ('kind == "a" and flag', {"kind": "a", "flag": True}),
        ("True", None),
    ],
)
def test_a_branch_becomes_when(tmp_path: Path, test: str, conditions: object) -> None:
    text = f"""\
def objective(trial):
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    depth = trial.suggest_int("depth", 1, 3)
    flag = trial.suggest_categorical("flag", [True, False])
    if {test}:
        x = trial.suggest_float("x", 0, 1)
    return x
"""
    draft = TestOptuna().converted(tmp_path, text)
    assert draft.content["space"]["x"].get("when") == conditions


@pytest.mark.parametrize("test", ['kind == "a" or flag', "kind == other", "len(kind) * r > 1"])
def test_a_branch_that_when_cannot_say_is_refused(tmp_path: Path, test: str) -> None:
    text = f"""\
def objective(trial):
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    flag = trial.suggest_categorical("flag", [True, False])
    if {test}:
        x = trial.suggest_float("x", 0, 1)
    return x
"""
    with pytest.raises(ConfigError, match="may or may not be proposed"):
        TestOptuna().converted(tmp_path, text)


def test_a_return_ends_the_rest(tmp_path: Path) -> None:
    text = """\
def objective(trial):
    kind = trial.suggest_categorical("kind", ["a", "b"])
    if kind == "a":
        return 1.0
    return trial.suggest_float("x", 0, 1)
"""
    draft = TestOptuna().converted(tmp_path, text)
    assert draft.content["space"]["x"]["when"] == {"kind": "b"}


def test_a_choice_that_an_inner_function_sets_anew_is_refused(tmp_path: Path) -> None:
    text = """\
def objective(trial):
    opt = trial.suggest_categorical("opt", ["a", "b"])
    def inner():
        nonlocal opt
        opt = "b"
    inner()
    if opt == "a":
        trial.suggest_float("m", 0, 1)
    return 1.0
"""
    with pytest.raises(ConfigError, match="`m` may or may not be proposed here"):
        TestOptuna().converted(tmp_path, text)
    counted = text.replace("opt\n        opt =", "n\n        n =").replace(
        "def inner", "n = 0\n    def inner"
    )
    draft = TestOptuna().converted(tmp_path, counted)
    assert draft.content["space"]["m"]["when"] == {"opt": "a"}


def test_a_bound_that_another_function_sets_anew_is_refused(tmp_path: Path) -> None:
    text = """\
MOST = 3
def widen():
    global MOST
    MOST = 5
def objective(trial):
    widen()
    return trial.suggest_int("k", 1, MOST)
"""
    with pytest.raises(ConfigError, match="`MOST`"):
        TestOptuna().converted(tmp_path, text)


CALLBACK = """\
from other import Base, train

class Report(Base):
    def __init__(self, trial):
        self.held = trial

    def on_end(self, trainer):
        self.held.report(trainer.loss, step=1)
        if self.held.should_prune():
            raise ValueError

def objective(trial):
    lr = trial.suggest_float("lr", 0, 1)
    return train(lr, callbacks=[Report(trial)])
"""


def test_a_callback_that_only_reports_may_go_anywhere(tmp_path: Path) -> None:
    space = TestOptuna().converted(tmp_path, CALLBACK).content["space"]
    assert space == {"lr": {"float": [0.0, 1.0]}}


@pytest.mark.parametrize(
    "change",
    [
        "self.held.report -> self.held.suggest_float",
        "self.held = trial -> self.held = trial; super().__init__(trial)",
        "self.held.report(trainer.loss, step=1) -> trainer.use(self.held)",
        "self.held = trial -> self.held = [trial]",
    ],
)
def test_a_callback_that_may_propose_is_refused(tmp_path: Path, change: str) -> None:
    old, _, new = change.partition(" -> ")
    with pytest.raises(ConfigError, match="which is not in this file"):
        TestOptuna().converted(tmp_path, CALLBACK.replace(old, new))


def test_an_objective_of_another_file_is_named(tmp_path: Path) -> None:
    text = "import optuna\nfrom a.b import loss\noptuna.create_study().optimize(loss, 5)\n"
    with pytest.raises(ConfigError, match=r"imported, as `a\.b\.loss`"):
        TestOptuna().converted(tmp_path, text)


def test_an_objective_behind_a_lambda_is_named(tmp_path: Path) -> None:
    text = "import optuna\nfrom src import a\nstudy.optimize(lambda trial: a.loss(trial, 1), 5)\n"
    with pytest.raises(ConfigError, match=r"imported, as `src\.a\.loss`"):
        TestOptuna().converted(tmp_path, text)
