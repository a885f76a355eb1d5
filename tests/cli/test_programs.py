"""Studies that run real programs: shell, awk, Python; what goes wrong in them, and how they end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.preloaded import programs

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.history import Trial
from tunesmith.objective.program.build import mark
from tunesmith.objective.program.environment import MARK
from tunesmith.runs.result import Result
from tunesmith.system.child_processes import marked
from tunesmith.types import State

pytestmark = pytest.mark.slow
Sections = Mapping[str, Any]


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    """Writes a project of a program; returns its folder."""

    def make(
        program: str,
        objective: Sections,
        space: Sections,
        name: str = "train.sh",
        files: Mapping[str, str] | None = None,
        **sections: Any,
    ) -> Path:
        for file, content in {name: program, **(files or {})}.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        metric = {"name": "score", "direction": "maximize"}
        whole = {
            "study": "s",
            "objective": {"metric": metric, **objective},
            "space": space,
            "search": {"method": "grid"},
            "execution": {"workers": 2},
            **sections,
        }
        (tmp_path / "tuning.yaml").write_text(yaml.safe_dump(whole))
        return tmp_path

    return make


def mark_of(root: Path) -> str:
    definition = load_definition(root / "tuning.yaml")
    return mark(definition.ledger, definition.file.study)


def by(result: Result, name: str) -> dict[Any, Trial]:
    return {trial.params[name]: trial for trial in result.record.history}


SHELL = {"command": ["sh", "train.sh", "{mode}"], "metrics_file": "m.json"}
WRONG = """\
good='{"score": 1}'
case "$1" in
  fine) echo "$good" > m.json ;;
  exits) echo "$good" > m.json; echo oops >&2; exit 3 ;;
  killed) echo "$good" > m.json; kill -KILL $$ ;;
  crashed) echo "$good" > m.json; kill -SEGV $$ ;;
  odd) echo "$good" > m.json; kill -35 $$ ;;
  silent) ;;
  nan) echo '{"score": NaN}' > m.json ;;
  half) echo '{"score": 1' > m.json ;;
  pipe) mkfifo m.json ;;
  hangs) echo "$good" > m.json; sleep 60 ;;
  stays) trap '' TERM; echo "$good" > m.json; setsid sleep 60 & sleep 60 ;;
  reads) read line; echo "$good" > m.json ;;
  floods) head -c 20000000 /dev/zero | tr '\\0' x; echo "$good" > m.json ;;
esac
"""
KINDS = {
    "exits": "exit",
    "killed": "worker-died",
    "crashed": "signal",
    "odd": "signal",
    "silent": "no-metrics",
    "nan": "nan",
    "half": "bad-metrics",
    "pipe": "bad-metrics",
    "hangs": "timeout",
    "stays": "timeout",
}
FINE = ("fine", "reads", "floods")


def test_only_a_clean_end_with_a_finite_result_counts(study: Callable[..., Path]) -> None:
    objective = {**SHELL, "grace": 0.2, "command": ["sh", "train.sh", "m={mode}"]}
    program = WRONG.replace('"$1"', '"${1#m=}"')
    space = {"mode": [*FINE, *KINDS]}
    root = study(program, objective, space, execution={"workers": 2, "fit_timeout": 1.0})
    result = tune(root / "tuning.yaml")
    found = by(result, "mode")
    kinds = {mode: trial.failure.kind for mode, trial in found.items() if trial.failure}
    assert kinds == KINDS
    assert [mode for mode in FINE if found[mode].state is State.COMPLETE] == list(FINE)
    failure = found["exits"].failure
    assert failure is not None
    assert (failure.message, failure.traceback) == ("exited with status 3", "oops")
    assert "the program was killed by SIGKILL; " in str(found["killed"].failure)
    assert "stopped after 1 seconds" in str(found["hangs"].failure)
    logs = sum(file.stat().st_size for file in (root / ".tunesmith/runs").rglob("*.log"))
    assert logs < 3_000_000
    assert marked(MARK, mark_of(root)) == []


def test_values_arrive_unchanged(study: Callable[..., Path]) -> None:
    odd = ["a b", "$(touch pwned)", "`id`", "'\"", "-rf", "new\nline", "é☃", "*", "{x}", "\\"]
    program = """\
