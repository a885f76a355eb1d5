"""What ``tunesmith init --template mlops`` writes, run by the real DVC in both modes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pipeline.repositories import git

from tunesmith.files import write_files
from tunesmith.pipeline.branches.apply import Applied, apply
from tunesmith.pipeline.branches.experiment import start
from tunesmith.pipeline.branches.states import find
from tunesmith.pipeline.repository import Repository
from tunesmith.scaffold import Guess, plan_files

BEST = "config/best_parameters.yaml"

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str, status: int = 0) -> str:
    """What a command prints, run as a newcomer would."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def save(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


class Project:
    """A repository with the template in it, run and committed."""

    def __init__(self, root: Path, *, is_tight: bool) -> None:
        self.root = root
        write_files(plan_files(self.root, "mlops", Guess(), is_tight=is_tight))
        self.change("tuning.yaml", "trials: 25", "trials: 5")
        self.change("tuning.yaml", "method: bayesian", "method: random")
        self.change("tuning.yaml", "outputs:", "execution: {workers: 1}\n\noutputs:")
        git(self.root, "init", "-q", "-b", "main")
        git(self.root, "config", "user.name", "Ann")
        git(self.root, "config", "user.email", "ann@example.org")
        run(self.root, "dvc", "init", "-q")
        told = self.repro()
        for stage in ("preprocessing", "tuning", "training", "evaluation"):
            assert f"Running stage '{stage}'" in told
        assert json.loads(self.read("outputs/evaluation_metrics.json"))["roc_auc"] > 0.95
        save(self.root, "first")
        assert git(self.root, "status", "--porcelain") == ""

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def change(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text
        (self.root / name).write_text(text.replace(old, new))

    def repro(self, *stages: str) -> str:
        return run(self.root, "dvc", "repro", *stages)

    def experiment(self) -> Applied:
        """Tune on a branch, and bring what was found to the other, from the main branch."""
        repository, names = Repository.of(self.root), ["tuning.yaml"]
        start(repository, "wider")
        git(self.root, "switch", "-q", "tuning/wider")
        self.change("tuning.yaml", "0.01, 1000.0", "0.1, 10.0")
        assert "Running stage 'tuning'" in self.repro("tuning")
        save(self.root, "tuned")
        git(self.root, "switch", "-q", "main")
        done = apply(repository, "wider", names)
        assert git(self.root, "status", "--porcelain") == ""
        git(self.root, "switch", "-q", "training/wider")
        assert self.read(BEST) == git(self.root, "show", f"tuning/wider:{BEST}") + "\n"
        following = "git switch training/wider && dvc repro evaluation, and commit the metrics"
        assert find(repository, names, "wider").next == following
        trained = self.repro("evaluation")
        assert "Running stage 'tuning'" not in trained
        assert "Running stage 'training'" in trained
        save(self.root, "trained")
        run(self.root, "dvc", "status", "-q")
        assert find(repository, names, "wider").state == "trained"
        return done


def test_an_edit_of_ones_own_trains_again_and_tunes_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", is_tight=False)
    assert project.experiment().files == (BEST,)
    project.change(BEST, "classify__C: ", "classify__C: 2")
    told = project.repro("tuning", "training")
    assert "Stage 'tuning' didn't change, skipping" in told
    assert "Running stage 'training'" in told


def test_what_is_held_to_the_study_comes_along_as_a_whole(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", is_tight=True)
    assert {BEST, "dvc.lock", "outputs/trials.csv"} < set(project.experiment().files)
    before = project.read(BEST)
    project.change(BEST, "classify__C: ", "classify__C: 2")
    told = project.repro("training")
    assert "tumours: 5 trials; 0 fits made" in told
    assert project.read(BEST) == before
    assert "Stage 'training' didn't change, skipping" in told
