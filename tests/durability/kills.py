"""Kill runs at random moments, and see whether a finished fold is ever evaluated again.

    python -m tests.durability.kills [--kills 200] [--seed 1]

The estimator itself notes the beginning and the end of every fit in a file that Tunesmith knows
nothing of. A fit may be repeated only if it was the last one that its worker had begun.
"""

import argparse
import os
import random
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tunesmith.testing.projects import make_project

TUNING = """\
study: small
objective:
  estimator: noted.Noted
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  max_depth: {int: [1, 9]}
  min_impurity_decrease: {float: [0.0, 0.2]}
search: {method: random, seed: 3, curves: false}
stop: {trials: 100000, time: 1h}
execution: {workers: 2, executor: processes, share: off}
"""
NOTED = """\
import os, time
from pathlib import Path
from sklearn.tree import DecisionTreeClassifier

FOLDER = Path(__file__).parent
LOG = os.open(FOLDER / "truth.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
FIT_S = float((FOLDER / "fit_s").read_text())

class Noted(DecisionTreeClassifier):
    def fit(self, X, y):
        if len(X) < 100:  # the look at the data before the study
            return super().fit(X, y)
        rows = float(X.to_numpy().sum())
        what = f"{os.getpid()} {self.max_depth} {self.min_impurity_decrease!r} {rows!r}\\n"
        os.write(LOG, f"begin {what}".encode())
        time.sleep(FIT_S)
        fitted = super().fit(X, y)
        os.write(LOG, f"end {what}".encode())
        return fitted
"""
TIMES = {0.001: 300, 0.05: 40, 0.5: 6}
"""Seconds of a fit -> at most so many fits between two kills."""
KINDS = ("driver", "group", "worker")
SETTLE_S = 10.0


@dataclass
class Count:
    """What was seen."""

    n_kills: int = 0
    n_finished: int = 0
    """Fits that had ended when something was killed, or later."""
    n_in_flight: int = 0
    """Fits that were repeated, and were the last one of a worker that was killed."""
    redone: list[str] = field(default_factory=list)
    """Fits that were repeated although they had ended, and were not the last of their worker."""


def make(folder: Path, fit_s: float) -> None:
    """A project whose fits take so long."""
    make_project(folder, text=TUNING, noted_py=NOTED)
    (folder / "fit_s").write_text(str(fit_s))


def start(folder: Path) -> int:
    """Begin a run in a process of its own, forked from this one: everything is imported."""
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        os.chdir(folder)
        log = os.open(folder / "run.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(log, stream)
        from tunesmith.runs.tune import tune

        tune(folder / "tuning.yaml")
    except BaseException:  # noqa: BLE001 - the other process must not go on in here
        traceback.print_exc()
    finally:
        os._exit(1)


def n_lines(folder: Path) -> int:
    """Lines of the truth."""
    path = folder / "truth.log"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill(folder: Path, process: int, kind: str, chance: random.Random) -> None:
    """Kill the run, its group, or one of its workers and then the run."""
    if kind == "worker":
        for worker in workers(folder)[:1]:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        time.sleep(chance.uniform(0.0, 0.3))
    (os.killpg if kind == "group" else os.kill)(process, signal.SIGKILL)
    os.waitpid(process, 0)
    end = time.monotonic() + SETTLE_S
    while workers(folder):
        assert time.monotonic() < end, "a worker outlives its run"
        time.sleep(0.02)


def workers(folder: Path) -> list[psutil.Process]:
    """The processes that have noted a fit and live."""
    text = (folder / "truth.log").read_text()
    found = []
    for name in {line.split()[1] for line in text.splitlines()}:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(name))
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(folder):
                found.append(process)
    return found


def disturb(folder: Path, n_kills: int, n_most: int, chance: random.Random) -> None:
    """Start the run and kill it, so many times, within so many fits; the ways take turns."""
    for number in range(n_kills):
        before, process = n_lines(folder), start(folder)
        end, n = time.monotonic() + 120, 2 * chance.randint(1, n_most)
        while n_lines(folder) <= before + n:
            assert os.waitpid(process, os.WNOHANG)[0] == 0, "the run ended by itself"
            assert time.monotonic() < end, "the run did not get going"
            time.sleep(0.002)
        kill(folder, process, KINDS[number % len(KINDS)], chance)


def count(folder: Path, n_kills: int) -> Count:
    """What the truth says."""
    lines = [line.split(" ", 2) for line in (folder / "truth.log").read_text().splitlines()]
    last = {worker: what for verb, worker, what in lines if verb == "begin"}
    found = Count(n_kills, sum(verb == "end" for verb, _, _ in lines))
    begun: dict[str, str] = {}
    for verb, worker, what in lines:
        if verb != "begin":
            continue
        if what in begun:
            if last[begun[what]] == what:
                found.n_in_flight += 1
            else:
                found.redone.append(what)
        begun[what] = worker
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args(arguments)
    import tunesmith.runs.tune  # noqa: F401 - once, for all runs

    print(f"seed {options.seed}")
    print("| fit | kills | fits that ended | repeated: in flight | repeated: finished |")
    print("|---|---|---|---|---|")
    chance, n_redone = random.Random(options.seed), 0
    for place, (fit_s, n_most) in enumerate(TIMES.items()):
        n = options.kills // 3 + (place < options.kills % 3)
        with TemporaryDirectory() as name:
            folder = Path(name).resolve()
            make(folder, fit_s)
            disturb(folder, n, n_most, chance)
            found = count(folder, n)
        cells = f"{n} | {found.n_finished:,} | {found.n_in_flight} | {len(found.redone)}"
        print(f"| {fit_s * 1000:g} ms | {cells} |", flush=True)
        n_redone += len(found.redone)
    sys.exit(bool(n_redone))


if __name__ == "__main__":
    main()
