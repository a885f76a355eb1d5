import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tunesmith.errors import LostError, TunesmithError, UsageError
from tunesmith.execute.executor import CallTimeoutError, WorkerDiedError
from tunesmith.execute.fork_server import ForkServer
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.system.child_processes import descendants
from tunesmith.testing.executor import ExecutorContract, drain, process_id

pytestmark = pytest.mark.slow


class TestProcessExecutor(ExecutorContract):
    def make(self, function: Callable[[Any], Any], **options: Any) -> ProcessExecutor:
        return ProcessExecutor(function, **options)


def children() -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process().children(recursive=True)
    return found


def server_of(executor: ProcessExecutor) -> int:
    assert isinstance(executor._starter, ForkServer)
    return executor._starter._process.pid


def test_it_runs_elsewhere_and_leaves_nobody(tmp_path: Path) -> None:
    before = set(children())
    with ProcessExecutor(process_id, n_workers=3) as executor:
        futures = [executor.submit(n) for n in range(12)]
        drain(executor, futures)
        assert os.getpid() not in {future.result() for future in futures}
    assert set(children()) <= before


def test_workers_start_only_when_there_is_work() -> None:
    before = len(children())
    with ProcessExecutor(process_id, n_workers=8) as executor:
        drain(executor, [executor.submit(0)])
        assert len(children()) - before == 4  # the fork server and one worker, each with its guard


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
    assert "killed by SIGKILL; " in str(futures[4].exception())


def test_what_lost_a_process_of_its_own_is_tried_once_more_and_alone(tmp_path: Path) -> None:
    def work(item: int) -> int:
        began = time.monotonic()
        time.sleep(0.05)
        with (tmp_path / "truth").open("a") as log:
            log.write(f"{item} {began} {time.monotonic()}\n")
        if item == 3 or (item == 5 and (tmp_path / "truth").read_text().count("\n5 ") == 1):
            raise LostError("the program was killed")
        return item

    with ProcessExecutor(work, n_workers=2) as executor:
        futures = [executor.submit(n) for n in range(8)]
        drain(executor, futures)
    assert isinstance(futures[3].exception(), WorkerDiedError)
    assert str(futures[3].exception()) == "the program was killed"
    assert [f.result() for f in futures if f is not futures[3]] == [0, 1, 2, 4, 5, 6, 7]
    spans = [line.split() for line in (tmp_path / "truth").read_text().splitlines()]
    again = {span[0]: (float(span[1]), float(span[2])) for span in spans if span[0] in "35"}
    for begin, end in again.values():
        others = [s for s in spans if float(s[1]) != begin]
        assert all(float(s[2]) <= begin or float(s[1]) >= end for s in others)


def test_workers_killed_at_random_cost_no_result() -> None:
    def nap(item: int) -> int:
        time.sleep(0.03)
        return item

    rng = np.random.default_rng(0)
    with ProcessExecutor(nap, n_workers=2) as executor:
        futures = [executor.submit(n) for n in range(60)]
        n_found, n_kills = len(executor.completed()), 0
        (fork_server,) = psutil.Process(server_of(executor)).children()
        while n_found < 60:
            n_found += len(executor.completed(0.2))
            victims = descendants(fork_server.pid)
            if victims and rng.random() < 0.3:
                # One that ended in the meantime is no victim.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victims[int(rng.integers(len(victims)))], signal.SIGKILL)
                    n_kills += 1
        failed = [f for f in futures if f.exception() is not None]
    # A call fails only if two of its workers are killed; how often that hits one is the clock's.
    assert 2 * len(failed) <= n_kills
    assert [f.result() for f in futures if f not in failed] == [
        n for n, f in enumerate(futures) if f not in failed
    ]


ESCAPES = {
    "child": "sleep 60 & echo $! >> {log}; wait",
    "deaf child": "sh -c 'trap \"\" TERM INT HUP; sleep 60' & echo $! >> {log}; wait",
    "own session": "setsid sh -c 'echo $$ >> {log}; sleep 60' & wait",
    "daemon": "setsid sh -c 'setsid sh -c \"echo \\$\\$ >> {log}; sleep 60\" & exit' & sleep 60",
    "many": "for i in 1 2 3 4 5 6 7 8; do setsid sh -c"
    " 'for j in 1 2 3 4; do setsid sleep 60 & echo $! >> {log}; done; wait' & done; wait",
}
N_ESCAPING = {"many": 32}


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def logged(log: Path, n: int) -> list[int]:
    """The first n process numbers in a file, once they are there."""
    end = time.monotonic() + 30
    while not log.is_file() or len(log.read_text().split()) < n:
        assert time.monotonic() < end
        time.sleep(0.02)
    return [int(word) for word in log.read_text().split()]


