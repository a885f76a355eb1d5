"""Executor with worker processes of our own: one that dies costs its own call only.

A pool of the standard library fails all its calls when one worker is killed. Here every worker has
its own supervisor, its own connection and one running call.

If calls take a few milliseconds, a worker would lose much of its time waiting for the next one. So
workers get some quick calls ahead. These wait in the connection and are not assigned yet: when the
worker dies they go back into the queue.
"""

import math
import pickle
import selectors
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.errors import LostError, TunesmithError, UsageError
from tunesmith.execute import shared_data
from tunesmith.execute.executor import Call, CallTimeoutError, WorkerDiedError
from tunesmith.execute.libraries import libraries
from tunesmith.execute.starter import Starter, WorkerProcess, starter
from tunesmith.execute.worker import DURATION, FAILED, READY, RESULT, UNREADABLE
from tunesmith.system import faults
from tunesmith.system.out_of_memory import killed_words, kills
from tunesmith.types import EndsWithBlock

# A call whose worker died may be innocent (memory ran out elsewhere), so it gets one more try.
MAX_STRIKES = 2
MAX_FAILED_STARTS, MAX_SAID = 3, 2000
HELD_S, MAX_HELD = 0.05, 8
"""A worker holds calls for about ``HELD_S`` seconds of work, and at most ``MAX_HELD`` of them."""
SLOW_S = 0.05
"""Seconds. Slower calls are handed out one by one: none must wait behind another."""
FORGETTING = 0.95
SMALL_BYTES = 1 << 14
"""Size up to which calls are sent ahead.

A connection buffers such calls; a larger one would block this process until the worker reads it.
"""


@dataclass(eq=False)
class _Task:
    """A submitted call."""

    content: bytes
    """The item, pickled."""
    number: int
    future: Future[Any] = field(default_factory=Future)
    strikes: int = 0
    """Number of workers that died while they ran it."""


@dataclass(eq=False)
class _Worker:
    """A worker process and its calls."""

    process: WorkerProcess
    log: Path
    is_ready: bool = False
    tasks: deque[_Task] = field(default_factory=deque)
    """Its calls: the first one is running, the others are sent, but not begun."""
    since: float = 0.0
    """Monotonic time at which the first call began."""


