"""The Dask executor on a real cluster of several processes."""

import gc
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.execute.cluster.conftest import started

from tunesmith.errors import StorageError, TunesmithError, UsageError
from tunesmith.execute.cluster.dask import DaskExecutor
from tunesmith.execute.executor import CallTimeoutError, WorkerDiedError
from tunesmith.testing.executor import ExecutorContract, double, drain

pytestmark = [
    pytest.mark.slow,
    # Dask forgets to close sockets of schedulers and workers that were killed.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _forgotten_sockets() -> Iterator[None]:
    """Have such sockets collected here, not in the test of somebody else."""
    yield
    gc.collect()


class TestDaskExecutor(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _running(self, cluster: str) -> None:
        self.address = cluster

    def make(self, function: Callable[[Any], Any], **options: Any) -> DaskExecutor:
        return DaskExecutor(function, scheduler=self.address, **options)


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def recording(truth: Path, seconds: float) -> Callable[[int], int]:
    """A call that notes its begin, its process and its end, and takes some time."""

    def work(item: int) -> int:
        with truth.open("a") as log:
            log.write(f"begin-{item}-{os.getpid()}\n")
        time.sleep(seconds)
        with truth.open("a") as log:
            log.write(f"end-{item}\n")
        return item

    return work


def is_alive(process: int) -> bool:
    return bool(psutil.pid_exists(process) and psutil.Process(process).status() != "zombie")


def begun(truth: Path) -> dict[int, int]:
    """Processes by the calls that they began last."""
    words = (line.split("-") for line in lines(truth) if line.startswith("begin"))
    return {int(item): int(process) for _, item, process in words}


def test_a_cluster_of_this_process_listens_on_loopback_only() -> None:
    before = {c.laddr for c in psutil.Process().net_connections() if c.status == "LISTEN"}
    with DaskExecutor(double, n_workers=2) as executor:
        futures = [executor.submit(n) for n in range(4)]
        drain(executor, futures)
        assert [future.result() for future in futures] == [0, 2, 4, 6]
        now = {c.laddr for c in psutil.Process().net_connections() if c.status == "LISTEN"}
        assert {address.ip for address in now - before} <= {"127.0.0.1"}
        assert executor.n_workers == 2


def test_cancelling_stops_the_code(cluster: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    with DaskExecutor(recording(truth, 60), scheduler=cluster) as executor:
        future = executor.submit(7)
        while not begun(truth):
            executor.completed(0.05)
        assert is_alive(begun(truth)[7])
        executor.cancel(future)
        assert isinstance(future.exception(), WorkerDiedError)
        wait_for(lambda: not is_alive(begun(truth)[7]))


def test_what_a_dead_run_has_begun_is_stopped(cluster: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    program = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.execute.cluster.test_dask import recording
from tunesmith.execute.cluster.dask import DaskExecutor
executor = DaskExecutor(recording(Path({str(truth)!r}), 60), scheduler={cluster!r})
executor.submit(1)
executor.completed(60)
"""
    with subprocess.Popen([sys.executable, "-c", program]) as run:
        wait_for(lambda: begun(truth))
        run.kill()
    wait_for(lambda: not is_alive(begun(truth)[1]))


def test_a_killed_worker_costs_what_ran_on_it(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    with (
        started(tmp_path, "scheduler") as scheduler,
        started(tmp_path, "worker", scheduler.address) as first,
        DaskExecutor(recording(truth, 0.2), scheduler=scheduler.address) as executor,
    ):
        futures = [executor.submit(n) for n in range(8)]
        ended: list[Any] = []
        while len(ended) < 3:
            ended += executor.completed(1.0)
        with started(tmp_path, "worker", scheduler.address):
            first.kill()
            drain(executor, [f for f in futures if not f.done()])
            assert [future.result() for future in futures] == list(range(8))
    ends = Counter(line for line in lines(truth) if line.startswith("end"))
    begins = [line for line in lines(truth) if line.startswith("begin")]
    # One call was running there, or had ended with its answer under way; no other was made again.
    assert sum(ends.values()) <= 8 + 1
    assert len(begins) <= 8 + 1


def test_a_call_that_has_lost_its_worker_can_be_cancelled(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    with (
        started(tmp_path, "scheduler") as scheduler,
        started(tmp_path, "worker", scheduler.address) as worker,
        DaskExecutor(recording(truth, 60), scheduler=scheduler.address) as executor,
    ):
        future = executor.submit(1)
        wait_for(lambda: executor.completed(0.1) or begun(truth))
        worker.kill()
        wait_for(lambda: executor.completed(0.1) or not executor._members)
        executor.cancel(future)
        assert isinstance(future.exception(0), WorkerDiedError)
        assert list(executor.completed(0)) == [future]
        assert executor.completed(60) == []


def test_a_restarted_scheduler_costs_what_was_running(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    with started(tmp_path, "scheduler") as scheduler:
        address = scheduler.address
        worker = started(tmp_path, "worker", address)
        executor = DaskExecutor(recording(truth, 0.2), scheduler=address)
        futures = [executor.submit(n) for n in range(6)]
        ended = list(executor.completed(60))
        scheduler.kill()
    worker.kill()
    port = int(address.rpartition(":")[2])
    with (
        executor,
        started(tmp_path, "scheduler", port=port),
        started(tmp_path, "worker", address),
    ):
        ended += drain(executor, [f for f in futures if f not in ended])
        assert [future.result() for future in futures] == list(range(6))
    assert len({id(future) for future in ended}) == len(ended) == 6


def test_a_call_that_takes_workers_with_it_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.execute.cluster.dask.MAX_LOSSES", 2)
    with started(tmp_path, "scheduler") as scheduler:
        # One more than it may lose: the first may hold other calls, too, and blames none.
        workers = [started(tmp_path, "worker", scheduler.address) for _ in range(4)]
        names = {worker.process.pid for worker in workers}

        def poison(item: int) -> int:
            if item == 1:
                # The Dask worker itself, as when a machine is taken away.
                own = next(p for p in psutil.Process().parents() if p.pid in names)
                own.kill()
                time.sleep(60)
            return item

        with DaskExecutor(poison, scheduler=scheduler.address) as executor:
            futures = [executor.submit(n) for n in range(6)]
            drain(executor, futures)
            assert "2 workers were lost with it" in str(futures[1].exception())
            assert [futures[n].result() for n in (0, 2, 3, 4, 5)] == [0, 2, 3, 4, 5]
        for worker in workers:
            worker.kill()


def test_a_worker_that_differs_is_refused(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.execute.cluster.sent.VERSION", "99.0")
    with DaskExecutor(double, scheduler=cluster) as executor:
        said: list[str] = []
        executor.say = said.append
        executor.submit(1)
        with pytest.raises(UsageError, match=r"tunesmith 99\.0 in the run, .* here"):
            drain(executor, [executor.submit(2)])
    assert "is not used" in said[0]


def test_gpus_are_given_out_one_by_one(tmp_path: Path) -> None:
    def device(_item: int) -> str:
        time.sleep(0.1)
        return os.environ["CUDA_VISIBLE_DEVICES"]

    with (
        started(tmp_path, "scheduler") as scheduler,
        started(tmp_path, "worker", scheduler.address, threads=4, resources="GPU=2"),
        DaskExecutor(device, scheduler=scheduler.address, gpus=2) as executor,
    ):
        futures = [executor.submit(n) for n in range(6)]
        drain(executor, futures)
        assert {future.result() for future in futures} == {"0", "1"}
        assert executor.n_workers == 2


def test_without_workers_it_ends_with_advice(tmp_path: Path) -> None:
    with (
        started(tmp_path, "scheduler") as scheduler,
        DaskExecutor(double, scheduler=scheduler.address, patience_s=0.1) as executor,
    ):
        executor.submit(1)
        with pytest.raises(TunesmithError, match="there was no worker for"):
            drain(executor, [executor.submit(2)])


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.execute.cluster.deploy.CONNECT_S", 0.5)
    with pytest.raises(StorageError, match="does not answer"):
        DaskExecutor(double, scheduler="tcp://127.0.0.1:1")


def test_time_limits_hold_for_calls_that_wait_there(cluster: str) -> None:
    # More calls than threads: time is counted from the begin of a call, not from its submission.
    with DaskExecutor(time.sleep, scheduler=cluster, timeout_s=2.0) as executor:
        futures = [executor.submit(seconds) for seconds in [0.7] * 9 + [60.0]]
        drain(executor, futures)
        assert isinstance(futures[9].exception(), CallTimeoutError)
        assert [future.result() for future in futures[:9]] == [None] * 9


def test_a_scheduler_that_was_replaced_while_nobody_looked_is_noticed(tmp_path: Path) -> None:
    with started(tmp_path, "scheduler") as scheduler:
        address = scheduler.address
        worker = started(tmp_path, "worker", address)
        executor = DaskExecutor(double, scheduler=address)
        first = executor.submit(1)
        drain(executor, [first])
        assert executor._link is not None
        client = executor._link._client
        before = client.scheduler_comm
    worker.kill()
    port = int(address.rpartition(":")[2])
    with executor, started(tmp_path, "scheduler", port=port):
        # Dask's client connects anew by itself, and forgets all that it had subscribed to.
        wait_for(lambda: client.scheduler_comm not in (None, before))
        with started(tmp_path, "worker", address):
            second = executor.submit(2)
            wait_for(lambda: executor.completed(0.5))
            assert second.result(0) == 4
