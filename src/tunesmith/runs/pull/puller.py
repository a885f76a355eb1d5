"""The logic of a worker that pulls fits: it takes leases, keeps them, and returns answers.

It decides nothing by its own clock but how often it asks. If it is cut off, it goes on with what it
has: an answer counts whenever it arrives, unless somebody else was first.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Protocol

from tunesmith.errors import StorageError
from tunesmith.ledger.leases.seam import AnswerKind, Lease, LeaseStore, PullSession

LEASE_S = 30.0
"""Seconds until a fit goes to another worker if this one does not renew its lease."""
TICK_S = 0.5
IDLE_TICK_S = 2.0
RETRY_S = 1.0
PATIENCE_S = 600.0
"""Seconds that a worker waits for a database that does not answer."""


class CallRunner(Protocol):
    """Runs the calls of a worker."""

    def start(self, lease: Lease) -> None:
        """Begin a call."""

    def stop(self, task: int) -> None:
        """Stop a call; it gives no answer."""

    def ended(self, timeout_s: float) -> Sequence[tuple[int, AnswerKind, str]]:
        """Wait for answers, at most so long: task, kind and content of each."""


class Leave(StrEnum):
    """Reason for which a worker ends."""

    IDLE = "idle"
    MOST_FITS = "most fits"


@dataclass(eq=False)
class Puller:
    """A worker of one study.

    Args:
        store: holds the tasks.
        runner: runs the calls.
        study: name of the study.
        name: of the worker, another one for every process.
        n_slots: number of calls at a time.
        admit: compares a session's wants with what is here; raises an error if they differ.
    """

    store: LeaseStore
    runner: CallRunner
    study: str
    name: str
    _: KW_ONLY
    n_slots: int
    admit: Callable[[PullSession], None]
    most_fits: int | None = None
    """Number of calls after which it ends."""
    idle_s: float | None = None
    """Seconds without a call after which it ends."""
    patience_s: float = PATIENCE_S
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    n_ended: int = 0
    """Number of calls that have ended here."""

    _running: dict[int, Lease] = field(default_factory=dict)
    _answers: dict[int, tuple[Lease, AnswerKind, str]] = field(default_factory=dict)
    """Answers by task that the database may not have yet."""
    _n_taken: int = 0
    _epoch: int | None = None
    _renewed: float = 0.0
    _is_unsure: bool = False
    _silent_since: float | None = None

    def serve(self) -> Leave:
        """Pull and run calls until there is a reason to end.

        Raises:
            StorageError: the database did not answer for too long.
            TunesmithError: what ``admit`` raises.
        """
        self._idle_since = self._renewed = self.clock()
        while (reason := self._reason()) is None:
            self._attend()
        return reason

    def leave(self) -> None:
        """Stop all calls, and give their leases back, so that others need not wait for their end.

        Raises:
            StorageError: the database does not answer; the leases then lapse.
        """
        for task in self._running:
            self.runner.stop(task)
        self._running.clear()
        self._send_answers()
        # As the database knows them: this may happen while leases are on their way.
        if leases := self.store.held(self.name):
            self.store.give_back(self.name, leases)

    def _reason(self) -> Leave | None:
        if self._running or self._answers:
            return None
        if self.most_fits is not None and self._n_taken >= self.most_fits:
            return Leave.MOST_FITS
        is_idle = self.idle_s is not None and self.clock() - self._idle_since >= self.idle_s
        return Leave.IDLE if is_idle else None

    # -- a round -----------------------------------------------------------------------------

    def _attend(self) -> None:
        """Do all that is due; if the database does not answer, try again in the next round."""
        try:
            self._round()
        except StorageError as error:
            self._is_unsure = True
            now = self.clock()
            self._silent_since = now if self._silent_since is None else self._silent_since
            if now - self._silent_since > self.patience_s:
                raise StorageError(
                    f"the database has not answered for {self.patience_s:.0f} seconds: {error}"
                ) from None
            # Calls go on meanwhile.
            self._listen(RETRY_S) if self._running else self.pause(RETRY_S)
        else:
            self._silent_since = None

    def _round(self) -> None:
        self._send_answers()
        if self._is_unsure:
            self._reconcile()
            self._is_unsure = False
        # Also if this clock was set back.
        if self._running and not 0 <= self.clock() - self._renewed < LEASE_S / 3:
            self._renew()
        is_busy = self._pull()
        if self._running:
            self._idle_since = self.clock()
            self._listen(TICK_S)
        elif not is_busy:
            self.store.wait_for_tasks(self.study, IDLE_TICK_S)

    def _listen(self, timeout_s: float) -> None:
        for task, kind, content in self.runner.ended(timeout_s):
            # One that was stopped may have ended just before.
            if lease := self._running.pop(task, None):
                self._answers[task] = lease, kind, content
                self.n_ended += 1

    def _send_answers(self) -> None:
        for task, (lease, kind, content) in list(self._answers.items()):
            self.store.finish(self.name, lease, kind, content)
            del self._answers[task]

    def _renew(self) -> None:
        self._renewed = self.clock()
        leases = list(self._running.values())
        kept = self.store.renew(self.name, leases, LEASE_S)
        for task in self._running.keys() - kept:
            # Cancelled, or in other hands: nobody waits for this answer.
            self.runner.stop(task)
            del self._running[task]

    def _reconcile(self) -> None:
        """Take up leases of which the answer was lost, and renew all at once."""
        for lease in self.store.held(self.name):
            if lease.task in self._running:
                # It lapsed, and was taken again: the call goes on under the newer lease.
                self._running[lease.task] = lease
            else:
                self._start(lease)
        if self._running:
            self._renew()

    def _pull(self) -> bool:
        """Take tasks if there is room; return true if there were any."""
        n_free = self.n_slots - len(self._running)
        if self.most_fits is not None:
            n_free = min(n_free, self.most_fits - self._n_taken)
        if n_free <= 0 or any(lease.is_suspect for lease in self._running.values()):
            return False
        session = self.store.session(self.study)
        if session is None or not session.is_live:
            return False
        if session.epoch != self._epoch:
            self.admit(session)
            self._epoch = session.epoch
        asked = self.clock()
        leases = self.store.take(
            self.study,
            session.epoch,
            self.name,
            most=n_free,
            is_idle=not self._running,
            ttl_s=LEASE_S,
        )
        if not 0 <= self.clock() - asked < LEASE_S / 3:
            # This process was stopped, or its machine slept: others may have these tasks by now.
            self._is_unsure = True
            return bool(leases)
        if not self._running:
            self._renewed = self.clock()
        for lease in leases:
            self._start(lease)
        return bool(leases)

    def _start(self, lease: Lease) -> None:
        self._running[lease.task] = lease
        self._n_taken += 1
        self.runner.start(lease)
