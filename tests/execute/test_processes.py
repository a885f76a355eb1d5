import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tunesmith.errors import TunesmithError
from tunesmith.execute.executor import WorkerDiedError
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.testing.executor import ExecutorContract, drain, process_id

pytestmark = pytest.mark.slow


class TestProcessExecutor(ExecutorContract):
    def make(self, function: Callable[[Any], Any], **options: Any) -> ProcessExecutor:
        return ProcessExecutor(function, **options)


def children() -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process().children(recursive=True)
    return found


def test_it_runs_elsewhere_and_leaves_nobody(tmp_path: Path) -> None:
    before = set(children())
    with ProcessExecutor(process_id, n_workers=3) as executor:
        futures = [executor.submit(n) for n in range(12)]
        drain(executor, futures)
        assert os.getpid() not in {future.result() for future in futures}
    assert set(children()) <= before


def test_workers_start_only_when_there_is_work() -> None:
    with ProcessExecutor(process_id, n_workers=8) as executor:
        before = len(children())
        drain(executor, [executor.submit(0)])
        assert len(children()) - before == 1


def test_a_segmentation_fault_is_named() -> None:
    def crash(_item: Any) -> None:
        import ctypes

        ctypes.string_at(0)

    with ProcessExecutor(crash, n_workers=1) as executor:
        future = executor.submit(0)
        drain(executor, [future])
        assert "SIGSEGV" in str(future.exception())


def test_poison_among_innocents_runs_twice_and_they_once(tmp_path: Path) -> None:
    def work(item: int) -> int:
        with (tmp_path / "truth").open("a") as log:
            log.write(f"{item}\n")
        if item == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return item

    with ProcessExecutor(work, n_workers=2) as executor:
        futures = [executor.submit(n) for n in range(12)]
        drain(executor, futures)
    ran = Counter(int(line) for line in (tmp_path / "truth").read_text().split())
    assert ran == {n: 2 if n == 4 else 1 for n in range(12)}
    assert isinstance(futures[4].exception(), WorkerDiedError)
    assert "out of memory" in str(futures[4].exception())


def test_workers_killed_at_random_cost_no_result() -> None:
    def nap(item: int) -> int:
        time.sleep(0.03)
        return item

    rng = np.random.default_rng(0)
    before = set(children())
    with ProcessExecutor(nap, n_workers=2) as executor:
        futures = [executor.submit(n) for n in range(60)]
        found: list[Any] = []
        while len(found) < 60:
            found += executor.completed(0.2)
            victims = [p for p in children() if p not in before]
            if victims and rng.random() < 0.3:
                victims[int(rng.integers(len(victims)))].kill()
        failed = [f for f in futures if f.exception() is not None]
    # A call fails only if its worker is killed twice; the second time it runs alone.
    assert len(failed) <= 5
    assert [f.result() for f in futures if f not in failed] == [
        n for n, f in enumerate(futures) if f not in failed
    ]


def test_a_timeout_kills_the_whole_tree(tmp_path: Path) -> None:
    def spawn(_item: Any) -> None:
        child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 60"])
        (tmp_path / "pid").write_text(str(child.pid))
        time.sleep(60)

    with ProcessExecutor(spawn, n_workers=1, timeout_s=1.0) as executor:
        drain(executor, [executor.submit(0)])
        assert not psutil.pid_exists(int((tmp_path / "pid").read_text())) or (
            psutil.Process(int((tmp_path / "pid").read_text())).status() == psutil.STATUS_ZOMBIE
        )


def test_kill_9_of_the_parent_leaves_nobody(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import subprocess, sys, time
            from tunesmith.execute.processes import ProcessExecutor

            def spawn(path):
                child = subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; sleep 60"])
                with open(path, "a") as log:
                    log.write(f"{__import__('os').getpid()} {child.pid}\\n")
                time.sleep(60)

            with ProcessExecutor(spawn, n_workers=2) as executor:
                for _ in range(2):
                    executor.submit(sys.argv[1])
                executor.completed()
            """
        )
    )
    log = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, str(script), str(log)])
    end = time.monotonic() + 30
    while (not log.is_file() or len(log.read_text().split()) < 4) and time.monotonic() < end:
        time.sleep(0.05)
    pids = [int(word) for word in log.read_text().split()]
    assert len(pids) == 4
    parent.kill()
    parent.wait()
    time.sleep(1.0)
    alive = [
        pid
        for pid in pids
        if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]
    assert alive == []


def test_scripts_need_no_main_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from tunesmith.execute.processes import ProcessExecutor\n"
        "factor = 3\n"
        "def triple(n): return factor * n\n"
        "with ProcessExecutor(triple, n_workers=2) as executor:\n"
        "    future = executor.submit(5)\n"
        "    executor.completed()\n"
        "    print(future.result())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.stdout == "15\n", done.stderr


def test_one_thread_a_call_also_for_nested_parallelism() -> None:
    def fit(_item: Any) -> tuple[list[int], int]:
        from sklearn.datasets import make_classification
        from sklearn.ensemble import RandomForestClassifier
        from threadpoolctl import threadpool_info

        X, y = make_classification(200, random_state=0)
        RandomForestClassifier(n_estimators=10, n_jobs=-1, random_state=0).fit(X, y)
        n_children = len(psutil.Process().children(recursive=True))
        return [pool["num_threads"] for pool in threadpool_info()], n_children

    with ProcessExecutor(fit, n_workers=1) as executor:
        future = executor.submit(0)
        drain(executor, [future])
        threads, n_children = future.result()
    assert set(threads) <= {1}
    assert n_children == 0


def test_workers_that_cannot_start_end_the_wait() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (exec, ("raise RuntimeError('cannot be made here')",))

    bomb = Bomb()
    with ProcessExecutor(lambda _item: bomb, n_workers=1) as executor:
        executor.submit(0)
        with pytest.raises(TunesmithError, match="cannot be made here"):
            executor.completed()


def test_the_handed_over_data_is_private_and_removed() -> None:
    executor = ProcessExecutor(process_id, n_workers=1)
    folder = executor._folder
    assert folder.stat().st_mode & 0o777 == 0o700
    executor.close()
    assert not folder.exists()
