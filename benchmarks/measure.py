"""One side of a comparison in a fresh tree of processes: its wall time, CPU time and memory.

``measure`` starts a watcher, a process of its own, which forks the side. The side imports what it
needs and makes its data, then the clock starts. Worker processes that the side starts belong to its
tree, whoever their parents are by the end: the watcher adopts orphans (it is a sub-reaper), and so
the resource usage of every process reaches it when it has waited for all.
"""

import ctypes
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PR_SET_CHILD_SUBREAPER = 36
PAUSE_S = 0.05
SHARE_OF_LOOKING = 50
"""Looking at memory takes a core for a fiftieth of the time at most."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Measured:
    """What one side took, and what it found."""

    wall_s: float
    cpu_s: float
    """User and system time of all processes, from the start of the clock until all have ended."""
    peak_mib: float
    """The highest sum over all processes, memory that several share counted once."""
    found: Any


def measure(prepare: Callable[..., Callable[[], Any]], *arguments: Any) -> Measured:
    """Run one side.

    Args:
        prepare: called before the clock starts; returns what is measured.
        arguments: for ``prepare``; both travel by pickle.

    Raises:
        RuntimeError: the side failed; says how.
    """
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder) / "task", Path(folder) / "answer"
        task.write_bytes(pickle.dumps((prepare, arguments)))
        watcher = subprocess.run(
            [sys.executable, "-m", "benchmarks.measure", task, answer],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
            capture_output=True,
            text=True,
        )
        if watcher.returncode or not answer.exists():
            raise RuntimeError(f"{prepare.__name__} failed:\n{watcher.stderr}")
        before_s, wall_s, found = pickle.loads(answer.read_bytes())  # noqa: S301 - our own child
    cpu_s, peak_mib = map(float, watcher.stdout.split()[-2:])
    return Measured(wall_s, cpu_s - before_s, peak_mib, found)


def work(task: Path, answer: Path) -> None:
    """The side itself: prepare, run, and write down the times and what was found."""
    prepare, arguments = pickle.loads(task.read_bytes())  # noqa: S301 - our own parent's
    run = prepare(*arguments)
    before_s, began = sum(os.times()[:4]), time.perf_counter()
    found = run()
    wall_s = time.perf_counter() - began
    answer.write_bytes(pickle.dumps((before_s, wall_s, found)))


def watch(side: int) -> tuple[int, float, float]:
    """Wait until a side and all that came from it have ended.

    Returns:
        The side's exit code, CPU seconds, peak memory in MiB.
    """
    code, cpu_s, peak, looked_s = 0, 0.0, 0, 0.0
    while True:
        try:
            process, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return code, cpu_s, peak / 1024**2
        if process:
            cpu_s += usage.ru_utime + usage.ru_stime
            code = os.waitstatus_to_exitcode(status) if process == side else code
            continue
        began = time.perf_counter()
        peak = max(peak, memory())
        looked_s = time.perf_counter() - began
        time.sleep(max(PAUSE_S, SHARE_OF_LOOKING * looked_s))


def memory() -> int:
    """Bytes that all descendants hold now: proportional set sizes, shared pages counted once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


def main() -> None:
    """The watcher, and in its fork the side."""
    task, answer = map(Path, sys.argv[1:])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    if (side := os.fork()) == 0:
        work(task, answer)
        return
    code, cpu_s, peak_mib = watch(side)
    print(cpu_s, peak_mib)
    sys.exit(code)


if __name__ == "__main__":
    main()
