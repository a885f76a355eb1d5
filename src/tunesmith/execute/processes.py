"""Worker processes of our own: one that dies costs its own call and nothing else.

A pool of the standard library fails all its calls when one worker is killed. Here every worker
has its own guard, its own connection, and at most one call in hand.
"""

import pickle
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tunesmith.errors import TunesmithError
from tunesmith.execute import handover
from tunesmith.execute.executor import Call, CallTimeoutError, WorkerDiedError
from tunesmith.execute.nest import Nest, Process
from tunesmith.execute.worker import FAILED, READY, RESULT

MAX_STRIKES = 2
MAX_FAILED_STARTS = 3


@dataclass(eq=False)
class _Task:
    """A submitted call."""

    item: Any
    number: int
    future: Future[Any] = field(default_factory=Future)
    strikes: int = 0
    """How many workers died while they had it."""


@dataclass(eq=False)
class _Worker:
    """A worker process and what it has in hand."""

    process: Process
    log: Path
    is_ready: bool = False
    task: _Task | None = None
    deadline: float | None = None


class ProcessExecutor:
    """Runs calls in worker processes.

    Args:
        function: called with each item; sent to the workers once, its arrays memory-mapped.
        n_workers: processes at a time; they start when there is work for them.
        timeout_s: a call that runs longer is killed together with its worker.
        n_threads: BLAS and OpenMP threads of a call. The default of one makes results independent
            of the number of cores and of workers.
        nest: where workers come from, left open at the end; by default the executor's own, with
            ``n_threads``. One that was made early has imported by now what the calls need.
    """

    def __init__(
        self,
        function: Call,
        *,
        n_workers: int = 1,
        timeout_s: float | None = None,
        n_threads: int = 1,
        nest: Nest | None = None,
    ) -> None:
        self.n_workers, self._timeout_s = n_workers, timeout_s
        self._queue: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()
        self._workers: list[_Worker] = []
        self._done: list[_Task] = []
        self._n_submitted = self._n_failed_starts = 0
        self._is_nest_ours = nest is None
        self._nest = nest or Nest(n_threads=n_threads)
        self._folder = Path(tempfile.mkdtemp(dir=self._nest.folder))
        try:
            handover.dump(function, self._folder / "function")
        except BaseException:
            self.close()
            raise

    # -- the executor's shape ----------------------------------------------------------------

    def submit(self, item: Any) -> Future[Any]:
        """Queue a call."""
        task = _Task(item, self._n_submitted)
        self._n_submitted += 1
        self._queue.append(task)
        return task.future

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:
        """Wait for results; returns at once when nothing is under way."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        self._assign()
        while not self._done and self._has_work():
            self._listen(end)
            self._enforce_deadlines()
            # Also after the last result: keep the workers busy while the caller digests it.
            self._assign()
            if end is not None and time.monotonic() >= end:
                break
        done, self._done = sorted(self._done, key=lambda task: task.number), []
        return [task.future for task in done]

    def cancel(self, future: Future[Any]) -> None:
        """Drop a queued call; kill the worker of a running one."""
        future.cancel()
        for task in [task for task in self._suspects if task.future is future]:
            self._suspects.remove(task)
            self._settle(task, error=WorkerDiedError("cancelled"))
        for worker in list(self._workers):
            if worker.task is not None and worker.task.future is future:
                self._settle(worker.task, error=WorkerDiedError("cancelled"))
                self._retire(worker)

    def close(self) -> None:
        """Kill all workers and remove the handed-over data."""
        if self._is_nest_ours:
            # Takes everybody with it, also those who are still on their way.
            self._nest.close()
        for worker in self._workers:
            worker.process.dismiss()
        under_way = [*self._suspects, *(w.task for w in self._workers if w.task)]
        for worker in list(self._workers):
            self._retire(worker)
        for task in under_way:
            self._settle(task, error=WorkerDiedError("the executor was closed"))
        for task in self._queue:
            task.future.cancel()
        self._queue.clear()
        self._suspects.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- handing out work --------------------------------------------------------------------

    def _has_work(self) -> bool:
        return bool(self._queue or self._suspects or any(w.task for w in self._workers))

    def _assign(self) -> None:
        self._start_workers()
        for worker in list(self._workers):
            while worker in self._workers and worker.is_ready and worker.task is None:
                task = self._next_task()
                if task is None:
                    return
                self._give(worker, task)

    def _next_task(self) -> _Task | None:
        """The next call; one that lost a worker runs alone, so that nobody else is to blame."""
        busy = [worker.task for worker in self._workers if worker.task]
        if self._suspects:
            return self._suspects.popleft() if not busy else None
        if any(task.strikes for task in busy):
            return None
        while self._queue:
            task = self._queue.popleft()
            if task.future.set_running_or_notify_cancel():
                return task
        return None

    def _give(self, worker: _Worker, task: _Task) -> None:
        worker.task = task
        if self._timeout_s is not None:
            worker.deadline = time.monotonic() + self._timeout_s
        try:
            worker.process.connection.send(task.item)
        except (BrokenPipeError, ConnectionResetError):
            self._bury(worker)
        except Exception as error:  # noqa: BLE001 - an item that cannot be pickled
            worker.task = worker.deadline = None
            self._settle(task, error=error)

    def _start_workers(self) -> None:
        while self._queue and self._queue[0].future.cancelled():
            self._queue.popleft().future.set_running_or_notify_cancel()
        n_calls = len(self._queue) + len(self._suspects) + sum(bool(w.task) for w in self._workers)
        while len(self._workers) < min(self.n_workers, n_calls):
            self._workers.append(self._start())

    def _start(self) -> _Worker:
        log = self._folder / f"worker-{time.monotonic_ns()}.log"
        return _Worker(self._nest.hatch(self._folder / "function", log), log)

    # -- taking in results -------------------------------------------------------------------

    def _listen(self, end: float | None) -> None:
        """Wait until a worker speaks or dies, or the next deadline."""
        deadlines = [w.deadline for w in self._workers if w.deadline is not None]
        moments = deadlines if end is None else [*deadlines, end]
        timeout_s = max(0.0, min(moments) - time.monotonic()) if moments else None
        sources: dict[Any, _Worker] = {w.process.connection: w for w in self._workers}
        sources |= {w.process.lifeline: w for w in self._workers}
        for source in wait(list(sources), timeout_s):
            worker = sources[source]
            if worker in self._workers:
                self._hear(worker)

    def _hear(self, worker: _Worker) -> None:
        # What a worker said before it died counts.
        connection = worker.process.connection
        try:
            message = connection.recv_bytes() if connection.poll() else None
        except (EOFError, OSError, MemoryError):
            message = None
        if message is None:
            self._bury(worker)
        else:
            self._heed(worker, message)

    def _heed(self, worker: _Worker, message: bytes) -> None:
        try:
            kind, content = pickle.loads(message)  # noqa: S301 - from a process of our own
        except Exception as error:  # noqa: BLE001 - a result that cannot be read back
            kind, content = FAILED, error
        if kind == READY:
            worker.is_ready, self._n_failed_starts = True, 0
        elif worker.task is not None:
            task, worker.task, worker.deadline = worker.task, None, None
            if kind == RESULT:
                self._settle(task, result=content)
            else:
                self._settle(task, error=content)

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.deadline is not None and worker.task is not None and now >= worker.deadline:
                message = f"stopped after {self._timeout_s:g} seconds"
                self._settle(worker.task, error=CallTimeoutError(message))
                self._retire(worker)

    def _bury(self, worker: _Worker) -> None:
        """A worker has died: try its call once more, alone, then give the call up."""
        task = worker.task
        status = self._retire(worker)
        if not worker.is_ready:
            self._blame_start(worker, status)
        if task is None:
            return
        task.strikes += 1
        if task.strikes < MAX_STRIKES:
            self._suspects.append(task)
        else:
            self._settle(task, error=WorkerDiedError(cause_of_death(status)))

    def _blame_start(self, worker: _Worker, status: int) -> None:
        self._n_failed_starts += 1
        if self._n_failed_starts >= MAX_FAILED_STARTS:
            said = worker.log.read_text(errors="replace") or self._nest.complaint()
            reason = said.strip()[-2000:] or cause_of_death(status)
            raise TunesmithError(f"worker processes cannot start:\n{reason}")

    def _retire(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        return worker.process.kill()

    def _settle(self, task: _Task, *, result: Any = None, error: Any = None) -> None:
        if error is None:
            task.future.set_result(result)
        else:
            task.future.set_exception(error)
        self._done.append(task)


def cause_of_death(status: int) -> str:
    """What ended a process, from its return code.

    >>> cause_of_death(-9)
    'its process was killed by SIGKILL (probably out of memory)'
    """
    if status >= 0:
        return f"its process exited with status {status}"
    name = signal.Signals(-status).name
    hint = " (probably out of memory)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
