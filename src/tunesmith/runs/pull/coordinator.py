"""Coordinator of pull workers: an executor whose calls are tasks in a database.

It offers calls, looks for ended ones, records their results before it removes them, and renews the
lease of its seat. It never waits for a certain worker, and knows none. Every decision about time is
left to the database's clock.
"""

import math
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from tunesmith.errors import StorageError, TunesmithError
from tunesmith.execute.executor import CallTimeoutError, WorkerDiedError, settle
from tunesmith.ledger.leases.seam import (
    AnswerKind,
    Evaluations,
    LeaseStore,
    Offer,
    SeatLostError,
    SeatTakenError,
    TaskEnd,
)
from tunesmith.system.fingerprint import digest

SEAT_S = 30.0
"""Seconds until another run may take over a seat that is not renewed."""
TICK_S = 0.5
RETRY_S = 1.0
PATIENCE_S = 600.0
"""Seconds that a run waits for a database that does not answer."""
IDLE_S = 30.0
"""Seconds without a worker after which the user is told."""
MOST_OFFERED = 256
"""Number of tasks on offer at a time, unless there are many workers."""


class Wire(Protocol):
    """Form in which calls and their results travel: plain values, never code."""

    def content(self, item: Any) -> str:
        """Write the argument of a call."""

    def result(self, text: str, content: str) -> Any:
        """Read the result of a call with this content."""

    def evaluations(self, text: str, run_id: int) -> Evaluations:
        """Read the same result as rows of the ledger."""

    def receive(self, text: str) -> None:
        """Take in what came with the same result beside its rows; before they are recorded.

        Raises:
            RefusedAnswerError: the result does not count here.
        """

    def error(self, text: str) -> BaseException:
        """Build the error that a call has raised."""


class RefusedAnswerError(TunesmithError):
    """A worker's result that does not count for the run."""


@dataclass(frozen=True, kw_only=True)
class StudyPlace:
    """The place of a run at its study.

    Args:
        study: name of the study.
        run_id: number of the run.
        wanted: what workers must have.
        name: host and process, for messages.
    """

    study: str
    run_id: int
    wanted: Mapping[str, Any]
    name: str


@dataclass(eq=False)
class _PullCall:
    """A submitted call."""

    number: int
    address: str
    content: str
    future: Future[Any] = field(default_factory=Future)
    is_sent: bool = False
    """True if it may be on offer."""