@pytest.mark.parametrize("kind", ESCAPES)
def test_a_timeout_leaves_nobody(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "pids"

    def spawn(_item: Any) -> None:
        subprocess.run(["sh", "-c", ESCAPES[kind].replace("{log}", str(log))])

    with ProcessExecutor(spawn, n_workers=1, timeout_s=1.0) as executor:
        future = executor.submit(0)
        drain(executor, [future])
        assert isinstance(future.exception(), CallTimeoutError)
        pids = logged(log, N_ESCAPING.get(kind, 1))
        assert [pid for pid in pids if is_alive(pid)] == []


def test_the_death_of_a_worker_leaves_nobody(tmp_path: Path) -> None:
    log = tmp_path / "pids"

    def crash(_item: Any) -> None:
        subprocess.Popen(["setsid", "sleep", "60"])
        child = subprocess.Popen(["sleep", "60"])
        log.write_text(f"{child.pid} {os.getpid()}")
        os._exit(3)

    before = set(children())
    with ProcessExecutor(crash, n_workers=1) as executor:
        drain(executor, [executor.submit(0)])
        assert [pid for pid in logged(log, 2) if is_alive(pid)] == []
        assert len(set(children()) - before) == 2  # the fork server and its guard


def test_the_death_of_a_guard_costs_no_result() -> None:
    def work(item: int) -> int:
        if not item:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        return item

    with ProcessExecutor(work, n_workers=1) as executor:
        futures = [executor.submit(n) for n in range(3)]
        drain(executor, futures)
        assert isinstance(futures[0].exception(), WorkerDiedError)
        assert [future.result() for future in futures[1:]] == [1, 2]


def test_the_death_of_the_nest_costs_no_result() -> None:
    def nap(item: int) -> int:
        time.sleep(0.05)
        return item

    with ProcessExecutor(nap, n_workers=2) as executor:
        futures = [executor.submit(n) for n in range(10)]
        n_found = len(drain(executor, futures[:4]))
        os.kill(server_of(executor), signal.SIGKILL)
        while n_found < 10:
            n_found += len(executor.completed(1.0))
        assert [future.result() for future in futures] == list(range(10))


def test_a_nest_serves_one_executor_after_the_other() -> None:
    before = set(children())
    with ForkServer() as fork_server:
        for _ in range(2):
            with ProcessExecutor(process_id, n_workers=2, fork_server=fork_server) as executor:
                drain(executor, [executor.submit(n) for n in range(4)])
            assert len(set(children()) - before) == 2  # the fork server and its guard
    assert set(children()) <= before


PARENT = """
import ctypes, os, subprocess, sys, time
from tunesmith.execute.processes import ProcessExecutor

def spawn(log):
    for command in (["sh", "-c", "trap '' TERM INT HUP; sleep 60"], ["setsid", "sleep", "60"]):
        child = subprocess.Popen(command)
        with open(log, "a") as file:
            file.write(f"{child.pid} ")
    with open(log, "a") as file:
        file.write(f"{os.getpid()} {os.getppid()} ")
    ctypes.PyDLL(None).sleep(60)  # holds the interpreter: no thread of this process can act

with ProcessExecutor(spawn, n_workers=2) as executor:
    print(executor._folder, flush=True)
    for _ in range(2):
        executor.submit(sys.argv[1])
    executor.completed()
"""


def test_kill_9_of_the_parent_leaves_nobody_and_nothing(tmp_path: Path) -> None:
    log = tmp_path / "pids"
    command = [sys.executable, "-c", PARENT, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().strip())
        pids = logged(log, 8)
        assert folder.is_dir()
        parent.kill()
    end = time.monotonic() + 5
    while folder.exists() or any(is_alive(pid) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.02)


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
        with pytest.raises(UsageError, match="cannot be made here") as caught:
            executor.completed()
    # One worker has shown it, and the user's own code is named instead of ours.
    said = str(caught.value)
    assert "made again in worker processes: RuntimeError: cannot be made here\n" in said
    assert "in Python `workers=1`" in said
    assert "Traceback" not in said


def test_limits_of_the_system_are_named() -> None:
    with ProcessExecutor(process_id, n_workers=1) as executor:
        future = executor.submit(0)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(TunesmithError, match="cannot start: Too many open files"):
                executor.completed()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        drain(executor, [future])
        assert future.result() != os.getpid()


def test_the_handed_over_data_is_private_and_removed() -> None:
    executor = ProcessExecutor(process_id, n_workers=1)
    folder = executor._folder
    assert folder.stat().st_mode & 0o777 == 0o700
    executor.close()
    assert not folder.exists()


def test_the_environment_is_written_to_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "a secret that nobody may keep")
    with ProcessExecutor(lambda _item: os.environ["MARK"], n_workers=1) as executor:
        future = executor.submit(0)
        drain(executor, [future])
        assert future.result() == os.environ["MARK"]
        files = [path for path in executor._starter.folder.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if os.environ["MARK"].encode() in path.read_bytes()]


