"""Slots of pull workers: programs that run at the same time never have the same GPU."""

import json
import sys
from pathlib import Path

import pytest
from tests.runs.pull.conftest import Start, trials_of
from tests.runs.pull.programs import make_program

from tunesmith.ledger.ledger import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
COMMAND = json.dumps([sys.executable, "train.py"])
TUNING = f"""
study: slots
objective:
  command: {COMMAND}
  params_file: params.json
  metrics_file: metrics.json
  metric: {{name: loss, direction: minimize}}
space:
  rate: {{float: [0.0, 1.0]}}
search: {{method: random, seed: 3}}
stop: {{trials: 12}}
outputs: {{best: best.yaml}}
execution: {{executor: pull, slots: {{gpu: 2}}}}
"""
TRAIN = """
import json, os, pathlib, time

held = pathlib.Path(os.environ["HELD"])
gpu = os.environ["CUDA_VISIBLE_DEVICES"]
began = time.monotonic()
# Whoever has the same GPU at the same time finds the file there.
mine = held / f"gpu-{gpu}"
os.close(os.open(mine, os.O_CREAT | os.O_EXCL))
n = len(list(held.glob("gpu-*")))
time.sleep(0.4)
with open(held / "log", "a") as log:
    log.write(f"{gpu} {os.getppid()} {n}\\n")
mine.unlink()
x = json.load(open("params.json"))["rate"]
json.dump({"loss": x * x}, open("metrics.json", "w"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_program(tmp_path / "project", TRAIN)


@pytest.mark.parametrize("visible", [None, "4,6,7"])
def test_two_workers_of_a_machine_share_its_gpus(
    project: Path, database: str, start: Start, tmp_path: Path, visible: str | None
) -> None:
    held = tmp_path / "held"
    held.mkdir()
    (project / "tuning.yaml").write_text(f"{TUNING}ledger: '{database}'\n")
    environ = {"HELD": str(held)} | ({"CUDA_VISIBLE_DEVICES": visible} if visible else {})
    # More fits at a time than GPUs: some of them wait.
    workers = [start("worker", "--workers", n, **environ) for n in ("3", "2")]
    run = start("run", "-q")
    assert run.ends() == 0, run.said + workers[0].said
    assert len(trials_of(database, "slots")) == 12
    with Ledger.open(database, create=False) as ledger:
        trials = list(ledger.load("slots").history.completed)
    assert not [trial.failure for trial in trials if trial.failure]
    rows = [line.split() for line in (held / "log").read_text().splitlines()]
    assert {gpu for gpu, _, _ in rows} == ({"4", "6"} if visible else {"0", "1"})
    # Both GPUs were in use at a time.
    assert max(int(n) for _, _, n in rows) == 2


def test_a_killed_worker_gives_its_gpus_back(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    held = tmp_path / "held"
    held.mkdir()
    slow = TRAIN.replace("time.sleep(0.4)", "time.sleep(600 if (held / 'slow').exists() else 0.1)")
    slow = slow.replace("os.O_CREAT | os.O_EXCL", "os.O_CREAT")
    (project / "train.py").write_text(slow)
    (project / "tuning.yaml").write_text(f"{TUNING}ledger: '{database}'\n")
    (held / "slow").touch()
    run = start("run", "-q")
    doomed = start("worker", "--workers", "2", HELD=str(held))
    doomed.until(lambda: len(list(held.glob("gpu-*"))) == 2)
    (held / "slow").unlink()
    doomed.process.kill()
    doomed.process.wait()
    heir = start("worker", "--workers", "2", HELD=str(held))
    assert run.ends() == 0, run.said + heir.said
    rows = [line.split() for line in (held / "log").read_text().splitlines()]
    assert {gpu for gpu, _, _ in rows} == {"0", "1"}
