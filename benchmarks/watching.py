"""The time that watching adds to a run: ``python benchmarks/watching.py [repeats]``.

Runs take turns, watched and not, so that what else the machine does strikes both alike; of each the
quickest counts.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tunesmith.objective.program.ground import RunGround
from tunesmith.objective.program.watch import Watch

PROGRAMS = {
    "true": ["/bin/true"],
    "sh, three programs": ["/bin/sh", "-c", "cat x | sort | wc -l"],
    "Python": [sys.executable, "-c", "print(open('x').read())"],
    "Python, json and csv": [sys.executable, "-c", "import json, csv, argparse, pathlib"],
    "Python, scikit-learn": [sys.executable, "-c", "import sklearn.ensemble, pandas"],
}


def main(repeats: int) -> None:
    """Print a table: milliseconds alone and watched, and calls that waited."""
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        (place / "x").write_text("1\n")
        for name, argv in PROGRAMS.items():
            alone, watched, n_seen = [], [], 0
            for _ in range(repeats if "scikit" not in name else max(3, repeats // 10)):
                alone.append(timed(argv, place, None))
                ground = RunGround(str(place), str(place), str(place))
                watched.append(timed(argv, place, Watch(ground)))
                n_seen = len(ground.seen)
            quick = 1e3 * min(alone), 1e3 * min(watched)
            added = f"{quick[1] - quick[0]:+.1f} ms"
            print(f"{name:22} {quick[0]:8.1f} {quick[1]:8.1f} {added:>10} {n_seen:6} paths")


def timed(argv: list[str], place: Path, watch: Watch | None) -> float:
    """Seconds that a run takes."""
    began = time.perf_counter()
    start = subprocess.Popen if watch is None else watch.start
    with start(argv, cwd=place, stdout=subprocess.DEVNULL) as process:
        process.wait()
    if watch is not None:
        watch.stop()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