import json, os, sys
value = json.load(open(os.environ["TUNESMITH_PARAMS"]))["value"]
assert sys.argv[1] == "--value=" + value, sys.argv
import yaml
assert yaml.safe_load(open("config/p.yaml"))["deep"]["value"] == value
print("score:", len(value))
"""
    objective = {
        "command": [sys.executable, "train.py", "--value={value}"],
        "params_file": {"path": "config/p.yaml", "at": "deep"},
        "metrics_pattern": r"score: (\d+)",
    }
    files = {"config/p.yaml": "# kept\ndeep: {other: 1}\n"}
    root = study(program, objective, {"value": odd}, "train.py", files)
    result = tune(root / "tuning.yaml")
    assert {t.params["value"]: t.mean("score") for t in result.record.history} == {
        value: len(value) for value in odd
    }
    assert (root / "config/p.yaml").read_text() == files["config/p.yaml"]
    assert not (root / "pwned").exists()


AWK = """\
# Predicts the mean of y over the training rows, shrunk; rows are numbered from 0.
FILENAME == train { in_train[$1] = 1; next }
FILENAME == test { in_test[$1] = 1; next }
FNR > 1 { split($0, cell, ","); y[FNR - 2] = cell[2] }
END {
  for (row in in_train) { sum += y[row]; n++ }
  guess = sum / (n + shrink)
  for (row in in_test) { error += (y[row] - guess) ^ 2; m++ }
  printf "{\\"score\\": %.17g}\\n", -error / m > metrics
}
"""


def test_folds_reach_a_program_in_awk(study: Callable[..., Path]) -> None:
    import numpy as np
    from sklearn.model_selection import KFold

    y = np.random.default_rng(0).normal(3, 1, 40).round(3)
    table = "x,y\n" + "".join(f"{i},{value}\n" for i, value in enumerate(y))
    command = ["awk", "-v", "shrink={shrink}", "-v", "train={train}", "-v", "test={test}"]
    command += ["-v", "metrics={metrics}", "-f", "mean.awk", "{train}", "{test}", "data.csv"]
    objective = {
        "command": command,
        "metrics_file": "out/m.json",
        "data": {"path": "data.csv", "target": "y"},
        "cv": {"folds": 4, "shuffle": True, "seed": 5},
    }
    root = study(AWK, objective, {"shrink": [0, 1, 10]}, "mean.awk", {"data.csv": table})
    result = tune(root / "tuning.yaml")
    splits = list(KFold(4, shuffle=True, random_state=5).split(y))
    for trial in result.record.history:
        shrink = float(trial.params["shrink"])  # type: ignore[arg-type]
        for (train, test), score in zip(splits, trial.scores("score"), strict=True):
            guess = y[train].sum() / (len(train) + shrink)
            assert score == pytest.approx(-((y[test] - guess) ** 2).mean(), rel=1e-12)
    assert result.best_params == {"shrink": 0}


def test_rows_may_come_as_files_and_a_holdout_is_scored(study: Callable[..., Path]) -> None:
    table = "x,y\n" + "".join(f"{i},{i % 7}\n" for i in range(30))
    program = """\
import csv, json, os
rows = {part: list(csv.DictReader(open(os.environ["TUNESMITH_" + part.upper()])))
        for part in ("train", "test")}
assert not {r["x"] for r in rows["train"]} & {r["x"] for r in rows["test"]}
json.dump({"score": len(rows["train"]) + len(rows["test"])}, open("m.json", "w"))
"""
    objective = {
        "command": [sys.executable, "train.py", "--a={a}"],
        "metrics_file": "m.json",
        "data": {"path": "data.csv", "target": "y", "holdout": {"fraction": 0.2}},
        "cv": 3,
        "splits": "csv",
    }
    root = study(program, objective, {"a": [1]}, "train.py", {"data.csv": table})
    result = tune(root / "tuning.yaml")
    assert result.record.history[0].scores("score").tolist() == [24, 24, 24]
    assert result.record.holdout[0].scores == {"score": 30}


LEARN = """\
import json, os
from pathlib import Path
import tunesmith
p = tunesmith.params()
folder = tunesmith.checkpoint_dir()
state = folder / "epoch"
done = int(state.read_text()) if state.exists() else 0
for epoch in range(done + 1, p["epochs"] + 1):
    with Path(os.environ["TRUTH"]).open("a") as log:
        log.write(f"{p['lr']} {epoch}\\n")
