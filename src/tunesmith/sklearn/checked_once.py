"""Checks of shared fits that one worker makes for all of them.

Each worker would compare its first shared fit of a kind with fresh ones, at the same time as all
others: a search would take that much longer, however many workers it has. Here the first fit of a
kind is checked by its worker, and the others go on with fits of the same kind. Their results are
held back until the check has passed. If it fails, they are thrown away and made again.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from tunesmith.execute.executor import Executor
from tunesmith.objective.outputs import LiveResult
from tunesmith.types import EndsWithBlock, Fit

Results = list[LiveResult]


class _Promise(Future[Results]):
    """A fit's results once they count."""

    def __init__(self, dropped: list[Future[Results]]) -> None:
        super().__init__()
        self.inner: Future[Results] | None = None
        self._dropped = dropped

    def cancel(self) -> bool:
        """Cancel the call behind it, if that has not begun."""
        # A result that is held back was made, and so is not cancelled.
        if self.inner is None or not self.inner.cancel():
            return False
        self._dropped.append(self.inner)
        return super().cancel()


@dataclass(eq=False)
class _Call:
    """A fit on its way."""

    fit: Fit
    number: int
    promise: _Promise


class CheckedOnce(EndsWithBlock):
    """Executor of a search's fits, whose results count once their kind of sharing is checked.

    Args:
        executor: has several workers, which share nothing; closed with this one.
        likeness: fit -> something that is equal for fits whose kinds of sharing are the same.
    """

    def __init__(self, executor: Executor, likeness: Callable[[Fit], Hashable]) -> None:
        self._executor, self._likeness = executor, likeness
        self._seen: set[Hashable] = set()
        self._under_way: dict[Future[Results], _Call] = {}
        self._dropped: list[Future[Results]] = []
        """Calls that were cancelled and are still noted as under way: those may be thousands, and
        asking each of them after every result would take longer than short fits do."""
        self._held: list[_Call] = []
        self._done: list[_Call] = []
        self._passed: set[str] = set()
        self._n_submitted = 0
        self._is_off = False
        """True if workers check for themselves: nothing can be left to one of them."""

    @property
    def n_workers(self) -> int:
        """Number of calls at a time."""
        return self._executor.n_workers

    def submit(self, item: Fit) -> Future[Results]:
        """Queue a fit; the first one of those that are alike is checked."""
        likeness = self._likeness(item)
        is_first = self._is_off or likeness not in self._seen
        self._seen.add(likeness)
        self._n_submitted += 1
        call = _Call(item, self._n_submitted, _Promise(self._dropped))
        self._start(call, is_checked=is_first)
        return call.promise

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Results]]:
        """Wait until a result counts or the time is up."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = None if end is None else max(0.0, end - time.monotonic())
            for inner in self._executor.completed(left_s):
                self._take_in(self._under_way.pop(inner), inner)
            self._decide()
            is_over = end is not None and time.monotonic() >= end
            if self._done or is_over or not self._under_way:
                done, self._done = sorted(self._done, key=lambda call: call.number), []
                return [call.promise for call in done]

    def cancel(self, future: Future[Results]) -> None:
        """Drop a queued fit; kill the worker of a running one."""
        for inner, call in self._under_way.items():
            if call.promise is future and not call.promise.cancel():
                self._executor.cancel(inner)

    def close(self) -> None:
        """Stop everything."""
        self._executor.close()

    def _start(self, call: _Call, *, is_checked: bool) -> None:
        fit = replace(call.fit, is_checked_elsewhere=not is_checked)
        call.promise.inner = inner = self._executor.submit(fit)
        self._under_way[inner] = replace(call, fit=fit)

    def _take_in(self, call: _Call, inner: Future[Results]) -> None:
        if call.promise.cancelled() or inner.cancelled():
            return
        self._passed |= _kinds(inner, "trusted")
        self._held.append(call)

    def _decide(self) -> None:
        """Release the results that count, and make again those that never will."""
        while self._dropped:
            self._under_way.pop(self._dropped.pop(), None)
        held, self._held = self._held, []
        for call in held:
            if _kinds(call.promise.inner, "unchecked") <= self._passed:
                _settle(call.promise)
                self._done.append(call)
            else:
                self._held.append(call)
        # A check that failed, a worker that died, a kind that was not foreseen.
        if self._held and not self._has_checks():
            self._leave_to_workers()

    def _has_checks(self) -> bool:
        """True if a fit is under way that may still bring a verdict."""
        return any(not call.fit.is_checked_elsewhere for call in self._under_way.values())

    def _leave_to_workers(self) -> None:
        """Let each worker check for itself, and make again what nobody has checked."""
        self._is_off = True
        # Those that wait in the queue, too: their results would be thrown away.
        queued = [call for inner, call in self._under_way.items() if inner.cancel()]
        again, self._held = [*self._held, *queued], []
        self._under_way = {i: c for i, c in self._under_way.items() if not i.cancelled()}
        for call in sorted(again, key=lambda call: call.number):
            self._start(call, is_checked=True)


def _kinds(inner: "Future[Results] | None", name: str) -> frozenset[str]:
    """Digests of kinds in the results of a call."""
    if inner is None or inner.exception() is not None:
        return frozenset()
    return frozenset().union(*(getattr(result, name) for result in inner.result()))


def _settle(promise: _Promise) -> None:
    """Let a promise have the outcome of the call behind it."""
    inner = promise.inner
    if inner is None or not promise.set_running_or_notify_cancel():
        return
    error = inner.exception()
    if error is None:
        promise.set_result(inner.result())
    else:
        promise.set_exception(error)