@pytest.mark.timeout(30)
def test_a_call_that_cannot_be_sent_fails_by_itself() -> None:
    with ProcessExecutor(process_id, n_workers=1) as executor:
        future = executor.submit(threading.Lock())
        assert list(executor.completed()) == [future]
        assert isinstance(future.exception(), TypeError)
        drain(executor, [executor.submit(0)])


@pytest.mark.timeout(30)
def test_waiting_for_cancelled_calls_alone_returns_at_once() -> None:
    with ProcessExecutor(process_id, n_workers=1) as executor:
        drain(executor, [executor.submit(0)])
        executor.cancel(executor.submit(1))
        assert executor.completed() == []
        executor.submit(2).cancel()
        assert executor.completed() == []
        assert not executor._has_work()


def test_no_worker_starts_for_cancelled_calls() -> None:
    with ProcessExecutor(process_id, n_workers=2) as executor:
        executor.submit(0).cancel()
        assert executor.completed() == []
        assert executor._workers == []


def test_a_call_that_waits_for_its_second_chance_can_be_cancelled(tmp_path: Path) -> None:
    def work(item: int) -> None:
        with (tmp_path / "log").open("a") as log:
            log.write(f"{item} ")
        if item:
            os._exit(1)
        time.sleep(1.0)

    with ProcessExecutor(work, n_workers=2) as executor:
        futures = [executor.submit(n) for n in (0, 1)]
        while not executor._suspects:
            executor.completed(0.01)
        executor.cancel(futures[1])
        drain(executor, futures)
    assert str(futures[1].exception()) == "cancelled"
    assert sorted((tmp_path / "log").read_text().split()) == ["0", "1"]


def test_closing_answers_for_calls_under_way() -> None:
    executor = ProcessExecutor(time.sleep, n_workers=1)
    futures = [executor.submit(60) for _ in range(2)]
    while not futures[0].running():
        executor.completed(0.01)
    began = time.monotonic()
    executor.close()
    assert time.monotonic() - began < 3
    assert "closed" in str(futures[0].exception(0))
    assert futures[1].cancelled()


def test_closing_answers_for_calls_that_wait_for_their_second_chance() -> None:
    executor = ProcessExecutor(lambda item: os._exit(1) if item else time.sleep(60), n_workers=2)
    futures = [executor.submit(n) for n in (0, 1)]
    while not executor._suspects:
        executor.completed(0.01)
    executor.close()
    assert all("closed" in str(future.exception(0)) for future in futures)


@pytest.mark.parametrize(("seconds", "is_ahead"), [(0.0, True), (0.1, False)])
def test_quick_calls_are_handed_out_ahead_and_slow_ones_are_not(
    seconds: float, is_ahead: bool
) -> None:
    with ProcessExecutor(time.sleep, n_workers=2) as executor:
        n_left = len([executor.submit(seconds) for _ in range(300 if is_ahead else 12)])
        deepest = 0
        while n_left:
            n_left -= len(executor.completed())
            deepest = max([deepest, *(len(worker.tasks) for worker in executor._workers)])
    assert (deepest > 1) is is_ahead


def test_large_items_and_results_arrive() -> None:
    content = os.urandom(1 << 20) * 64
    with ProcessExecutor(lambda item: item, n_workers=1) as executor:
        future = executor.submit(content)
        drain(executor, [future])
        assert future.result() == content


def test_a_call_without_enough_memory_fails_by_itself() -> None:
    def greedy(item: int) -> int:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
        return len(bytes(item))

    with ProcessExecutor(greedy, n_workers=1) as executor:
        futures = [executor.submit(n) for n in (1 << 32, 8)]
        drain(executor, futures)
        assert isinstance(futures[0].exception(), MemoryError)
        assert futures[1].result() == 8


def test_memory_is_taken_from_workers_first() -> None:
    def score(_item: Any) -> int:
        return int(Path("/proc/self/oom_score_adj").read_text())

    with ProcessExecutor(score, n_workers=1) as executor:
        future = executor.submit(0)
        drain(executor, [future])
        assert future.result() > int(Path("/proc/self/oom_score_adj").read_text())


def test_what_calls_print_fills_no_disk() -> None:
    def chatter(_item: Any) -> None:
        for stream in (1, 2):
            os.write(stream, bytes(10 << 20))

    with ProcessExecutor(chatter, n_workers=1) as executor:
        drain(executor, [executor.submit(0)])
        assert sum(file.stat().st_size for file in executor._folder.iterdir()) < 1 << 20


def test_files_in_the_working_folder_take_no_modules_place(tmp_path: Path) -> None:
    for name in ("pickle.py", "signal.py", "select.py"):
        (tmp_path / name).write_text("raise RuntimeError('not this one')\n")
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "run.py"
    script.write_text(
        "from tunesmith.execute.processes import ProcessExecutor\n"
        "with ProcessExecutor(abs, n_workers=1) as executor:\n"
        "    future = executor.submit(-1)\n"
        "    executor.completed()\n"
        "    print(future.result())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "1\n", done.stderr