state.write_text(str(p["epochs"]))
json.dump({"loss": abs(p["lr"] - 0.3) + 1 / p["epochs"]}, open("m.json", "w"))
"""


def test_a_promoted_trial_goes_on_where_it_was(
    study: Callable[..., Path], tunesmith: Callable[..., Any], tmp_path: Path
) -> None:
    truth = tmp_path / "truth.log"
    objective = {
        "command": [sys.executable, "train.py"],
        "metrics_file": "m.json",
        "metric": {"name": "loss", "direction": "minimize"},
        "environment": {"set": {"TRUTH": str(truth)}},
    }
    lrs = [round(0.05 * i, 2) for i in range(9)]
    root = study(
        LEARN,
        objective,
        {"lr": lrs},
        "train.py",
        budget={"parameter": "epochs", "min": 1, "max": 9, "rule": "halving"},
    )
    plan = tunesmith("check", cwd=root).stdout
    assert "  budget     epochs 1, 3, 9 (halving: 1 in 3 goes on)\n" in plan
    assert "  note       results depend on the files that each run is seen to read" in plan
    assert "  trials     27 at most\n" in plan
    result = tune(root / "tuning.yaml")
    assert result.best_params == {"lr": 0.3, "epochs": 9}
    lines = truth.read_text().splitlines()
    assert len(lines) == len(set(lines)), "an epoch was trained twice"
    assert f"{0.3} 9" in lines
    assert len(lines) < 40
    n_pruned = result.record.history.n_pruned
    assert f" trials, {n_pruned} of them pruned; 0 fits" in tunesmith("run", cwd=root).stdout
    assert len(truth.read_text().splitlines()) == len(lines)
    assert f", {n_pruned} pruned\n" in tunesmith("status", cwd=root).stdout
    assert "pruned    1.1000 (std 0)" in tunesmith("trials", cwd=root).stdout
    assert yaml.safe_load((root / "config/best_parameters.yaml").read_text())["params"] == {
        "epochs": 9,
        "lr": 0.3,
    }


STREAM = """\
import time
import tunesmith
p = tunesmith.params({"lr": 0.5})
for epoch in range(1, 28):
    tunesmith.report(epoch, loss=abs(p["lr"] - 0.3) + 1 / epoch)
    time.sleep(0.01)
"""


@pytest.mark.parametrize("workers", [1, 3])
def test_weak_programs_are_stopped_on_the_way(study: Callable[..., Path], workers: int) -> None:
    objective = {
        "command": [sys.executable, "train.py"],
        "progress_file": "progress.jsonl",
        "metric": {"name": "loss", "direction": "minimize"},
    }
    root = study(
        STREAM,
        objective,
        {"lr": {"float": [0.0, 1.0]}},
        "train.py",
        search={"method": "random", "seed": 1},
        stop={"trials": 20},
        budget={"min": 3, "max": 27, "rule": "median"},
        execution={"workers": workers},
    )
    history = tune(root / "tuning.yaml").record.history
    steps = [trial.folds[0].progress[-1][0] for trial in history]
    stopped = [trial.folds[0].stopped_at for trial in history]
    assert STOPPED.setdefault("steps", (steps, stopped)) == (steps, stopped)
    assert sum(step is not None for step in stopped) >= 3
    best = history.best()
    assert best is not None
    assert best.folds[0].progress[-1][0] == 27


STOPPED: dict[str, Any] = {}
"""What one number of workers has shown is what the others have to show."""


def test_who_edits_a_program_while_it_runs_disturbs_no_run(study: Callable[..., Path]) -> None:
    objective = {"command": ["sh", "train.sh", "a={a}"], "metrics_pattern": r"score: (\S+)"}
    root = study("echo 'score: 1'\n", objective, {"a": [1, 2, 3]}, execution={"workers": 1})

    def edit(_progress: object) -> None:
        (root / "train.sh").write_text("echo score: 2\n")

    result = tune(root / "tuning.yaml", observer=edit)
    assert [trial.mean("score") for trial in result.record.history] == [1, 1, 1]
    assert (root / "train.sh").read_text() == "echo score: 2\n"
    after = tune(root / "tuning.yaml").record
    assert [trial.mean("score") for trial in after.history] == [2, 2, 2]
    assert not (root / ".tunesmith/runs/s/source").exists()


def test_artifacts_of_the_best_are_kept(study: Callable[..., Path]) -> None:
    program = 'echo "$1" > model.txt; echo log > other.txt; echo "score: ${1#q=}"\n'
    objective = {
        "command": ["sh", "train.sh", "q={q}"],
        "metrics_pattern": r"score: (\S+)",
        "artifacts": {"keep": "model.*", "best": 2},
    }
    root = study(program, objective, {"q": [3, 1, 5, 2, 4]})
    tune(root / "tuning.yaml")
    kept = sorted(path.read_text() for path in (root / ".tunesmith/runs").rglob("artifacts/*"))
    assert kept == ["q=4\n", "q=5\n"]
    assert not list((root / ".tunesmith/runs").rglob("work"))


def test_what_went_wrong_by_chance_is_tried_again(study: Callable[..., Path]) -> None:
    program = """\
