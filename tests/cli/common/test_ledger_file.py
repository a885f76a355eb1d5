"""Commands that read a study from a ledger alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sklearn.datasets import load_iris
from sklearn.svm import SVC

import tunesmith
from tunesmith.cli import cli
from tunesmith.cli.common.ledger_file import is_ledger
from tunesmith.sklearn import GridSearchCV

X, Y = load_iris(return_X_y=True)
C = {"C": [0.1, 1.0]}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Any:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_study_in_memory_is_read_from_its_ledger() -> None:
    options: Any = {"search": "grid", "cv": 3, "workers": 1, "progress": False}
    result = tunesmith.tune(SVC(), X, Y, space=C, ledger="scores.db", **options)
    found = json.loads(run("best", "-c", "scores.db", "--json"))
    assert found["params"] == result.best_params
    assert len(json.loads(run("trials", "-c", "scores.db", "--json"))["trials"]) == 2
    assert "its data and code were in memory" in run("status", "-c", "scores.db")
    run("report", "-c", "scores.db")
    assert Path("outputs/tuning_results.md").read_text() == result.report()


def test_a_search_of_scikit_learns_is_read_from_its_ledger() -> None:
    GridSearchCV(SVC(), C, cv=3, ledger="scores.db").fit(X, Y)
    assert json.loads(run("best", "-c", "scores.db", "--json"))["study"] == "GridSearchCV-SVC"


def test_other_files_are_no_ledgers(tmp_path: Path) -> None:
    file = tmp_path / "tuning.yaml"
    file.write_text("study: s\n")
    assert not is_ledger(file)
    assert not is_ledger(tmp_path / "missing.db")
