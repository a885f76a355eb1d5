"""Studies that are interrupted or killed under ``dvc repro``: nothing is lost, nothing locked."""

import signal
import sqlite3
import time
from pathlib import Path

import psutil
import pytest
from tests.pipeline.dvc.project import Project

pytestmark = pytest.mark.slow
SLOW_TREE = """\
import time

from sklearn.tree import DecisionTreeClassifier


class SlowTree(DecisionTreeClassifier):
    def fit(self, X, y, **options):
        if self.max_depth > 2:
            time.sleep(0.3)
        return super().fit(X, y, **options)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A finished study of two quick points, about to try four slow ones more."""
    project = Project.make(tmp_path / "project", "--tight")
    project.write("models.py", SLOW_TREE)
    project.edit("tuning.yaml", "sklearn.tree.DecisionTreeClassifier", "models.SlowTree")
    project.edit("tuning.yaml", "[1, 2, 3, 4]", "[1, 2]")
    project.tunesmith("dvc", "init", "--yes")
    project.dvc("repro", "-q")
    project.commit("finished")
    project.edit("tuning.yaml", "[1, 2]", "[1, 2, 3, 4, 5, 6]")
    return project


def n_scored(project: Project) -> int:
    """Folds in the ledger."""
    with sqlite3.connect(project.root / ".tunesmith/ledger.db") as ledger:
        return int(ledger.execute("select count(*) from evaluation").fetchone()[0])


def ended_at(project: Project, n: int, number: signal.Signals) -> int:
    """Run the pipeline, and send the study a signal once so many folds are scored."""
    pipeline = project.start("dvc", "repro", "-q")
    until = time.monotonic() + 60
    while n_scored(project) < n:
        assert pipeline.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    study = next(
        child
        for child in psutil.Process(pipeline.pid).children(recursive=True)
        if "tunesmith" in " ".join(child.cmdline()) and "run" in child.cmdline()
    )
    study.send_signal(number)
    return pipeline.wait(60)


def outs(project: Project) -> set[str]:
    return {p.name for p in (project.root / "outputs").iterdir()} | {"best_parameters.yaml"}


def test_interrupted_then_killed_then_finished(project: Project) -> None:
    assert "deps:\n      - data.csv\n      - models.py\n" in project.text("dvc.yaml")
    before, lock = outs(project), project.text("dvc.lock")
    assert ended_at(project, 6, signal.SIGINT) == 255
    assert project.text("dvc.lock") == lock
    assert "tuning" in project.changed()
    assert ended_at(project, n_scored(project) + 2, signal.SIGKILL) == 255
    assert project.text("dvc.lock") == lock
    # DVC takes outs away before a run unless they persist.
    assert outs(project) == before
    assert (project.root / "config/best_parameters.yaml").is_file()
    n_known = n_scored(project)
    project.dvc("repro")
    assert n_scored(project) == 12
    assert project.evaluated[-1] == 12 - n_known
    assert project.changed() == {}