echo x >> "$TRIES"
[ "$(wc -l < "$TRIES")" -ge 3 ] || kill -SEGV $$
echo 'score: 1'
"""
    objective = {
        "command": ["sh", "train.sh", "a={a}"],
        "metrics_pattern": r"score: (\S+)",
        "retry": {"signal": 2},
    }
    root = study(program, objective, {"a": [1]})
    tries = root / "tries"
    text = (root / "tuning.yaml").read_text()
    (root / "tuning.yaml").write_text(
        text.replace(
            "metrics_pattern", f"environment: {{set: {{TRIES: {tries}}}}}\n  metrics_pattern"
        )
    )
    result = tune(root / "tuning.yaml")
    assert result.record.history[0].state is State.COMPLETE
    assert len(tries.read_text().splitlines()) == 3


def test_runs_may_share_the_project_folder(study: Callable[..., Path]) -> None:
    program = 'cp "$1" seen.txt; echo "{\\"score\\": 1}" > "$2"\n'
    objective = {
        "command": ["sh", "train.sh", "{params}", "{metrics}"],
        "params_file": "p.toml",
        "metrics_file": "m.json",
        "workspace": "shared",
    }
    root = study(program, objective, {"a": [1]}, files={"p.toml": "b = 2\na = 0\n"})
    result = tune(root / "tuning.yaml")
    assert result.record.history[0].state is State.COMPLETE
    assert (root / "seen.txt").read_text() == "b = 2\na = 1\n"
    assert (root / "p.toml").read_text() == "b = 2\na = 0\n"
    assert not (root / "m.json").exists()


def test_every_run_has_a_gpu_of_its_own(study: Callable[..., Path]) -> None:
    program = """\
mkdir "$HELD/$CUDA_VISIBLE_DEVICES" || exit 1
sleep 0.05
rmdir "$HELD/$CUDA_VISIBLE_DEVICES"
echo "score: $CUDA_VISIBLE_DEVICES"
"""
    root = study(
        program,
        {"command": ["sh", "train.sh", "a={a}"], "metrics_pattern": r"score: (\S+)"},
        {"a": list(range(8))},
        execution={"slots": {"gpu": 2}, "workers": 3},
    )
    (root / "held").mkdir()
    config = root / "tuning.yaml"
    section = f"environment: {{set: {{HELD: {root}/held}}}}\n  metrics_pattern"
    config.write_text(config.read_text().replace("metrics_pattern", section))
    history = tune(config).record.history
    assert {trial.mean("score") for trial in history} == {0.0, 1.0}


def test_logs_are_shown(study: Callable[..., Path], tunesmith: Callable[..., Any]) -> None:
    program = """\
