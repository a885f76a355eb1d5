"""What a finished study costs in a DVC pipeline that runs its stage again.

    python -m benchmarks.dvc_noop [--repeats 7]

The stage ``tuning`` is run with ``dvc repro -f`` beside a stage that does nothing (``python -c
pass``): their difference is ours, the rest is DVC's. The command is timed alone, too, as it is with
nothing changed, and once more as a restored output makes it look for itself. All take turns; times
are medians.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tunesmith.testing.projects import TUNING, make_project

BARE = """\
  bare:
    cmd: {python} -c pass
    outs:
      - bare.txt: {{cache: false, persist: true}}
"""
N_TRIALS = 200
BEST = Path("config/best_parameters.yaml")


def project(folder: Path, do: Callable[..., float]) -> None:
    """A pipeline whose study has run, with a stage beside it that does nothing."""
    many = "  min_samples_leaf: {int: [1, 50]}\nsearch:"
    make_project(folder, method="random", trials=N_TRIALS, text=TUNING.replace("search:", many))
    do("git", "init", "-q")
    do("dvc", "init", "-q")
    do(sys.executable, "-m", "tunesmith", "dvc", "init", "--tight", "--yes")
    (folder / "bare.txt").write_text("")
    path = folder / "dvc.yaml"
    text = path.read_text()
    path.write_text(text.replace("stages:\n", f"stages:\n{BARE.format(python=sys.executable)}"))
    do("dvc", "repro", "-q")


def runner(folder: Path) -> Callable[..., float]:
    """Runs a command in the folder, and says how many seconds it took."""
    here = str(Path(sys.executable).parent)
    settings = {"DVC_NO_ANALYTICS": "1", "PATH": os.pathsep.join([here, os.environ["PATH"]])}

    def do(*command: str) -> float:
        began = time.perf_counter()
        subprocess.run(
            command, cwd=folder, env={**os.environ, **settings}, capture_output=True, check=True
        )
        return time.perf_counter() - began

    return do


def edited(folder: Path) -> None:
    """Change a parameter by hand, which a run of the tight mode undoes."""
    path = folder / BEST
    path.write_text(path.read_text().replace("max_depth: ", "max_depth: 1"))


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args(arguments).repeats
    run = (sys.executable, "-m", "tunesmith", "run", "-q")
    commands = {
        "`python -c pass`": (sys.executable, "-c", "pass"),
        "`tunesmith run`, nothing changed": run,
        "`tunesmith run`, after a hand edit": run,
        "`dvc repro`, nothing changed": ("dvc", "repro"),
        "`dvc repro -f bare`": ("dvc", "repro", "-f", "bare"),
        "`dvc repro -f tuning`": ("dvc", "repro", "-f", "tuning"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        do = runner(folder)
        project(folder, do)
        for _ in range(repeats):
            for label, command in commands.items():
                if "edit" in label:
                    edited(folder)
                seconds[label].append(do(*command))
    print(f"| a finished study of {N_TRIALS} trials | seconds |\n|---|---:|")
    found = {label: median(times) for label, times in seconds.items()}
    for label, value in found.items():
        print(f"| {label} | {value:.2f} |")
    ours = found["`dvc repro -f tuning`"] - found["`dvc repro -f bare`"]
    print(f"\nOf `dvc repro -f tuning`, {ours:.2f} s are ours: the stage beside it does nothing.")


if __name__ == "__main__":
    main()
