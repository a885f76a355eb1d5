"""Executor on a Dask cluster: Dask carries calls and results, and decides nothing.

Dask itself runs the tasks of a dead worker again wherever they were, blames those that were only
waiting there, repeats finished ones whose results nobody had fetched, and cannot stop running code.
So each call is sent to one worker, chosen here, and runs there in a supervised process (``Host``).
Its result is fetched as soon as it is there. The death of such a process, or of a worker, counts
against the calls that were running in it, and against no other.
"""

import math
import pickle
import secrets
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from tunesmith.errors import LostError, StorageError, TunesmithError, UsageError
from tunesmith.execute import shared_data
from tunesmith.execute.cluster.dask_calls import be_quiet
from tunesmith.execute.cluster.dask_link import (
    Admitted,
    Answered,
    DaskLink,
    Event,
    Left,
    WorkerRefused,
)
from tunesmith.execute.cluster.deploy import TYPES, Deployment
from tunesmith.execute.cluster.host import DIED, MISSING, STOPPED, TIMEOUT, UNSTARTED, Answer
from tunesmith.execute.cluster.sent import describe
from tunesmith.execute.executor import Call, CallTimeoutError, WorkerDiedError, settle
from tunesmith.execute.processes import (
    FORGETTING,
    HELD_S,
    MAX_FAILED_STARTS,
    MAX_HELD,
    MAX_STRIKES,
    SLOW_S,
)
from tunesmith.execute.worker import RESULT
from tunesmith.types import EndsWithBlock

TICK_S = 0.5
PATIENCE_S = 600.0
"""Seconds that calls wait for the first worker, and for another one if all are gone."""
RETRY_S = 0.5
MAX_LOSSES = 3
"""Workers that a call may lose: machines are taken away more often than a call breaks one."""


@dataclass(eq=False, kw_only=True)
class _DaskCall:
    """A submitted call."""

    content: bytes
    number: int
    future: Future[Any] = field(default_factory=Future)
    strikes: int = 0
    """Number of processes that died while they ran it."""
    losses: int = 0
    """Number of workers that were lost while they ran it."""
    is_suspect: bool = False
    """True if a worker was lost that may have been running it, or another call before it."""
    n_sent: int = 0


@dataclass(eq=False)
class _Member:
    """A worker of the cluster that may be used."""

    address: str
    n_threads: int
    n_slots: int
    """Number of its threads that are used."""
    calls: dict[str, _DaskCall] = field(default_factory=dict)
    """Its calls by key, in the order in which they were sent."""

    def room(self, depth: int) -> float:
        """Share of its places that are free, if each slot may have ``depth`` calls."""
        if not self.n_slots:
            return 0.0
        # A worker of Dask would run with all its threads what was sent ahead.
        is_deep = self.n_slots == self.n_threads and not self.holds_suspect
        return 1 - len(self.calls) / (self.n_slots * (depth if is_deep else 1))

    @property
    def holds_suspect(self) -> bool:
        """True if nothing may be sent ahead, so that its running calls are known if it is lost."""
        return any(call.is_suspect for call in self.calls.values())


