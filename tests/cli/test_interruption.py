"""Signals and kill -9 against the real command line."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tunesmith.errors import StorageError, UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.projects import make_project

pytestmark = pytest.mark.slow

SLOW = """\
study: small
objective:
  estimator: slow.SlowTree
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  max_depth: {int: [1, 12]}
  min_samples_leaf: {int: [1, 9]}
search: {method: bayesian, sampler: tpe, seed: 3, start_with: []}
stop: {trials: 24}
"""
SLOW_TREE = """\
import os, time
from pathlib import Path
from sklearn.tree import DecisionTreeClassifier

class SlowTree(DecisionTreeClassifier):
    def fit(self, X, y):
        time.sleep(0.05)
        fitted = super().fit(X, y)
        with (Path(__file__).parent / "truth.log").open("a") as log:
            log.write(f"{self.max_depth} {self.min_samples_leaf} {len(X)}\\n")
        return fitted
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path / "p", text=SLOW, slow_py=SLOW_TREE)
    return tmp_path / "p"


def start(project: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "run", "--workers", "2", "--json", *options],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def wait_for_folds(project: Path, n: int) -> None:
    end = time.monotonic() + 60
    log = project / "truth.log"
    while time.monotonic() < end:
        if log.is_file() and len(log.read_text().splitlines()) >= n:
            return
        time.sleep(0.02)
    raise AssertionError("the study did not get going")


def survivors(project: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if process.info["cwd"] == str(project) and "tunesmith" in command:
            found.append(process)
    return found


def trials(project: Path) -> list[tuple[str, list[float]]]:
    with Ledger.open(project / ".tunesmith/ledger.db", create=False) as ledger:
        history = ledger.load("small").history
        return [(t.key, t.scores("accuracy").tolist()) for t in history if t.folds]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[float]]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    make_project(folder, text=SLOW, slow_py=SLOW_TREE)
    code, _, err = finish(start(folder))
    assert code == 0, err
    return trials(folder)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_leaves_usable_outputs_and_the_next_run_goes_on(
    project: Path, undisturbed: list[tuple[str, list[float]]], number: int, code: int
) -> None:
    process = start(project)
    wait_for_folds(project, 15)
    process.send_signal(number)
    found, out, err = finish(process)
    assert found == code, err
    assert "Traceback" not in err
    assert 0 < json.loads(out)["n_told"] < 24
    assert (project / "outputs/tuning_results.md").is_file()
    assert (project / "config/best_parameters.yaml").is_file()
    assert survivors(project) == []

    code, _, err = finish(start(project))
    assert code == 0, err
    assert trials(project) == undisturbed


def test_kill_9_costs_the_folds_in_flight_and_no_others(
    project: Path, undisturbed: list[tuple[str, list[float]]]
) -> None:
    for n in (10, 25, 40):
        process = start(project)
        wait_for_folds(project, n)
        process.kill()
        finish(process)
    time.sleep(0.5)
    assert survivors(project) == []

    code, _, err = finish(start(project))
    assert code == 0, err
    assert trials(project) == undisturbed
    # Three kills; at each one fold a worker was in flight.
    n_fits = len((project / "truth.log").read_text().splitlines())
    assert n_fits <= 24 * 3 + 3 * 2
    assert not list((project / ".tunesmith").glob("*.journal"))


CURVES = """\
study: small
objective:
  estimator: sklearn.ensemble.RandomForestClassifier
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  n_estimators: {int: [10, 40]}
  max_depth: {int: [1, 6]}
search: {method: bayesian, seed: 3}
stop: {trials: 16}
"""


def wait_for_trials(project: Path, n: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(StorageError, UsageError):
            if len(trials(project)) >= n:
                return
        time.sleep(0.02)
    raise AssertionError("the study did not get going")


def test_kill_9_changes_no_curve(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("undisturbed", "killed")]
    for folder in folders:
        make_project(folder, text=CURVES)
    code, _, err = finish(start(folders[0]))
    assert code == 0, err
    for n in (1, 6, 11):
        process = start(folders[1])
        wait_for_trials(folders[1], n)
        process.kill()
        finish(process)
    code, _, err = finish(start(folders[1]))
    assert code == 0, err
    assert trials(folders[1]) == trials(folders[0])
    with Ledger.open(folders[1] / ".tunesmith/ledger.db", create=False) as ledger:
        found = ledger.load("small").history
    assert any(trial.proposed for trial in found)
    reports = [(folder / "outputs/tuning_results.md").read_bytes() for folder in folders]
    assert reports[0] == reports[1]


def test_a_second_run_is_refused_while_the_first_is_on(project: Path) -> None:
    first = start(project, "--trials", "108")
    wait_for_folds(project, 3)
    code, _, err = finish(start(project))
    assert code == 75
    assert f"process {first.pid}" in err
    status = subprocess.run(
        [sys.executable, "-m", "tunesmith", "status", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert json.loads(status.stdout)["is_running"] is True
    first.kill()
    finish(first)
    assert finish(start(project, "--trials", "8"))[0] == 0


def test_two_signals_end_it_at_once(project: Path) -> None:
    process = start(project)
    wait_for_folds(project, 5)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    code, _, _ = finish(process)
    assert code == 130
    assert time.monotonic() - began < 5
    assert survivors(project) == []
    assert os.path.isdir(project / ".tunesmith")  # noqa: PTH112
