"""Reading commands compare and show; none of the project's code runs for them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import environment

from tunesmith import tune
from tunesmith.testing.projects import TUNING, make_project

MODEL = """\
from reading_help import DEPTH
from sklearn.tree import DecisionTreeClassifier
class Model(DecisionTreeClassifier): pass
def score(y_true, y_pred): return float((y_true == y_pred).mean())
"""
COMMANDS = [
    "check",
    "status",
    "status --json",
    "verify",
    "best",
    "trials",
    "report",
    "plot history -o a.svg",
    "plot importance -o b.svg",
    "export c.csv",
    "compare HEAD",
    "doctor",
    "ci report --output d.md",
]
WATCHED = """\
import json, sys, os
seen = []
root = os.getcwd()
def hook(event, arguments):
    # Every way of running code ends in one of these.
    if event == "exec" and arguments and getattr(arguments[0], "co_filename", "").startswith(root):
        seen.append(arguments[0].co_filename)
    if event == "import" and arguments[0] in ("reading_model", "reading_help"):
        seen.append(arguments[0])
sys.addaudithook(hook)
from tunesmith.cli import main
codes = {}
for command in json.loads(sys.argv.pop(1)):
    sys.argv = ["tunesmith", *command.split()]
    try:
        main()
    except SystemExit as exit_:
        codes[command] = [exit_.code, list(seen)]
json.dump(codes, open(os.environ["FOUND"], "w"))
"""


@pytest.mark.slow
def test_no_code_of_the_project_runs(tmp_path: Path) -> None:
    root = tmp_path / "project"
    text = TUNING.replace("sklearn.tree.DecisionTreeClassifier", "reading_model.Model")
    own = "{name: own, scorer: reading_model.score, direction: maximize}"
    text = text.replace("metric: accuracy", f"metric: {own}")
    (tmp_path / "project").mkdir()
    (root / "reading_model.py").write_text(MODEL)
    (root / "reading_help.py").write_text("DEPTH = 3\n")
    tune(make_project(root, trials=3, text=text + "execution: {workers: 1}\n"))
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps([*COMMANDS, "verify --refit 1 --seed 1"])],
        cwd=root,
        capture_output=True,
        text=True,
        env=environment(FOUND=str(tmp_path / "found.json"), PYTHONWARNINGS="default"),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    *reading, last = found
    assert last.startswith("verify --refit")
    assert {command: found[command][1] for command in reading} == {
        command: [] for command in reading
    }
    assert {c: found[c][0] for c in ("check", "status", "verify", "best")} == dict.fromkeys(
        ("check", "status", "verify", "best"), 0
    )
    # What evaluates says so, and is seen by the hook.
    assert "reading_help" in found[last][1]
    assert "1 fold evaluated again, by the project's code" in done.stdout
