"""Experiments as a person sees them, on a study that was really run."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.cli.conftest import Run
from tests.pipeline.repositories import git

from tunesmith.parameters.texts import parameters_text, read_parameters
from tunesmith.pipeline.branches.experiment import start
from tunesmith.pipeline.repository import Repository
from tunesmith.runs.tune import tune
from tunesmith.system.fingerprint import digest
from tunesmith.testing.projects import make_project
from tunesmith.types import Params

Done = subprocess.CompletedProcess[str]
OUTPUTS = """\
execution: {workers: 1}
outputs: {tuned: outputs/tuned_parameters.yaml, history: outputs/history.jsonl}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with an experiment that was tuned; the main branch is checked out."""
    root = tmp_path_factory.mktemp("made") / "root"
    config = make_project(root)
    config.write_text(config.read_text() + OUTPUTS)
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Ann")
    git(root, "config", "user.email", "ann@example.org")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    start(Repository.of(root), "one")
    git(root, "switch", "-q", "tuning/one")
    tune(config)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "tuned")
    git(root, "switch", "-q", "main")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "root")


@pytest.fixture
def experiment(tunesmith: Run, root: Path) -> Run:
    """``tunesmith experiment`` in that repository."""

    def run(*arguments: str, cwd: Path = root, **changes: str) -> Done:
        return tunesmith("experiment", *arguments, cwd=cwd, **changes)

    return run


def trial_of(root: Path) -> str:
    message = git(root, "log", "-1", "--format=%s", "training/one")
    return message.partition("trial ")[2].partition(" of")[0]


def test_from_tuning_to_training(experiment: Run, root: Path, snapshot: SnapshotAssertion) -> None:
    said = [experiment(*words).stdout for words in (["list"], ["status", "one"])]
    done = experiment("apply", "one")
    assert done.returncode == 0
    commit = git(root, "rev-parse", "training/one")
    said.append(done.stdout.replace(commit[:12], "COMMIT"))
    said.append(experiment("apply", "one").stdout)
    said.append(experiment("status", "one").stdout)
    assert "\n".join(said) == snapshot
    found = json.loads(experiment("list", "--json").stdout)
    assert found["kind"] == "experiments"
    (one,) = found["experiments"]
    assert (one["state"], one["training"]) == ("applied", commit)


@pytest.mark.parametrize("has_ledger", [True, False])
def test_another_trial(experiment: Run, root: Path, has_ledger: bool) -> None:
    """From this machine's ledger, or in a clone without one from what was committed."""
    if not has_ledger:
        shutil.rmtree(root / ".tunesmith")
    done = experiment("apply", "one", "--trial", "1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    where = "the ledger" if has_ledger else "outputs/history.jsonl"
    assert (found["where"], trial_of(root)) == (where, "1")
    text = git(root, "show", "training/one:config/best_parameters.yaml")
    assert "adopted: true" in text
    assert experiment("list").stdout.startswith("one  applied")
    assert experiment("apply", "one", "--selection", "one_se").returncode == 0
    assert experiment("apply", "one", "--selection", "best").returncode == 0
    missing = experiment("apply", "one", "--trial", "99")
    assert missing.returncode == 2
    assert "trial 99 of study `small` does not exist" in missing.stderr


def test_trials_that_are_nowhere(experiment: Run, root: Path) -> None:
    shutil.rmtree(root / ".tunesmith")
    git(root, "switch", "-q", "tuning/one")
    config = root / "tuning.yaml"
    config.write_text(config.read_text().replace(", history: outputs/history.jsonl", ""))
    git(root, "commit", "-q", "-am", "no trials")
    git(root, "switch", "-q", "main")
    done = experiment("apply", "one", "--trial", "1")
    assert done.returncode == 2
    assert "the trials of `tuning/one` are not to be had here" in done.stderr
    assert "there is no ledger here" in done.stderr


def test_a_winner_that_the_trials_know_otherwise(experiment: Run, root: Path) -> None:
    """Parameters, digest and all were changed by hand, and the trials were not."""
    git(root, "switch", "-q", "tuning/one")
    path = root / "outputs/tuned_parameters.yaml"
    _, meta = read_parameters(path)
    params: Params = {"criterion": "gini", "max_depth": 1}
    path.write_text(parameters_text(params, {**(meta or {}), "digest": digest(params)}, ".yaml"))
    git(root, "commit", "-q", "-am", "tampered")
    git(root, "switch", "-q", "main")
    done = experiment("apply", "one")
    assert done.returncode == 2
    assert "says other parameters of trial" in done.stderr
    assert "than outputs/history.jsonl there" in done.stderr


def test_a_configuration_that_came_after_the_search(experiment: Run, root: Path) -> None:
    """Committed together, so that Git sees no order; the history knows what it began with."""
    git(root, "switch", "-q", "tuning/one")
    config = root / "tuning.yaml"
    config.write_text(config.read_text().replace("[1, 6]", "[1, 60]"))
    git(root, "commit", "-q", "-a", "--amend", "-m", "tuned, or so it seems")
    git(root, "switch", "-q", "main")
    done = experiment("apply", "one")
    assert done.returncode == 2
    told = "outputs/history.jsonl on `tuning/one` is of another configuration than tuning.yaml"
    assert f"{told} (space)" in done.stderr


WRONG = {
    ("apply", "one", "--trial", "1", "--take", "winner"): "choose one of them",
    ("apply", "onee"): "Did you mean `one`?",
    ("status", "$(x)"): "there is no experiment `$(x)`",
    ("list", "-c", "../elsewhere/tuning.yaml"): "is not in the repository",
    ("start", "--", "-x"): "cannot name an experiment",
    ("apply", "one", "--push", "nowhere"): "there is no remote `nowhere`",
}


def test_wrong_usage(experiment: Run) -> None:
    for words, told in WRONG.items():
        done = experiment(*words)
        assert done.returncode == 2
        assert told in done.stderr


def test_from_a_folder_below(experiment: Run, root: Path) -> None:
    below = root / "below"
    below.mkdir()
    listed = experiment("list", "-c", "../tuning.yaml", cwd=below)
    assert listed.stdout.startswith("one  tuned")


def test_what_comes_next_names_the_configuration(experiment: Run, root: Path) -> None:
    git(root, "mv", "tuning.yaml", "study.yaml")
    git(root, "commit", "-q", "-m", "another name")
    assert "(`-c FILE` names it)" in experiment("start", "two").stderr
    done = experiment("start", "three", "-c", "study.yaml")
    assert "git switch tuning/three && tunesmith run -c study.yaml, and commit" in done.stderr
