"""Signals and kill -9 against the real command line."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.preloaded import programs

from tunesmith.errors import StorageError, UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.projects import make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LONG_S = 240
"""Nothing takes so long, however busy the machine."""

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

HERE = Path(__file__).parent
LOG, HOLD = HERE / "truth.log", HERE / "hold"

def is_held():
    # Once so many fits are done, all others wait until somebody has seen to it.
    return HOLD.exists() and len(LOG.read_text().splitlines()) >= int(HOLD.read_text())

class SlowTree(DecisionTreeClassifier):
    def fit(self, X, y):
        if len(X) < 100:  # the look at the data before the study
            return super().fit(X, y)
        time.sleep(0.01)
        while LOG.exists() and is_held():
            time.sleep(0.01)
        fitted = super().fit(X, y)
        with LOG.open("a") as log:
            log.write(f"{self.max_depth} {self.min_samples_leaf} {len(X)}\\n")
        return fitted
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path / "p", text=SLOW, slow_py=SLOW_TREE)
    return tmp_path / "p"


def start(project: Path, *options: str, preloaded: bool = True) -> "subprocess.Popen[str]":
    """A run by two workers; one that is preloaded gets all signals, and dies with its caller."""
    return subprocess.Popen(
        ["tunesmith", "run", "--workers", "2", "--json", *options],
        cwd=project,
        env={**os.environ, "PATH": programs.path(preloaded=preloaded)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_held(project: Path, n: int, *, preloaded: bool = True) -> "subprocess.Popen[str]":
    """A run whose workers are in the middle of fits, with this many done."""
    (project / "hold").write_text(str(n))
    process = start(project, preloaded=preloaded)
    log = project / "truth.log"
    wait(process, lambda: log.is_file() and len(log.read_text().splitlines()) >= n)
    return process


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LONG_S)
    return process.returncode, out, err


def run(project: Path, *options: str) -> None:
    """A run to the end, by one worker: that changes nothing but the time."""
    (project / "hold").unlink(missing_ok=True)
    done = subprocess.run(
        ["tunesmith", "run", "--workers", "1", "-q", *options],
        cwd=project,
        env={**os.environ, "PATH": programs.path()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def wait(process: "subprocess.Popen[str]", is_there: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not is_there():
        assert process.poll() is None, finish(process)
        assert time.monotonic() < end, "the study did not get going"
        time.sleep(0.02)


def survivors(project: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if process.info["cwd"] == str(project) and "tunesmith" in command:
            found.append(process)
    return found


def left_alone(project: Path) -> None:
    """Wait until nothing that was killed is left; whatever outlives it fails the test."""
    end = time.monotonic() + 30
    while survivors(project) and time.monotonic() < end:
        time.sleep(0.02)
    assert survivors(project) == []


def trials(project: Path) -> list[tuple[str, list[float]]]:
    with Ledger.open(project / ".tunesmith/ledger.db", create=False) as ledger:
        history = ledger.load("small").history
        return [(t.key, t.scores("accuracy").tolist()) for t in history if t.folds]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[float]]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    make_project(folder, text=SLOW, slow_py=SLOW_TREE)
    run(folder)
    return trials(folder)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_leaves_usable_outputs_and_the_next_run_goes_on(
    project: Path, undisturbed: list[tuple[str, list[float]]], number: int, code: int
) -> None:
    process = start_held(project, 15, preloaded=number != signal.SIGINT)
    process.send_signal(number)
    found, out, err = finish(process)
    assert found == code, err
    assert "Traceback" not in err
    assert 0 < json.loads(out)["n_told"] < 24
    assert (project / "outputs/tuning_results.md").is_file()
    assert (project / "config/best_parameters.yaml").is_file()
    assert survivors(project) == []

    run(project)
    assert trials(project) == undisturbed


def test_kill_9_costs_the_folds_in_flight_and_no_others(
    project: Path, undisturbed: list[tuple[str, list[float]]]
) -> None:
    for n in (10, 25, 40):
        process = start_held(project, n, preloaded=n > 10)
        process.kill()
        finish(process)
        left_alone(project)

    run(project)
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
  max_depth: {int: [1, 20]}
search: {method: bayesian, seed: 3}
stop: {trials: 16}
"""


def has_trials(project: Path, n: int) -> bool:
    with suppress(StorageError, UsageError):
        return len(trials(project)) >= n
    return False


def test_kill_9_changes_no_curve(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("undisturbed", "killed")]
    for folder in folders:
        make_project(folder, text=CURVES)
    run(folders[0])
    for n in (1, 6, 11):
        process = start(folders[1])
        wait(process, lambda n=n: has_trials(folders[1], n))  # type: ignore[misc]
        process.kill()
        finish(process)
        left_alone(folders[1])
    run(folders[1])
    assert trials(folders[1]) == trials(folders[0])
    with Ledger.open(folders[1] / ".tunesmith/ledger.db", create=False) as ledger:
        found = ledger.load("small").history
    assert any(trial.proposed for trial in found)
    reports = [(folder / "outputs/tuning_results.md").read_bytes() for folder in folders]
    assert reports[0] == reports[1]


def test_a_second_run_is_refused_while_the_first_is_on(project: Path) -> None:
    first = start_held(project, 3, preloaded=False)
    code, _, err = finish(start(project))
    assert code == 75
    assert f"process {first.pid}" in err
    status = subprocess.run(
        ["tunesmith", "status", "--json"],
        cwd=project,
        env={**os.environ, "PATH": programs.path()},
        capture_output=True,
        text=True,
    )
    assert json.loads(status.stdout)["is_running"] is True
    first.kill()
    finish(first)
    left_alone(project)
    run(project, "--trials", "8")


def test_two_signals_end_it_at_once(project: Path) -> None:
    process = start_held(project, 5, preloaded=False)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    code, _, _ = finish(process)  # though fits are under way that would never end
    assert code == 130
    assert survivors(project) == []
    assert os.path.isdir(project / ".tunesmith")  # noqa: PTH112
