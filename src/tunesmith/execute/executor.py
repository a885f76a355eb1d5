"""The protocol of executors: they know calls, not trials, and resemble ``concurrent.futures``.

It is built as ``Executor(function, n_workers=..., timeout_s=...)`` and calls ``function(item)`` for
every item submitted.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

Call = Callable[[Any], Any]


class WorkerDiedError(Exception):
    """The process that ran a call ended before it answered (twice: a call is retried once)."""


class CallTimeoutError(Exception):
    """A call ran longer than allowed and was stopped."""


def settle(future: Future[Any], *, result: Any = None, error: BaseException | None = None) -> bool:
    """End the future of a call with its result, or with an error if there is one.

    Returns:
        False if it was cancelled, or has ended before: an answer may come twice, or too late.
    """
    if future.done():
        return False
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return True


class Executor(Protocol):
    """Runs ``function(item)`` somewhere."""

    @property
    def n_workers(self) -> int:
        """Number of calls at a time."""

    def submit(self, item: Any) -> Future[Any]:
        """Queue a call; its result or exception arrives in the future."""

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:
        """Wait until at least one call has ended or the time is up.

        Returns:
            Futures that ended since the last call, each once, in order of submission.
        """

    def cancel(self, future: Future[Any]) -> None:
        """Drop a queued call, or stop a running one if the executor can."""

    def close(self) -> None:
        """Stop everything; no process is left when it returns."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class TalkingExecutor(Protocol):
    """An executor that has something to tell the user while it runs."""

    say: Callable[[str], None]
    """Gets sentences, such as that a worker is not used; set it after the executor is made."""
