"""Calls in this very process, one at a time: for debugging, tests and single cores."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from threadpoolctl import threadpool_limits

from tunesmith.execute.executor import Call


class SerialExecutor:
    """Runs one queued call each time results are asked for.

    It cannot stop a call: choose processes where there is a time limit.
    """

    n_workers = 1

    def __init__(
        self,
        function: Call,
        *,
        n_workers: int = 1,  # noqa: ARG002 - the shape that all executors share
        timeout_s: float | None = None,  # noqa: ARG002
        n_threads: int = 1,
    ) -> None:
        self._function, self._n_threads = function, n_threads
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
            with threadpool_limits(self._n_threads):
                future.set_result(self._function(item))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the future carries it
            future.set_exception(error)

    def cancel(self, future: Future[Any]) -> None:
        """Drop a queued call."""
        future.cancel()

    def close(self) -> None:
        """Drop everything queued."""
        for _, future in self._queue:
            future.cancel()
        self._queue.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
