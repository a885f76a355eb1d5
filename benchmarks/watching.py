"""The time that watching adds to a run: ``python benchmarks/watching.py [repeats]``.

Runs take turns, watched and not, so that what else the machine does strikes both alike; of each the
quickest counts. The processor time that the watching thread needs for a call tells the same on a
machine that is busy, where the times of whole runs tell little.
"""

import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tunesmith.objective.program.observing.file_owners import RunGround
from tunesmith.objective.program.observing.observer import Observer
from tunesmith.objective.program.observing.seccomp import Listener

PROGRAMS = {
    "true": ["/bin/true"],
    "sh, three programs": ["/bin/sh", "-c", "cat x | sort | wc -l"],
    "Python": [sys.executable, "-c", "print(open('x').read())"],
    "Python, json and csv": [sys.executable, "-c", "import json, csv, argparse, pathlib"],
    "Python, scikit-learn": [sys.executable, "-c", "import sklearn.ensemble, pandas"],
}


@dataclass
class Spent:
    """Work of the watching thread."""

    n_calls: int = 0
    cpu_s: list[float] = field(default_factory=list)
    """Per run."""


def main(repeats: int) -> None:
    """Print a table: milliseconds alone and watched, calls that waited, time spent on them."""
    print(f"Linux {platform.release()}, Python {platform.python_version()}")
    print(
        f"{'':22} {'alone':>8} {'watched':>8} {'added':>10} {'calls':>6} {'CPU of the watcher':>20}"
    )
    spent = Spent()
    _count(spent)
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        (place / "x").write_text("1\n")
        for name, argv in PROGRAMS.items():
            alone, watched = [], []
            spent.cpu_s.clear()
            for _ in range(repeats if "scikit" not in name else max(3, repeats // 10)):
                alone.append(timed(argv, place, None))
                spent.n_calls = 0
                ground = RunGround(str(place), str(place), str(place))
                watched.append(timed(argv, place, Observer(ground)))
            quick = 1e3 * min(alone), 1e3 * min(watched)
            cpu_ms = 1e3 * min(spent.cpu_s)
            row = f"{name:22} {quick[0]:8.1f} {quick[1]:8.1f} {quick[1] - quick[0]:+7.1f} ms"
            each = f"{cpu_ms:6.1f} ms, {1e3 * cpu_ms / spent.n_calls:3.0f} µs each"
            print(f"{row} {spent.n_calls:6} {each:>20}", flush=True)


def _count(spent: Spent) -> None:
    serve, answer = Observer._serve, Listener.answer

    def counting(self: Any, *arguments: Any) -> None:
        spent.n_calls += 1
        answer(self, *arguments)

    def timing(self: Any) -> None:
        began = time.thread_time()
        serve(self)
        spent.cpu_s.append(time.thread_time() - began)

    Observer._serve = timing  # type: ignore[method-assign]
    Listener.answer = counting  # type: ignore[method-assign, assignment]


def timed(argv: list[str], place: Path, watch: Observer | None) -> float:
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
