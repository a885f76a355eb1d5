"""CallRunner of a pull worker: its calls run in supervised processes of this machine."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from tunesmith.errors import ChangedInputError, LostError, UsageError
from tunesmith.execute.executor import CallTimeoutError, Executor, WorkerDiedError
from tunesmith.ledger.leases.seam import AnswerKind, Lease
from tunesmith.system.redact import redact


class WorkerWire(Protocol):
    """Form of calls, as a worker reads and answers them."""

    def item(self, text: str) -> Any:
        """Read the argument of a call."""

    def answer(self, item: Any, result: Any) -> str:
        """Write the result of a call."""


class LocalRunner:
    """Runs calls by an executor of this machine.

    Args:
        make: makes the executor before the first call.
        wire: form of the calls.
    """

    def __init__(self, make: Callable[[], Executor], wire: WorkerWire) -> None:
        self._make, self._wire = make, wire
        self._executor: Executor | None = None
        self._calls: dict[Future[Any], tuple[int, Any]] = {}

    @property
    def is_busy(self) -> bool:
        """True if a call has not ended."""
        return bool(self._calls)

    def start(self, lease: Lease) -> None:
        """Begin a call.

        Raises:
            UsageError: it cannot be made here.
        """
        item = self._wire.item(lease.content)
        # Not earlier: the objective learns from the run which checks it can skip, and processes
        # that were started before would not know.
        if self._executor is None:
            self._executor = self._make()
        self._calls[self._executor.submit(item)] = lease.task, item

    def stop(self, task: int) -> None:
        """Stop a call together with its process."""
        for future in [future for future, (own, _) in self._calls.items() if own == task]:
            del self._calls[future]
            if self._executor is not None:
                self._executor.cancel(future)

    def ended(self, timeout_s: float) -> Sequence[tuple[int, AnswerKind, str]]:
        """Wait for answers."""
        done = () if self._executor is None else self._executor.completed(timeout_s)
        answers = []
        for future in done:
            # One that was stopped may have ended just before.
            if future in self._calls:
                task, item = self._calls.pop(future)
                answers.append((task, *self._answer(future, item)))
        return answers

    def close(self) -> None:
        """Stop all calls."""
        self._calls.clear()
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def _answer(self, future: Future[Any], item: Any) -> tuple[AnswerKind, str]:
        match future.exception():
            case None:
                return self._result(item, future.result())
            case ChangedInputError() as error:
                # The fault of this machine: the fit goes to others when the worker ends.
                raise error
            case CallTimeoutError() as error:
                return AnswerKind.TIMEOUT, str(error)
            case WorkerDiedError() | LostError() as error:
                return AnswerKind.DIED, str(error)
            case error:
                return AnswerKind.ERROR, redact(f"{type(error).__name__}: {error}")

    def _result(self, item: Any, result: Any) -> tuple[AnswerKind, str]:
        try:
            return AnswerKind.RESULT, self._wire.answer(item, result)
        except UsageError as error:
            # What it has left cannot travel: it would be the same on every worker.
            return AnswerKind.ERROR, redact(str(error))
