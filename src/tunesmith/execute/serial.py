"""Calls in this very process, one at a time: for debugging, tests and single cores."""

import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, nullcontext
from typing import Any

from threadpoolctl import ThreadpoolController

from tunesmith.execute.executor import Call
from tunesmith.system.interruptions import is_ours
from tunesmith.system.user_output import held
from tunesmith.types import EndsWithBlock


class ThreadLimit:
    """Context in which BLAS and OpenMP use a given number of threads."""

    def __init__(self, n: int) -> None:
        self._n, self._n_modules = n, -1
        self._inside = ExitStack()

    def __enter__(self) -> None:
        # Finding the libraries reads the whole process's memory map, which takes milliseconds. It
        # is repeated only if imports may have loaded new ones.
        if len(sys.modules) != self._n_modules:
            self._controller, self._n_modules = ThreadpoolController(), len(sys.modules)
        self._inside.enter_context(self._controller.limit(limits=self._n))

    def __exit__(self, *_error: object) -> None:
        self._inside.close()


class SerialExecutor(EndsWithBlock):
    """Runs one queued call each time results are asked for.

    It cannot stop a call: choose processes if there is a time limit. Calls get ``n_threads`` BLAS
    and OpenMP threads, or with ``None`` as many as the process has.
    """

    n_workers = 1

    def __init__(
        self,
        function: Call,
        *,
        n_workers: int = 1,  # noqa: ARG002 - the shape that all executors share
        timeout_s: float | None = None,  # noqa: ARG002
        n_threads: int | None = 1,
    ) -> None:
        self._function = function
        self._limit = nullcontext() if n_threads is None else ThreadLimit(n_threads)
        self._queue: deque[tuple[Any, Future[Any]]] = deque()

    def submit(self, item: Any) -> Future[Any]:
        """Queue a call."""
        future: Future[Any] = Future()
        self._queue.append((item, future))
        return future

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:  # noqa: ARG002
        """Run the next call."""
        while self._queue:
            item, future = self._queue.popleft()
            if future.set_running_or_notify_cancel():
                self._run(item, future)
                return [future]
        return []

    def _run(self, item: Any, future: Future[Any]) -> None:
        try:
            with self._limit, held():
                future.set_result(self._function(item))
        except BaseException as error:
            # The run's own interruption must end the run; the user's `sys.exit` only fails the
            # call.
            if is_ours(error):
                raise
            future.set_exception(error)

    def cancel(self, future: Future[Any]) -> None:
        """Drop a queued call."""
        future.cancel()

    def close(self) -> None:
        """Drop everything queued."""
        for _, future in self._queue:
            future.cancel()
        self._queue.clear()
