"""Values reach real programs and results come back exactly; what fails says why."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.objective.program.passing import arrival

Run = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.slow


def project(
    root: Path, files: Mapping[str, str], objective: Mapping[str, Any], **more: Any
) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    metric = {"name": "loss", "direction": "minimize"}
    whole = {
        "study": "s",
        "objective": {"metric": metric, "metrics_pattern": r"loss: (\S+)", **objective},
        "search": {"method": "grid"},
        "execution": {"workers": 2},
        **more,
    }
    (root / "tuning.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    return root


TRAIN = '''\
"""A training script with constants: ünicode."""
from dataclasses import dataclass

DEPTH = 3  # found by hand


@dataclass
class Config:
    lr: float = 0.1  # so is this


config = Config()
print(f"loss: {abs(config.lr - 0.3) + DEPTH}")
'''


def test_constants_of_a_script_are_tuned_and_set_for_training(
    tmp_path: Path, tunesmith: Run
) -> None:
    command = [sys.executable, "train.py"]
    space: dict[str, list[float]] = {"lr": [0.1, 0.2, 0.3], "depth": [1, 2]}
    root = project(tmp_path, {"train.py": TRAIN}, {"command": command}, space=space)
    refused = tunesmith("check", cwd=root)
    assert refused.returncode == 2
    assert "tuning.yaml:15:3: space.lr: `lr` does not reach the program" in refused.stderr
    assert (
        "train.py:9 sets `Config.lr`, a constant: write `params_file: {path: train"
        in refused.stderr
    )
    assert refused.stderr.count("names: {lr: Config.lr, depth: DEPTH}}") == 2
    assert tunesmith("run", "-q", cwd=root).stderr == refused.stderr
    file = {"path": "train.py", "names": {"lr": "Config.lr", "depth": "DEPTH"}}
    project(tmp_path, {}, {"command": command, "params_file": file}, space=space)
    assert tunesmith("run", "-q", cwd=root).returncode == 0
    rows = json.loads(tunesmith("trials", "--json", cwd=root).stdout)["trials"]
    assert {
        (r["params"]["lr"], r["params"]["depth"]): round(r["mean_test_score"], 9) for r in rows
    } == {(lr, depth): round(abs(lr - 0.3) + depth, 9) for lr in space["lr"] for depth in (1, 2)}
    assert (root / "train.py").read_text() == TRAIN
    done = tunesmith("adopt", cwd=root)
    assert done.returncode == 0
    assert "train.py, which the program reads, has them, too\n  depth: 3 -> 1" in done.stdout
    adopted = TRAIN.replace("DEPTH = 3", "DEPTH = 1").replace("lr: float = 0.1", "lr: float = 0.3")
    assert (root / "train.py").read_text() == adopted
    trained = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert trained.stdout == "loss: 1.0\n"
    again = tunesmith("run", "-q", cwd=root).stdout
    assert "0 fits made" in again, "taking the winner over is no change"


def test_values_that_change_nothing_are_called_out(tmp_path: Path, tunesmith: Run) -> None:
    # It is handed the value, and does not look at it.
    objective = {"command": ["sh", "train.sh", "--lr={lr}"]}
    files = {"train.sh": "echo loss: 0.5\n"}
    root = project(tmp_path, files, objective, space={"lr": [0.1, 0.2, 0.3]})
    words = "3 complete trials scored the same to the last digit: none of these parameters changed"
    assert f"warning: All {words}" in tunesmith("run", "-q", cwd=root).stdout
    assert f"warning    all {words}" in tunesmith("status", cwd=root).stdout
    assert json.loads(tunesmith("status", "--json", cwd=root).stdout)["unchanged"]["n_same"] == 3
    assert f"**All {words}" in (root / "outputs/tuning_results.md").read_text()


def test_a_program_that_reads_another_file_fails(tmp_path: Path, tunesmith: Run) -> None:
    # Its name is right, but it is the project's own file, not that of the run.
    files = {
        "params.env": "LR=0.5\n",
        "train.sh": '. "${WHERE:-.}/params.env"; echo "loss: $LR"\n',
    }
    objective: dict[str, Any] = {
        "command": ["sh", "train.sh"],
        "params_file": {"path": "params.env", "names": {"lr": "LR"}},
    }
    root = project(tmp_path, files, objective, space={"lr": [0.1, 0.2]})
    if not arrival._tells(root):
        pytest.skip("this file system does not tell")
    assert tunesmith("run", "-q", cwd=root).returncode == 0
    rows = json.loads(tunesmith("trials", "--json", cwd=root).stdout)["trials"]
    assert [row["mean_test_score"] for row in rows] == [0.1, 0.2]
    objective["environment"] = {"set": {"WHERE": str(root)}}
    project(tmp_path, files, objective, space={"lr": [0.1, 0.2]})
    done = tunesmith("run", "-q", cwd=root)
    assert done.returncode == 1
    words = "failed: 2 x unread: the program has ended without reading params.env, so that the"
    assert words in done.stdout


def test_an_installed_program_that_reads_no_values_fails(tmp_path: Path, tunesmith: Run) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    tool = bin_folder / "trainer"
    tool.write_text("#!/bin/sh\necho loss: 1\n")
    tool.chmod(0o755)
    root = project(
        tmp_path / "p", {"a.txt": ""}, {"command": [str(tool)]}, space={"lr": [0.1, 0.2]}
    )
    if not arrival._tells(root):
        pytest.skip("this file system does not tell")
    check = tunesmith("check", cwd=root).stdout
    assert "whether lr reach the program cannot be seen from here" in check
    done = tunesmith("run", "-q", cwd=root)
    words = "without reading the file that TUNESMITH_PARAMS names, so that the values of lr never"
    assert words in done.stdout
    assert done.returncode == 1
    tool.write_text("#!/bin/sh\ncat $TUNESMITH_PARAMS > /dev/null; echo loss: 1\n")
    assert tunesmith("run", "-q", "--restart", cwd=root).returncode == 0


SPEAKS = """\
case "$1" in
  m=err) echo "loss: 0.7" >&2 ;;
  m=both) echo "loss: 0.9" >&2; echo "fold1 loss: 0.8 mean loss: 0.1" ;;
  m=flood) echo "loss: 0.6"; head -c 3000000 /dev/zero | tr '\\0' x; echo ;;
  m=text) echo "loss: 1_0.1" ;;
  m=fails) echo "reading the data"; echo "<b>no such table, key $API_TOKEN</b>" >&2; exit 3 ;;
