"""What a run of a program costs in a study, beside running it by hand.

    python -m benchmarks.programs [--runs 150]

The program is a shell that prints a number. Both sides run it one at a time, in this process' time:
by hand with ``subprocess.run``, in a study with everything on: a copy of the project for each run,
parameters written into a file of its own, the environment cleaned, logs, the sweep for what it may
have left, results read, ledger. The cost of a run is the slope between two numbers of runs, so that
what happens once a study does not count.
"""

import argparse
import os
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

from tunesmith import tune
from tunesmith.config.load import define

SCRIPT = 'read -r line < params.yaml; echo "score: ${1#x=}"\n'
N_FILES = 40
FIRST = 30


def project(folder: Path) -> None:
    """A small project: a script, parameters, and some files that are copied for every run."""
    (folder / "train.sh").write_text(SCRIPT)
    (folder / "params.yaml").write_text("x: 0.5  # by hand\nepochs: 3\n")
    for number in range(N_FILES):
        path = folder / f"package/part{number % 5}/module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("value = 1\n" * 50)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)


def by_hand_s(folder: Path, n: int) -> float:
    """Seconds for n runs."""
    began = time.perf_counter()
    for number in range(n):
        subprocess.run(
            ["sh", "train.sh", f"x={number}"], cwd=folder, capture_output=True, check=True
        )
    return time.perf_counter() - began


_next = count()


def in_a_study_s(folder: Path, n: int, workspace: str) -> float:
    """Seconds for a study of n runs that no study has made before."""
    command = ["sh", "train.sh", "x={x}"]
    objective = {
        "command": [*command, "{params}"] if workspace == "shared" else command,
        "params_file": "params.yaml",
        "metrics_pattern": r"score: (\S+)",
        "metric": {"name": "score", "direction": "maximize"},
        "workspace": workspace,
    }
    definition = define(
        {
            "study": f"overhead-{workspace}-{n}",
            "objective": objective,
            "space": {"x": [next(_next) for _ in range(n)]},
            "search": {"method": "grid"},
            "execution": {"workers": 1},
        },
        root=folder,
    )
    began = time.perf_counter()
    tune(definition)
    return time.perf_counter() - began


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=150)
    n = parser.parse_args(arguments).runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder)
        hand = by_hand_s(folder, n) / n
        load = os.getloadavg()[0]
        print(f"One worker, {n} runs, {N_FILES} files in the project; load {load:.1f}.\n")
        in_a_study_s(folder, 3, "copy")  # starts what later studies of this process find
        print("| how | ms a run | more than by hand |")
        print("|---|---|---|")
        print(f"| by hand | {hand * 1e3:.1f} | |")
        for workspace in ("copy", "shared"):
            few = in_a_study_s(folder, FIRST, workspace)
            many = in_a_study_s(folder, FIRST + n, workspace)
            each, name = (many - few) / n, f"in a study, `workspace: {workspace}`"
            print(f"| {name} | {each * 1e3:.1f} | {(each - hand) * 1e3:.1f} ms |")
    print("\nThe goal is less than 60 ms.")


if __name__ == "__main__":
    main()