class DaskExecutor(EndsWithBlock):
    """Runs calls on a Dask cluster.

    Args:
        function: called with each item; sent to each worker once, with its data, and checked there.
        n_workers: most calls at a time; by default as many as the cluster has threads.
        timeout_s: a call that runs longer is stopped.
        n_threads: BLAS and OpenMP threads of a call.
        gpus: give each call a GPU, of those that workers offer as the resource ``GPU``.
        patience_s: seconds to wait for workers while there are none.
        options: of ``Deployment``; without any, the cluster is one of this process.

    Raises:
        UsageError: the function cannot be sent, or an option is wrong.
        StorageError: the scheduler does not answer.
    """

    sizes_itself = True
    """True: the number of workers is the cluster's own, unless it is asked for."""
    further_options = tuple(TYPES)
    """Names of options that are passed on."""

    def __init__(
        self,
        function: Call,
        *,
        n_workers: int | None = None,
        timeout_s: float | None = None,
        n_threads: int = 1,
        gpus: int | None = None,
        patience_s: float = PATIENCE_S,
        **options: Any,
    ) -> None:
        if (
            isinstance(patience_s, bool)
            or not isinstance(patience_s, int | float)
            or patience_s < 0
        ):
            raise UsageError(
                f"execution.options.patience_s: expected seconds, found {patience_s!r}."
            )
        be_quiet()
        self._most, self._timeout_s, self._patience_s = n_workers, timeout_s, patience_s
        self.say: Callable[[str], None] = lambda _text: None
        self._queue: deque[_DaskCall] = deque()
        self._members: dict[str, _Member] = {}
        self._refused: dict[str, str] = {}
        self._done: list[_DaskCall] = []
        self._n_submitted = self._n_failed_starts = 0
        self._slowest_s = math.inf
        self._deserted_since: float | None = time.monotonic()
        self._name = secrets.token_hex(6)
        self._deployment = _deployment(options)
        self._folder = Path(tempfile.mkdtemp(prefix="tunesmith-dask-"))
        self._link: DaskLink | None = None
        try:
            self._link = self._linked(function, n_threads=n_threads, uses_gpus=gpus is not None)
        except BaseException:
            self.close()
            raise

    def _linked(self, function: Call, **options: Any) -> DaskLink:
        path = self._folder / "function"
        # Before anything starts: a function that cannot be pickled is the user's error.
        modules = shared_data.dump(function, path)
        self._deployment.start(self._most)
        link = DaskLink(self._deployment, self._name, describe(path, modules), path, **options)
        try:
            link.connect()
        except BaseException:
            link.close()
            raise
        return link

    # -- the executor's shape ----------------------------------------------------------------

    @property
    def n_workers(self) -> int:
        """Number of calls that run at a time, as far as workers are known."""
        n = sum(member.n_slots for member in self._members.values())
        return max(1, n if self._most is None else min(n, self._most) or self._most)

    def submit(self, item: Any) -> Future[Any]:
        """Queue a call."""
        call = _DaskCall(content=b"", number=self._n_submitted)
        self._n_submitted += 1
        try:
            call.content = pickle.dumps(item)
        except Exception as error:  # noqa: BLE001 - an item that cannot be pickled
            self._settle(call, error=error)
        else:
            self._queue.append(call)
        return call.future

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:
        """Wait for results; returns at once if no call is queued or running.

        Raises:
            UsageError: every worker differs from this process.
            TunesmithError: there was no worker, or no scheduler, for too long.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        self._assign()
        while not self._done and self._has_work():
            self._listen(end)
            self._assign()
            if end is not None and time.monotonic() >= end:
                break
        done, self._done = sorted(self._done, key=lambda call: call.number), []
        return [call.future for call in done]

    def cancel(self, future: Future[Any]) -> None:
        """Drop a queued call; stop a running one, whose process ends."""
        future.cancel()
        # One that began and lost its worker waits again, and is no longer anybody's to cancel.
        for call in self._queue:
            if call.future is future:
                self._settle(call, error=WorkerDiedError("cancelled"))
        for member in self._members.values():
            for key, call in list(member.calls.items()):
                if call.future is future:
                    self._settle(call, error=WorkerDiedError("cancelled"))
                    self._take_back(member, key)
                    return

    def close(self) -> None:
        """Stop all calls; end the cluster if it was started here."""
        for member in self._members.values():
            for call in member.calls.values():
                if not call.future.done() and not call.future.cancel():
                    self._settle(call, error=WorkerDiedError("the executor was closed"))
        for call in self._queue:
            call.future.cancel()
        self._queue.clear()
        self._members.clear()
        if self._link is not None:
            self._link.close()
        self._deployment.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- handing out work --------------------------------------------------------------------

    def _has_work(self) -> bool:
        return bool(self._queue) or any(member.calls for member in self._members.values())

    def _assign(self) -> None:
        while (call := self._next()) and (member := self._idlest(call)):
            self._queue.popleft()
            self._give(member, call)

    def _idlest(self, call: _DaskCall) -> _Member | None:
        depth = 1 if call.is_suspect else self._depth()
        members = self._members.values()
        member = max(members, key=lambda member: member.room(depth), default=None)
        return member if member and member.room(depth) > 0 else None

    def _share_out(self) -> None:
        """Use as many threads of the workers as calls may run at a time."""
        left = math.inf if self._most is None else self._most
        for member in self._members.values():
            member.n_slots = int(min(member.n_threads, left))
            left -= member.n_slots

    def _depth(self) -> int:
        """Number of calls for each slot: several if all recent ones were quick."""
        if self._slowest_s > SLOW_S:
            return 1
        return min(MAX_HELD, 1 + int(HELD_S / self._slowest_s))

    def _next(self) -> _DaskCall | None:
        while self._queue and self._queue[0].future.done():
            self._queue.popleft()
        return self._queue[0] if self._queue else None

    def _give(self, member: _Member, call: _DaskCall) -> None:
        assert self._link is not None  # noqa: S101 - since the beginning
        call.n_sent += 1
        key = f"tunesmith-{self._name}-{call.number}-{call.n_sent}"
        member.calls[key] = call
        self._begin_first(member)
        alone = call.strikes + call.losses > 0
        self._link.submit(key, member.address, call.content, timeout_s=self._timeout_s, alone=alone)

    def _begin_first(self, member: _Member) -> None:
        for call in self._running(member):
            if not call.future.running() and not call.future.done():
                call.future.set_running_or_notify_cancel()

    def _running(self, member: _Member) -> list[_DaskCall]:
        # A worker of Dask runs its tasks in the order of their submission; answers come later.
        return list(member.calls.values())[: member.n_slots]

    # -- taking in events --------------------------------------------------------------------

    def _listen(self, end: float | None) -> None:
        assert self._link is not None  # noqa: S101 - since the beginning
        left_s = TICK_S if end is None else min(TICK_S, max(0.0, end - time.monotonic()))
        try:
            self._handle(self._link.events.get(timeout=left_s))
            while True:
                self._handle(self._link.events.get_nowait())
        except Empty:
            pass
        if not self._link.is_up:
            self._reconnect()
        self._check_patience()

    def _handle(self, event: Event) -> None:
        match event:
            case Answered(key, answer):
                self._take_in(key, answer)
            case Admitted(worker, n_slots):
                self._members[worker] = _Member(worker, n_slots, n_slots)
                self._deserted_since = None
                self._share_out()
            case Left(worker, is_expected):
                self._lose(worker, is_expected=is_expected)
            case WorkerRefused(worker, reason):
                self._refuse(worker, reason)

    def _take_in(self, key: str, answer: Answer | None) -> None:
        member = next((m for m in self._members.values() if key in m.calls), None)
        # The worker has left since, or the call was taken back: it is queued again, or settled.
        if member is None:
            return
        call = member.calls.pop(key)
        if answer is None:
            # Given up by Dask; if its worker or the scheduler was lost, that is told next.
            self._requeue(call)
            return
        kind, content, seconds = answer
        if kind in (MISSING, UNSTARTED):
            self._requeue(call)
            self._not_begun(member, kind, str(content))
        elif kind == STOPPED:
            self._requeue(call)
        elif kind == TIMEOUT:
            self._settle(call, error=CallTimeoutError(content))
        elif kind == DIED:
            self._give_a_chance(call, str(content))
        else:
            self._answered(call, content, seconds)
        self._begin_first(member)

    def _answered(self, call: _DaskCall, content: bytes, seconds: float) -> None:
        self._n_failed_starts = 0
        before = 0.0 if math.isinf(self._slowest_s) else FORGETTING * self._slowest_s
        self._slowest_s = max(seconds, before)
        try:
            kind, result = pickle.loads(content)  # noqa: S301 - from the function that we sent
        except Exception as error:  # noqa: BLE001 - a result that cannot be read back
            self._settle(call, error=error)
            return
        if kind == RESULT:
            self._settle(call, result=result)
        elif isinstance(result, LostError):
            self._give_a_chance(call, str(result))
        else:
            self._settle(call, error=result)

    def _not_begun(self, member: _Member, kind: str, content: str) -> None:
        """Ask a worker in again that has lost its host; end if no process can start."""
        if kind == UNSTARTED:
            self._n_failed_starts += 1
            if self._n_failed_starts >= MAX_FAILED_STARTS:
                raise TunesmithError(f"worker processes cannot start:\n{content}")
            return
        assert self._link is not None  # noqa: S101 - since the beginning
        self._lose(member.address, is_expected=True)
        self._link.forget(member.address)
        self._link.admit(member.address)

    def _lose(self, worker: str, *, is_expected: bool) -> None:
        self._refused.pop(worker, None)
        member = self._members.pop(worker, None)
        if member is None:
            return
        # An answer may be lost with its worker: if calls were sent ahead, nobody knows which of
        # them were running.
        is_known = len(member.calls) <= member.n_slots
        for key, call in reversed(list(member.calls.items())):
            self._drop(key)
            if not is_expected:
                call.is_suspect = True
                call.losses += is_known
            if call.losses >= MAX_LOSSES:
                self._settle(
                    call, error=WorkerDiedError(f"{call.losses} workers were lost with it")
                )
            else:
                self._requeue(call)
        self._share_out()
        if not self._members:
            self._deserted_since = time.monotonic()

    def _refuse(self, worker: str, reason: str) -> None:
        self._refused[worker] = reason
        self.say(f"the worker at {worker} is not used: {reason}")

    def _reconnect(self) -> None:
        """Connect anew after the scheduler was lost; what was under way is made again."""
        assert self._link is not None  # noqa: S101 - since the beginning
        for worker in list(self._members):
            self._lose(worker, is_expected=True)
        try:
            self._link.connect()
        except StorageError:
            time.sleep(RETRY_S)

    def _check_patience(self) -> None:
        if self._members or self._deserted_since is None or not self._has_work():
            return
        waited_s = time.monotonic() - self._deserted_since
        # Workers that were asked and refused show a setup that waiting does not mend.
        if self._refused and waited_s > TICK_S:
            worker, reason = next(iter(self._refused.items()))
            raise UsageError(
                f"no worker can be used; the one at {worker} is refused: {reason}."
                "\n  Give workers the environment of the run, e.g. from the same lock file."
            )
        if waited_s > self._patience_s:
            raise TunesmithError(
                f"there was no worker for {waited_s:.0f} seconds; results so far are recorded."
                "\n  Start workers and run the study again: it continues. Waiting longer:"
                " `execution: {options: {patience_s: …}}`."
            )

    def _take_back(self, member: _Member, key: str) -> None:
        del member.calls[key]
        self._drop(key)
        self._begin_first(member)

    def _drop(self, key: str) -> None:
        if self._link is not None:
            self._link.drop(key)

    def _requeue(self, call: _DaskCall) -> None:
        if not call.future.cancelled() and not call.future.done():
            self._queue.appendleft(call)

    def _give_a_chance(self, call: _DaskCall, cause: str) -> None:
        call.strikes += 1
        if call.strikes < MAX_STRIKES:
            self._requeue(call)
        else:
            self._settle(call, error=WorkerDiedError(cause))

    def _settle(self, call: _DaskCall, *, result: Any = None, error: Any = None) -> None:
        if settle(call.future, result=result, error=error):
            self._done.append(call)


def _deployment(options: dict[str, Any]) -> Deployment:
    try:
        return Deployment(**options)
    except TypeError as error:
        # Told in the words of this class, not of the one that takes the options.
        raise TypeError(str(error).replace("Deployment", "DaskExecutor")) from None
