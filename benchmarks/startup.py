"""CPU time from `tunesmith run` to the first fit, of studies that go on after a kill.

    python -m benchmarks.startup [--rounds 7]

A study is run and killed with `kill -9` at its fifth fit, then run again. The first fit of that run
notes the CPU time that the run and the processes between it and the fit have used until then. What
the study's own imports cost is measured beside it, in a fresh interpreter: the estimator, and what
it needs to be scored. A program imports nothing of its own into the run. All are medians, and the
least of each, for other work on the machine adds to CPU times as well.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tunesmith.testing.projects import make_project

ESTIMATOR = """\
study: small
objective:
  estimator: noted.Noted
  data: {path: data.csv, target: kind}
  cv: 5
  metric: accuracy
space:
  max_depth: {int: [1, 12]}
  min_samples_leaf: {int: [1, 20]}
search: {method: random, seed: 1, curves: false}
stop: {trials: 1000}
execution: {workers: WORKERS, share: off}
"""
PROGRAM = """\
study: small
objective:
  command: [PYTHON, train.py, "--x={x}"]
  metrics_file: metrics.json
  metric: {name: loss, direction: minimize}
space:
  x: {float: [0.0, 1.0]}
search: {method: random, seed: 1}
stop: {trials: 1000}
execution: {workers: WORKERS}
"""
NOTE = """\
import json, os, time
from pathlib import Path

HERE = Path(os.environ["NOTED_IN"])


def cpu_s(process):
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(fields[1])


def note():
    with open(HERE / f"fits-{os.environ['RUN']}", "a") as log:
        log.write("fit\\n")
    used, process, run = {}, os.getppid() if PROGRAM else os.getpid(), int(os.environ["RUN"])
    while process > 1:
        used[process], process = cpu_s(process)[0], cpu_s(process)[1]
        if run in used:
            break
    try:
        with open(HERE / f"noted-{run}.json", "x") as file:
            json.dump(list(used.values()), file)
    except FileExistsError:
        pass
    time.sleep(0.05)
"""
NOTED = """\
from sklearn.tree import DecisionTreeClassifier
from note import note


class Noted(DecisionTreeClassifier):
    def fit(self, X, y):
        if len(X) >= 100:  # not the look at the data before the study
            note()
        return super().fit(X, y)
"""
TRAIN = """\
import json, os, sys

sys.path.append(os.environ["NOTED_IN"])
from note import note

note()
x = float(sys.argv[1].partition("=")[2])
json.dump({"loss": x * x}, open("metrics.json", "w"))
"""
IMPORTS = {
    "estimator": "import pandas, sklearn.tree, sklearn.model_selection, sklearn.metrics",
    "program": "",
}
"""What a study of its kind cannot do without, whoever fits it."""
KILL_AT = 5
LIMIT_S = 120


def make(folder: Path, kind: str, workers: int) -> None:
    """A project whose fits take notes."""
    is_program = kind == "program"
    text = (PROGRAM if is_program else ESTIMATOR).replace("WORKERS", str(workers))
    make_project(folder / "project", text=text.replace("PYTHON", sys.executable))
    note = f"PROGRAM = {is_program}\n{NOTE}"
    (folder / "note.py").write_text(note)
    if is_program:
        (folder / "project/train.py").write_text(TRAIN)
    else:
        (folder / "project/note.py").write_text(note)
        (folder / "project/noted.py").write_text(NOTED)


def surroundings(folder: Path) -> dict[str, str]:
    """An environment in which compiled modules are kept, as they are in use."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "NOTED_IN": str(folder), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


@contextmanager
def running(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A run, until it is killed at the end."""
    code = (
        "import os; os.environ['RUN'] = str(os.getpid())\n"
        "from tunesmith.__main__ import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", "-q"],
        cwd=folder / "project",
        env=surroundings(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(what: Path, n_lines: int) -> None:
    end = time.monotonic() + LIMIT_S
    while not what.exists() or what.read_bytes().count(b"\n") < n_lines:
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


def resumed(folder: Path) -> tuple[float, float]:
    """CPU and wall seconds from the start of a run that goes on to its first fit."""
    with running(folder) as process:
        wait_for(folder / f"fits-{process.pid}", KILL_AT)
    began = time.perf_counter()
    with running(folder) as process:
        noted = folder / f"noted-{process.pid}.json"
        wait_for(folder / f"fits-{process.pid}", 1)
        wall_s = time.perf_counter() - began
        while not noted.exists() or not noted.read_text().endswith("]"):
            time.sleep(0.01)
    return sum(json.loads(noted.read_text())), wall_s


def imports(kind: str, folder: Path) -> float:
    """CPU seconds of a fresh interpreter that imports what the study needs."""
    code = f"{IMPORTS[kind]}\nimport os; t = os.times(); print(t.user + t.system)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def shown(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f})"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    print("| study, workers | CPU s to the first fit | its own imports | wall s |")
    print("|---|---|---|---|")
    for kind, workers in (("estimator", 1), ("estimator", 2), ("program", 1), ("program", 2)):
        rows: list[tuple[float, float, float]] = []
        with TemporaryDirectory() as name:
            folder = Path(name).resolve()
            make(folder, kind, workers)
            for _ in range(options.rounds):
                rows.append((*resumed(folder), imports(kind, folder)))
                shutil.rmtree(folder / "project/.tunesmith")
        cpu, wall, own = map(list, zip(*rows, strict=True))
        print(f"| {kind}, {workers} | {shown(cpu)} | {shown(own)} | {shown(wall)} |", flush=True)


if __name__ == "__main__":
    main()