esac
"""


def test_what_is_printed_is_read_exactly_and_failures_say_why(
    tmp_path: Path, tunesmith: Run
) -> None:
    environment = {"set": {"API_TOKEN": "very-secret-value"}}
    objective = {"command": ["sh", "train.sh", "m={mode}"], "environment": environment}
    modes = ["err", "both", "flood", "text", "fails"]
    outputs = {"html": "report.html"}
    files = {"train.sh": SPEAKS}
    root = project(tmp_path, files, objective, space={"mode": modes}, outputs=outputs)
    closing = tunesmith("run", "-q", cwd=root).stdout
    rows = json.loads(tunesmith("trials", "--json", cwd=root).stdout)["trials"]
    by_mode = {row["params"]["mode"]: row for row in rows}
    assert {m: by_mode[m]["mean_test_score"] for m in modes} == {
        "err": 0.7,
        "both": 0.1,
        "flood": 0.6,
        "text": None,
        "fails": None,
    }
    assert "warned: 1 x stderr: the result was read from standard error" in closing
    assert "'1_0.1', no number" in by_mode["text"]["failure"]
    said = "[stdout]\nreading the data\n[stderr]\n<b>no such table, key [redacted]</b>"
    assert by_mode["fails"]["failures"] == [
        {"fold": 0, "kind": "exit", "message": "exited with status 3", "text": said}
    ]
    assert "  | <b>no such table, key [redacted]</b>\n" in closing
    report = (root / "outputs/tuning_results.md").read_text()
    assert f"```text\n{said}\n```" in report
    page = (root / "report.html").read_text()
    assert "no such table" in page
    assert "<b>no such" not in page
    logs = tunesmith("logs", "4", cwd=root)
    assert "no such table, key [redacted]" in logs.stdout
    assert "very-secret" not in report + page + logs.stdout + closing


FAILS = """\
from sklearn.base import BaseEstimator, ClassifierMixin


class Model(ClassifierMixin, BaseEstimator):
    def __init__(self, depth=1):
        self.depth = depth

    def fit(self, X, y):
        if self.depth > 1:
            raise ValueError("too deep for token ghp_0123456789012345678901234")
        self.classes_ = sorted(set(y))
        return self

    def predict(self, X):
        return [self.classes_[0]] * len(X)
"""


def test_estimators_that_fail_show_their_traceback(tmp_path: Path, tunesmith: Run) -> None:
    data = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(12))
    whole = {
        "study": "s",
        "objective": {
            "estimator": "failing_model.Model",
            "data": {"path": "d.csv", "target": "y"},
            "cv": 2,
            "metric": "accuracy",
        },
        "space": {"depth": [1, 2]},
        "search": {"method": "grid"},
        "execution": {"workers": 1},
    }
    (tmp_path / "tuning.yaml").write_text(yaml.safe_dump(whole))
    (tmp_path / "d.csv").write_text(data)
    (tmp_path / "failing_model.py").write_text(FAILS)
    assert tunesmith("run", "-q", cwd=tmp_path).returncode == 0
    logs = tunesmith("logs", "1", cwd=tmp_path)
    assert logs.returncode == 0
    assert "==> fold 0, as the ledger keeps it <==" in logs.stdout
    assert "failing_model.py:10 in fit: raise ValueError" in logs.stdout
    assert "ghp_" not in logs.stdout + logs.stderr
    assert "estimators leave no logs" in tunesmith("logs", "0", cwd=tmp_path).stderr
    assert "failing_model.py:10 in fit" in (tmp_path / "outputs/tuning_results.md").read_text()