class ProcessExecutor(EndsWithBlock):
    """Runs calls in worker processes.

    Args:
        function: called with each item; sent to the workers once, its arrays memory-mapped.
        n_workers: processes at a time; they start when there is work for them.
        timeout_s: a call that runs longer is killed together with its worker.
        n_threads: BLAS and OpenMP threads of a call. The default of one makes results independent
            of the number of cores and of workers.
        fork_server: the starter of workers, left open at the end; by default the executor's own,
            with ``n_threads``. One that was made early has preloaded by now what the calls need.
    """

    def __init__(
        self,
        function: Call,
        *,
        n_workers: int = 1,
        timeout_s: float | None = None,
        n_threads: int = 1,
        fork_server: Starter | None = None,
    ) -> None:
        self.n_workers, self._timeout_s = n_workers, timeout_s
        self._queue: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()
        self._workers: list[_Worker] = []
        self._done: list[_Task] = []
        self._n_submitted = self._n_failed_starts = 0
        self._slowest_s = math.inf
        """Seconds of the slowest recent call; infinite until one has ended."""
        self._kills = kills()
        """Count of the out-of-memory killer when a process was last seen to end."""
        self._owns_starter = fork_server is None
        self._starter = fork_server or starter(n_threads)
        self._selector = self._starter.selector()
        self._folder = Path(tempfile.mkdtemp(dir=self._starter.folder))
        try:
            # Before any worker starts: a function that cannot be pickled is the user's error, and
            # must not look like workers that die.
            modules = shared_data.dump(function, self._folder / "function")
            self._surroundings = shared_data.surroundings(self._starter.environment())
            self._starter.preload(libraries(modules))
        except BaseException:
            self.close()
            raise

    # -- the executor's shape ----------------------------------------------------------------

    def submit(self, item: Any) -> Future[Any]:
        """Queue a call."""
        task = _Task(b"", self._n_submitted)
        self._n_submitted += 1
        try:
            task.content = pickle.dumps(item)
        except Exception as error:  # noqa: BLE001 - an item that cannot be pickled
            self._settle(task, error=error)
        else:
            self._queue.append(task)
        return task.future

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:
        """Wait for results; returns at once if no call is queued or running."""
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
        """Drop a queued call; kill the worker of a running one.

        A quick call that was sent ahead may still run; its result is dropped.
        """
        if future.cancel():
            return
        for task in [task for task in self._suspects if task.future is future]:
            self._suspects.remove(task)
            self._settle(task, error=WorkerDiedError("cancelled"))
        for worker in list(self._workers):
            if worker.tasks and worker.tasks[0].future is future:
                self._settle(worker.tasks[0], error=WorkerDiedError("cancelled"))
                self._retire(worker)

    def close(self) -> None:
        """Kill all workers and remove the shared data."""
        if self._owns_starter:
            # Closing the server also ends workers that are still starting.
            self._starter.close()
        # All are told before the first is waited for, so that they end at the same time.
        for worker in self._workers:
            worker.process.dismiss()
        under_way = [*self._suspects, *(w.tasks[0] for w in self._workers if w.tasks)]
        for worker in list(self._workers):
            self._retire(worker)
        for task in under_way:
            self._settle(task, error=WorkerDiedError("the executor was closed"))
        for task in self._queue:
            task.future.cancel()
        self._queue.clear()
        self._suspects.clear()
        self._selector.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- handing out work --------------------------------------------------------------------

    def _has_work(self) -> bool:
        return bool(self._queue or self._suspects or any(w.tasks for w in self._workers))

    def _assign(self) -> None:
        self._start_workers()
        while (worker := self._idlest()) and (task := self._next_task(worker)):
            self._give(worker, task)

    def _idlest(self) -> _Worker | None:
        """Return the worker with the fewest calls, if it may have one more."""
        ready = [worker for worker in self._workers if worker.is_ready]
        worker = min(ready, key=lambda worker: len(worker.tasks), default=None)
        return worker if worker and len(worker.tasks) < self._depth() else None

    def _depth(self) -> int:
        """Number of calls that a worker may have: several if all recent ones were quick."""
        if self._slowest_s > SLOW_S or not self._starter.sends_ahead:
            return 1
        return min(MAX_HELD, 1 + int(HELD_S / self._slowest_s))

    def _next_task(self, worker: _Worker) -> _Task | None:
        """Return the next call for a worker, if there is one.

        A call that lost a worker runs alone: if its worker dies again, no other call can be the
        cause.
        """
        in_hand = [other.tasks[0] for other in self._workers if other.tasks]
        if self._suspects:
            return self._suspects.popleft() if not in_hand else None
        # While such a call runs, nothing else begins.
        if any(task.strikes for task in in_hand):
            return None
        while self._queue:
            # Large items are not sent ahead (see ``SMALL_BYTES``): the worker must be idle to read
            # them.
            if worker.tasks and len(self._queue[0].content) > SMALL_BYTES:
                return None
            task = self._queue.popleft()
            if not task.future.cancelled():
                return task
        return None

    def _give(self, worker: _Worker, task: _Task) -> None:
        worker.tasks.append(task)
        if len(worker.tasks) == 1:
            self._take_in_hand(worker)
        self._send(worker, task.content)

    def _send(self, worker: _Worker, content: bytes) -> None:
        # A dead worker is noticed by `_hear`, after the messages that it sent before it died.
        faults.reach("run.send")
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.process.connection.send_bytes(content)

    def _take_in_hand(self, worker: _Worker) -> None:
        worker.since = time.monotonic()
        future = worker.tasks[0].future
        if not future.running():
            future.set_running_or_notify_cancel()

    def _start_workers(self) -> None:
        # Cancelled calls in front would start workers that then have nothing to do.
        while self._queue and self._queue[0].future.cancelled():
            self._queue.popleft()
        n_calls = len(self._queue) + len(self._suspects) + sum(bool(w.tasks) for w in self._workers)
        while len(self._workers) < min(self.n_workers, n_calls):
            self._workers.append(self._start())

    def _start(self) -> _Worker:
        log = self._folder / f"worker-{time.monotonic_ns()}.log"
        worker = _Worker(self._starter.start_worker(self._folder / "function", log), log)
        for source in (worker.process.connection, worker.process.lifeline):
            self._selector.register(source, selectors.EVENT_READ, worker)
        # First message: a forked worker cannot import the project's code before it has the places.
        self._send(worker, self._surroundings)
        return worker

    # -- taking in results -------------------------------------------------------------------

    def _listen(self, end: float | None) -> None:
        """Wait for a message or the death of a worker, or for the next deadline."""
        moments = [moment for moment in (*self._deadlines(), end) if moment is not None]
        timeout_s = max(0.0, min(moments) - time.monotonic()) if moments else None
        for key, _ in self._selector.select(timeout_s):
            # An earlier event of the same batch may have retired this worker.
            if key.data in self._workers:
                self._hear(key.data, key.fileobj)

    def _deadlines(self) -> list[float]:
        if self._timeout_s is None:
            return []
        return [worker.since + self._timeout_s for worker in self._workers if worker.tasks]

    def _hear(self, worker: _Worker, source: Any) -> None:
        # A result that was sent before the worker died counts, so the connection is read first.
        connection = worker.process.connection
        try:
            says = source is connection or connection.poll()
            message = connection.recv_bytes() if says else None
        except (EOFError, OSError, MemoryError):
            message = None
        if message is None:
            self._reap(worker)
        else:
            self._handle_message(worker, message)

    def _handle_message(self, worker: _Worker, message: bytes) -> None:
        try:
            kind, content = pickle.loads(memoryview(message)[DURATION.size :])  # noqa: S301 - ours
        except Exception as error:  # noqa: BLE001 - a result that cannot be read back
            kind, content = FAILED, error
        if kind == READY:
            # A worker that started shows that starting works, so failures before it are forgiven.
            worker.is_ready, self._n_failed_starts = True, 0
        elif worker.tasks:
            # Measured by the worker: the time that an answer waited here does not count.
            self._note(*DURATION.unpack_from(message))
            task = worker.tasks.popleft()
            if worker.tasks:
                self._take_in_hand(worker)
            if kind == RESULT:
                self._settle(task, result=content)
            elif isinstance(content, LostError):
                # `LostError`: the worker lives, but the process that it waited for was killed (a
                # training program). The same rule holds as for a worker that dies.
                self._give_a_chance(task, str(content))
            else:
                self._settle(task, error=content)

    def _note(self, seconds: float) -> None:
        # The maximum decays slowly, so that one slow call does not stop handing out ahead for good.
        before = 0.0 if math.isinf(self._slowest_s) else FORGETTING * self._slowest_s
        self._slowest_s = max(seconds, before)

    def _enforce_deadlines(self) -> None:
        if self._timeout_s is None:
            return
        now = time.monotonic()
        for worker in [worker for worker in self._workers if worker.tasks]:
            if now >= worker.since + self._timeout_s:
                message = f"stopped after {self._timeout_s:g} seconds"
                self._settle(worker.tasks[0], error=CallTimeoutError(message))
                self._retire(worker)

    def _reap(self, worker: _Worker) -> None:
        """Retire a worker that has died; try its call once more, alone, then give the call up."""
        task = worker.tasks[0] if worker.tasks else None
        status = self._retire(worker)
        # A worker that dies before its first call shows a broken environment: retrying for ever
        # would hang the run, so the third one in a row ends it.
        if not worker.is_ready:
            self._blame_start(worker, status)
        if task is None or task.future.cancelled():
            return
        self._give_a_chance(task, self._cause_of_death(status))

    def _cause_of_death(self, status: int) -> str:
        before, self._kills = self._kills, kills()
        return cause_of_death(status, killed_words(before, self._kills))

    def _give_a_chance(self, task: _Task, cause: str) -> None:
        task.strikes += 1
        if task.strikes < MAX_STRIKES:
            self._suspects.append(task)
        else:
            self._settle(task, error=WorkerDiedError(cause))

    def _blame_start(self, worker: _Worker, status: int) -> None:
        self._n_failed_starts += 1
        said = worker.log.read_text(errors="replace")
        if UNREADABLE in said:
            # Another worker would read the same.
            raise UsageError(
                "the estimator or scorer cannot be made again in worker processes:"
                f" {said.partition(UNREADABLE)[2].strip()[:MAX_SAID]}\n"
                "  Mend that, or let fits run in this process, one after the other:"
                " `execution: {executor: serial}`, or in Python `workers=1`."
            )
        if self._n_failed_starts >= MAX_FAILED_STARTS:
            said = said or self._starter.complaint()
            reason = said.strip()[-MAX_SAID:] or cause_of_death(status)
            raise TunesmithError(f"worker processes cannot start:\n{reason}")

    def _retire(self, worker: _Worker) -> int:
        """End a worker; calls that were sent ahead return to the front of the queue."""
        self._workers.remove(worker)
        self._queue.extendleft(reversed(list(islice(worker.tasks, 1, None))))
        for source in (worker.process.connection, worker.process.lifeline):
            self._selector.unregister(source)
        return worker.process.kill()

    def _settle(self, task: _Task, *, result: Any = None, error: Any = None) -> None:
        if task.future.cancelled():
            return
        if error is None:
            task.future.set_result(result)
        else:
            task.future.set_exception(error)
        self._done.append(task)


def cause_of_death(status: int, killed: str = "killed by SIGKILL") -> str:
    """Describe the end of a process by its return code.

    Args:
        status: as in ``subprocess``.
        killed: words for SIGKILL.

    >>> cause_of_death(-11)
    'its process was killed by SIGSEGV'
    """
    if status >= 0:
        return f"its process exited with status {status}"
    name = signal.Signals(-status).name
    return f"its process was {killed if name == 'SIGKILL' else f'killed by {name}'}"