class Coordinator:
    """Executor that offers its calls as tasks.

    Args:
        store: holds the tasks.
        wire: form of the calls.
        place: study and run.
        n_workers: number of calls at a time that is expected.
        say: gets sentences that a user should read.
        patience_s: seconds to wait for a database that does not answer.
        clock: seconds, for the time between renewals.
        pause: waits for some seconds.

    Raises:
        SeatTakenError: another run has the seat.
        UnreachableError: the database does not answer.
    """

    def __init__(
        self,
        store: LeaseStore,
        wire: Wire,
        place: StudyPlace,
        *,
        n_workers: int,
        say: Callable[[str], None],
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.n_workers, self.say, self._pause = n_workers, say, pause
        self._store, self._wire, self._place = store, wire, place
        self._clock, self._patience_s = clock, patience_s
        self._holder = f"{secrets.token_hex(8)}@{place.name}"
        self._queue: deque[_PullCall] = deque()
        self._calls: dict[str, _PullCall] = {}
        """Calls that have not ended, by address; those that were offered and those that wait."""
        self._withdrawn: dict[str, None] = {}
        """Addresses of tasks that are to be removed unless they have ended."""
        self._recorded: dict[str, None] = {}
        """Addresses of ended tasks that are to be removed."""
        self._done: list[_PullCall] = []
        self._seen: Counter[str] = Counter()
        self._n_submitted = self._n_attempts = self._epoch = 0
        self._renewed = clock()
        self._silent_since: float | None = None
        self._is_unsure = False
        self._idle_since: float | None = None
        self._take_seat()

    # -- the executor's shape ----------------------------------------------------------------

    def submit(self, item: Any) -> Future[Any]:
        """Queue a call."""
        content = self._wire.content(item)
        # Equal calls are tasks of their own. The same run, begun again, finds each of them.
        mark = digest(content)
        address = f"{mark}.{self._seen[mark]}"
        self._seen[mark] += 1
        call = _PullCall(self._n_submitted, address, content)
        self._n_submitted += 1
        self._calls[address] = call
        self._queue.append(call)
        return call.future

    def completed(self, timeout_s: float | None = None) -> Sequence[Future[Any]]:
        """Wait for results; returns at once if no call is queued or running.

        Raises:
            SeatLostError: another run has taken over.
            StorageError: the database did not answer for too long.
        """
        end = None if timeout_s is None else self._clock() + timeout_s
        # Once, in any case: queued calls are offered while the caller digests earlier ones.
        self._attend()
        while not self._done and self._calls:
            left_s = TICK_S if end is None else min(TICK_S, end - self._clock())
            if left_s <= 0:
                break
            self._wait(left_s)
            self._attend()
        done, self._done = sorted(self._done, key=lambda call: call.number), []
        return [call.future for call in done]

    def cancel(self, future: Future[Any]) -> None:
        """Drop a queued call; a worker that runs it stops it when it next hears of its lease."""
        future.cancel()
        for call in list(self._calls.values()):
            if call.future is future:
                self._forget(call)
                self._settle(call, error=WorkerDiedError("cancelled"))

    def close(self) -> None:
        """Withdraw all calls, and give up the seat; workers stop what they run."""
        for call in list(self._calls.values()):
            if not call.future.cancel():
                self._settle(call, error=WorkerDiedError("the executor was closed"))
        self._calls.clear()
        self._queue.clear()
        # Ended tasks stay if their results are not recorded yet: the next run takes them in.
        with suppress(StorageError, SeatLostError, SeatTakenError):
            if self._is_unsure:
                self._sit()
            self._remove()
            self._store.leave(self._place.study, self._epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, StorageError):
            self._abandon()
        else:
            self.close()

    def _abandon(self) -> None:
        """Give up the seat, and leave to workers what they have: the next run takes it over."""
        with suppress(StorageError, SeatLostError):
            self._store.stay(self._place.study, self._epoch, 0.0)
        self._calls.clear()
        self._queue.clear()

    # -- a round -----------------------------------------------------------------------------

    def _attend(self) -> None:
        """Do all that is due; if the database does not answer, try again in the next round."""
        try:
            self._round()
        except SeatTakenError:
            # We had it: it was taken over while the database did not answer us.
            raise SeatLostError(self._place.study) from None
        except StorageError as error:
            self._is_unsure = True
            now = self._clock()
            self._silent_since = now if self._silent_since is None else self._silent_since
            if now - self._silent_since > self._patience_s:
                raise StorageError(
                    f"the database has not answered for {self._patience_s:.0f} seconds: {error}"
                    "\n  What was evaluated is kept. Run the study again: it continues."
                ) from None
        else:
            self._silent_since = None

    def _round(self) -> None:
        study = self._place.study
        if self._is_unsure:
            # A new epoch: what was asked for before can no longer happen, however late it arrives.
            self._sit()
            self._is_unsure = False
        elif not 0 <= self._clock() - self._renewed < SEAT_S / 3:
            self._renewed = self._clock()
            self._store.stay(study, self._epoch, SEAT_S)
        for call in [call for call in self._calls.values() if call.future.cancelled()]:
            self._forget(call)
        self._offer()
        standing = self._store.look(study, self._epoch)
        running = (self._calls.get(address) for address in standing.leased)
        for begun in filter(None, running):
            if not begun.future.running():
                begun.future.set_running_or_notify_cancel()
        self._take_in([ended for ended in standing.ends if ended.address not in self._recorded])
        self._remove()
        self._tell_of_idleness(is_idle=not standing.leased and not standing.ends)

    def _take_seat(self) -> None:
        try:
            self._sit()
        except SeatTakenError as taken:
            # Most often of a run that was killed; one that lives will have renewed it by then.
            self.say(
                f"waiting {taken.left_s:.0f} s for the lease of another run of"
                f" `{self._place.study}` on {taken.place}, which may have been killed"
            )
            self._pause(taken.left_s + RETRY_S)
            # Still the first one: nothing has been ours that another run could have taken over.
            self._n_attempts = 0
            self._sit()

    def _sit(self) -> None:
        place = self._place
        self._renewed = self._clock()
        self._n_attempts += 1
        self._epoch = self._store.sit(
            place.study,
            self._holder,
            self._n_attempts,
            run_id=place.run_id,
            wanted=place.wanted,
            ttl_s=SEAT_S,
        )

    def _forget(self, call: _PullCall) -> None:
        del self._calls[call.address]
        if call.is_sent:
            self._withdrawn[call.address] = None

    def _offer(self) -> None:
        n_sent = sum(call.is_sent for call in self._calls.values())
        room = max(MOST_OFFERED, 4 * self.n_workers) - n_sent
        fresh: list[_PullCall] = []
        while self._queue and len(fresh) < room:
            call = self._queue.popleft()
            # Others were cancelled, or had been ended by workers of an earlier run.
            if self._calls.get(call.address) is call:
                fresh.append(call)
        if not fresh:
            return
        for call in fresh:
            # Before it is sent: one that may have arrived has to be removed if it is cancelled.
            call.is_sent = True
        try:
            offers = [Offer(call.address, call.number, call.content) for call in fresh]
            self._store.offer(self._place.study, self._epoch, offers)
        except StorageError:
            self._queue.extendleft(reversed(fresh))
            raise

    def _take_in(self, ends: Sequence[TaskEnd]) -> None:
        # Recorded before they are removed, also if nobody here waits for them: a run that was
        # killed had offered them, or they were cancelled too late.
        results, refused = [], dict[str, RefusedAnswerError]()
        for ended in ends:
            if ended.kind is not AnswerKind.RESULT:
                continue
            try:
                self._wire.receive(ended.content)
            except RefusedAnswerError as error:
                refused[ended.address] = error
            else:
                results.append(self._wire.evaluations(ended.content, ended.run_id))
        if results:
            self._store.record(self._place.study, self._epoch, results)
        for ended in ends:
            self._recorded[ended.address] = None
            call = self._calls.pop(ended.address, None)
            if call is not None and ended.address in refused:
                self._settle(call, error=refused[ended.address])
            elif call is not None:
                self._answer(call, ended)

    def _answer(self, call: _PullCall, ended: TaskEnd) -> None:
        match ended.kind:
            case AnswerKind.RESULT:
                self._settle(call, result=self._wire.result(ended.content, call.content))
            case AnswerKind.TIMEOUT:
                self._settle(call, error=CallTimeoutError(ended.content))
            case AnswerKind.ERROR:
                self._settle(call, error=self._wire.error(ended.content))
            case _:
                self._settle(call, error=WorkerDiedError(ended.content))

    def _remove(self) -> None:
        study, epoch = self._place.study, self._epoch
        if self._withdrawn:
            self._store.withdraw(study, epoch, list(self._withdrawn))
            self._withdrawn.clear()
        if self._recorded:
            self._store.drop(study, epoch, list(self._recorded))
            self._recorded.clear()

    def _wait(self, left_s: float) -> None:
        try:
            self._store.wait_for_ends(self._place.study, left_s)
        except StorageError:
            # The next round finds out; a dead database is not asked again at once.
            self._pause(min(left_s, RETRY_S))

    def _tell_of_idleness(self, *, is_idle: bool) -> None:
        """Say once how to start workers, if nobody takes a task."""
        if not (is_idle and self._calls):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = self._clock()
        elif self._clock() - self._idle_since > IDLE_S:
            self._idle_since = math.inf
            self.say(
                f"no worker has taken a fit of `{self._place.study}` for {IDLE_S:.0f} s."
                " Start some with `tunesmith worker`; the run goes on as soon as one is there"
            )

    def _settle(self, call: _PullCall, *, result: Any = None, error: Any = None) -> None:
        if settle(call.future, result=result, error=error):
            self._done.append(call)
