"""A project with a training program that keeps checkpoints, for studies on other machines."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.runs.pull.conftest import trials_of

import tunesmith

STUDY = "descent"
COMMAND = json.dumps([sys.executable, "train.py", "{checkpoint}"])
TUNING = f"""
study: {STUDY}
objective:
  command: {COMMAND}
  params_file: params.json
  metrics_file: metrics.json
  metric: {{name: loss, direction: minimize}}
  seeds: 2
  artifacts: {{keep: "model.*", best: 1}}
  environment: {{set: {{API_TOKEN: "hunter2-hunter2"}}}}
space:
  rate: {{float: [0.01, 0.5]}}
budget: {{parameter: epochs, min: 1, max: 9, rule: halving}}
search: {{method: random, seed: 3}}
stop: {{trials: 8}}
outputs: {{best: best.yaml}}
"""
TRAIN = """
import json, os, pathlib, subprocess, sys, time

log = os.environ.get("FITS_LOG")
if log:
    with open(log, "a") as file:
        file.write(f"{os.getpid()}\\n")
children = os.environ.get("FITS_CHILDREN")
if children:
    # Long enough that faults meet it; its child stays in another session.
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open(children, "a") as file:
        file.write(f"{os.getpid()}\\n{child.pid}\\n")
    time.sleep(1.5)
gate = os.environ.get("FITS_GATE")
if gate and pathlib.Path(gate).exists():
    # It leaves the group of its parent, and would outlive it.
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open(gate + ".children", "a") as file:
        file.write(f"{child.pid}\\n")
    while pathlib.Path(gate).exists():
        time.sleep(0.02)
    child.kill()
print("token", os.environ["API_TOKEN"])
params = json.load(open("params.json"))
target = float(open("target.txt").read())
state = pathlib.Path(sys.argv[1]) / "state.json"
w, done, n = json.loads(state.read_text()) if state.exists() else (0.0, 0, 0)
print("continued at epoch", done)
for epoch in range(done, params["epochs"]):
    w -= params["rate"] * (w - target) * (1 + int(os.environ["TUNESMITH_SEED"]) / 7)
if params["rate"] > 0.3:
    raise ValueError("too fast")
# One that starts from scratch has another score.
state.write_text(json.dumps([w, params["epochs"], n + 1]))
pathlib.Path("model.txt").write_text(f"{w!r}")
pathlib.Path("said.csv").write_text(f"prediction\\n{w!r}\\n{w / 3!r}\\n")
json.dump({"loss": (w - target) ** 2 + n / 1000}, open("metrics.json", "w"))
"""
"""A run adds its process to the file ``FITS_LOG``; while there is a file ``FITS_GATE``, it waits,
with a child of its own session whose number it writes beside it. With ``FITS_CHILDREN`` it takes a
while, writes both numbers there, and leaves its child to whoever started it."""


def make_program(folder: Path, text: str = TRAIN) -> Path:
    """Make a repository with a program; the configuration is left to the test."""
    folder.mkdir()
    (folder / "train.py").write_text(text)
    (folder / "params.json").write_text('{"rate": 0.1, "epochs": 1}')
    (folder / "target.txt").write_text("0.7")
    (folder / "tuning.yaml").write_text("")
    (folder / ".gitignore").write_text(".tunesmith/\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def with_predictions(text: str) -> str:
    text = text.replace("seeds: 2", "seeds: 2\n  predictions: said.csv")
    return text.replace("{best: best.yaml}", "{best: best.yaml, predictions: oof.csv}")


def expected_of(project: Path, text: str = TUNING) -> list[object]:
    """The trials of one process on this machine."""
    (project / "tuning.yaml").write_text(text + "execution: {workers: 1}\n")
    tunesmith.tune(project / "tuning.yaml", progress=False)
    listed = trials_of(project / ".tunesmith/ledger.db", STUDY)
    shutil.rmtree(project / ".tunesmith")
    (project / "best.yaml").unlink()
    return listed


def configure_program(project: Path, database: str, text: str = TUNING) -> None:
    more = f"ledger: '{database}'\nexecution: {{executor: pull}}\n"
    (project / "tuning.yaml").write_text(text + more)
