"""Studies on the portable path: one of each kind, and the same results as on Linux's own path."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from tests.cli.conftest import Run, environment

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.testing.projects import make_project

pytestmark = pytest.mark.slow
PORTABLE = {"TUNESMITH_PORTABLE": "1"}
FOREST = """\
study: small
objective:
  estimator: sklearn.ensemble.RandomForestClassifier
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  n_estimators: {int: [5, 20]}
  max_depth: {int: [1, 20]}
search: {method: bayesian, seed: 3}
stop: {trials: 4}
execution: {workers: 2}
"""
SHELL = """\
case "$1" in
  fine) echo '{"score": 1}' > m.json ;;
  slow) sleep 60 & sleep 60 ;;
  odd) echo oops >&2; exit 3 ;;
esac
"""


def outcome(root: Path) -> list[Any]:
    result = tune(load_definition(root / "tuning.yaml"))
    return [
        (trial.params, [(fold.scores, fold.failure and fold.failure.kind) for fold in trial.folds])
        for trial in result.record.history
    ]


def test_an_estimator_gets_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("own", "portable"):
        make_project(tmp_path / name, text=FOREST)
    own = outcome(tmp_path / "own")
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
    assert outcome(tmp_path / "portable") == own
    assert len(own) == 4


def test_a_program_is_run_timed_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = {"name": "score", "direction": "maximize"}
    command = ["sh", "train.sh", "{mode}"]
    study = {
        "study": "s",
        "objective": {"metric": metric, "command": command, "metrics_file": "m.json", "grace": 1},
        "space": {"mode": ["fine", "slow", "odd"]},
        "search": {"method": "grid"},
        "execution": {"workers": 2, "fit_timeout": 3},
    }
    for name in ("own", "portable"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.sh").write_text(SHELL)
        (tmp_path / name / "tuning.yaml").write_text(yaml.safe_dump(study))
    own = outcome(tmp_path / "own")
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
    assert outcome(tmp_path / "portable") == own
    assert [row[1][0][1] for row in own] == [None, "timeout", "exit"]
    left = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "60"]]
    assert not [p for p in left if _is_below(p, tmp_path)]


def _is_below(process: psutil.Process, folder: Path) -> bool:
    try:
        return str(folder) in process.cwd()
    except psutil.Error:
        return False


def test_ctrl_c_ends_the_run_and_its_workers(project: Path) -> None:
    text = FOREST.replace("[5, 20]", "[2000, 3000]").replace("trials: 4", "trials: 400")
    (project / "tuning.yaml").write_text(text)
    started = subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "run", "--json"],
        cwd=project,
        env=environment(**PORTABLE),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not (workers := _workers(started.pid)) and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1.0)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert "Traceback" not in err
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
    assert json.loads(out)["n_told"] >= 0


def _workers(run: int) -> list[psutil.Process]:
    found = psutil.Process(run).children(recursive=True)
    return [process for process in found if "popen_loky" in " ".join(process.cmdline())]


def test_the_doctor_says_what_is_weaker(tunesmith: Run) -> None:
    done = tunesmith("doctor", **PORTABLE)
    assert "import every library anew" in done.stdout
    assert "system" not in tunesmith("doctor", TUNESMITH_PORTABLE="0").stdout


def test_a_ledger_in_the_open_leaves_a_program_up_to_date(tmp_path: Path) -> None:
    # Runs that are not watched depend on all files of the project.
    text = """\
study: small
objective:
  command: [sh, -c, "echo loss={x}"]
  metrics_pattern: "loss=(?P<loss>.*)"
  metric: {name: loss, direction: minimize}
space: {x: [1, 2]}
search: {method: grid}
ledger: "lä ger/l #?.db"
"""
    root = tmp_path / "prö jekt #1?%20"
    make_project(root, text=text)
    for command in ("run", "status"):
        called = [sys.executable, "-m", "tunesmith", command]
        done = subprocess.run(
            called,
            cwd=root,
            env=environment(**PORTABLE),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
    assert "results    up to date" in done.stdout.decode()