[ "$1" = a=2 ] && exit 3
echo "score: 1"
echo "token ghp_0123456789012345678901234" >&2
"""
    objective = {"command": ["sh", "train.sh", "a={a}"], "seeds": 2}
    objective["metrics_pattern"] = r"score: (\S+)"
    root = study(program, objective, {"a": [1, 2]})
    tune(root / "tuning.yaml")
    closing = tunesmith("run", cwd=root).stderr
    assert "`tunesmith logs 1` shows what the program of trial 1 has printed." in closing
    shown = tunesmith("logs", "0", "--fold", "1", cwd=root)
    assert shown.returncode == 0
    assert "score: 1" in shown.stdout
    assert "[redacted]" in shown.stdout
    assert shown.stdout.count("==>") == 2
    logs = json.loads(tunesmith("logs", "0", "--json", "--err", cwd=root).stdout)["logs"]
    assert [log["fold"] for log in logs] == [0, 1]
    for arguments, words in {
        ("7",): "trial 7 is not finished; the last one that is: 1.",
        ("0", "--fold", "2"): "trial 0 has no fold 2; it has 0 to 1.",
    }.items():
        missing = tunesmith("logs", *arguments, cwd=root)
        assert (missing.returncode, missing.stderr.strip()) == (2, words)
    failed = tunesmith("logs", "1", cwd=root)
    assert (failed.returncode, failed.stdout) == (0, "")
    assert failed.stderr == "trial 1 failed: exit: exited with status 3\n"


# -- how a run ends ------------------------------------------------------------------------------

TREE = """\
import os, subprocess, sys, time
def child(code, **more):
    subprocess.Popen([sys.executable, "-c", "import signal, time;" + code], **more)
child("time.sleep(120)")
child("import subprocess; subprocess.Popen(['sleep', '120']); time.sleep(120)")
child("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)")
child("time.sleep(120)", start_new_session=True)
open(os.environ["READY"] + os.environ["TUNESMITH_SEED"], "w").close()
time.sleep(120)
"""


def started(root: Path, *, preloaded: bool) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        ["tunesmith", "run", "-q"],
        cwd=root,
        env={**os.environ, "PATH": programs.path(preloaded=preloaded)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (root / "ready0").exists() or not (root / "ready1").exists():
        assert time.monotonic() < end, process.communicate(timeout=5)
        time.sleep(0.02)
    return process


def gone(root: Path) -> bool:
    """Whether nothing of the study's programs lives on, after a moment."""
    value = mark_of(root)
    end = time.monotonic() + 5
    while (left := marked(MARK, value)) and time.monotonic() < end:
        time.sleep(0.02)
    return not left


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_no_program_outlives_its_run(
    study: Callable[..., Path], tmp_path: Path, number: int, code: int
) -> None:
    objective = {
        "command": [sys.executable, "tree.py", "a={a}"],
        "metrics_file": "m.json",
        "seeds": 2,
        "environment": {"set": {"READY": str(tmp_path / "ready")}},
    }
    root = study(TREE, objective, {"a": [1]}, "tree.py")
    # A preloaded run gets the signals of its caller, and dies of SIGKILL after it.
    process = started(root, preloaded=number != signal.SIGKILL)
    value, end = mark_of(root), time.monotonic() + 30
    # For a moment after its start a process shows no environment.
    while len(marked(MARK, value)) < 10:
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert gone(root)
    if number != signal.SIGKILL:
        assert not list((root / ".tunesmith/runs").glob("*/*/work"))


def test_a_study_of_programs_goes_on_after_kill_9(study: Callable[..., Path]) -> None:
    program = 'echo "$1" >> "$TRUTH"; sleep 0.1; echo "score: ${1#a=}"\n'
    root = study(
        program,
        {"command": ["sh", "train.sh", "a={a}"], "metrics_pattern": r"score: (\S+)"},
        {"a": list(range(12))},
    )
    text = (root / "tuning.yaml").read_text()
    truth = root / "truth.log"
    section = f"environment: {{set: {{TRUTH: {truth}}}}}\n  metrics_pattern"
    (root / "tuning.yaml").write_text(text.replace("metrics_pattern", section))
    process = subprocess.Popen([sys.executable, "-m", "tunesmith", "run", "-q"], cwd=root)
    end = time.monotonic() + 60
    while time.monotonic() < end and not (truth.exists() and truth.read_text().count("\n") >= 6):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert gone(root)
    n_begun = len(truth.read_text().splitlines())
    result = tune(root / "tuning.yaml")
    assert [trial.mean("score") for trial in result.record.history] == list(range(12))
    assert len(truth.read_text().splitlines()) == n_begun + result.n_evaluated
    assert result.n_evaluated < 12
    assert not list((root / ".tunesmith/runs").glob("*/*/work"))
