"""The seam between the logic of leases and the database that holds them.

A run of a study has the study's *seat*: it alone offers tasks. Workers take tasks under a lease, of
which only the database's clock knows the end. Each method of ``LeaseStore`` is one transaction. If
it raises ``UnreachableError``, the transaction may have happened, may not, or may happen later.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from tunesmith.errors import ExitCode, StorageError, TunesmithError

T = TypeVar("T")
MOST_LOST = 3
"""Number of leases of a task that may lapse: machines are taken away more often than a fit breaks
one."""


class AnswerKind(StrEnum):
    """Kind of end that a task has come to."""

    RESULT = "result"
    """The return value of the call, the same on every worker."""
    ERROR = "error"
    """The call raised an error."""
    TIMEOUT = "timeout"
    """The call took longer than allowed, on this worker."""
    DIED = "died"
    """The processes that made the call were killed, on this worker."""
    LOST = "lost"
    """``MOST_LOST`` leases lapsed: their workers were gone, or cut off."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A task, as a run offers it."""

    address: str
    """Digest of its content. A task that is there under its address is not offered twice."""
    number: int
    """StudyPlace in the order in which tasks are taken."""
    content: str
    """Values that tell a worker what to do, as JSON."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A task in the hands of a worker."""

    task: int
    number: int
    """Number of the lease among those of the task; all but the newest have ended."""
    content: str
    n_lost: int = 0
    """Number of earlier leases of the task that lapsed."""

    @property
    def is_suspect(self) -> bool:
        """True if the task may be why a worker is gone: it runs while nothing else does."""
        return self.n_lost > 0


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """A task that has come to an end."""

    address: str
    kind: AnswerKind
    content: str
    run_id: int
    """Run that offered it."""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Results as rows of the ledger, without their run."""

    run_id: int
    rows: Sequence[Mapping[str, Any]]
    """Rows of the table ``evaluation``."""
    readings: Sequence[Mapping[str, Any]] = ()
    """Rows of the table ``reading``."""


@dataclass(frozen=True, slots=True)
class Standing:
    """State of a study's tasks."""

    ends: tuple[TaskEnd, ...] = ()
    leased: frozenset[str] = frozenset()
    """Addresses of the tasks that are in the hands of workers."""


@dataclass(frozen=True, slots=True)
class PullSession:
    """A run that has, or last had, the seat of a study."""

    epoch: int
    """Number of the session; it grows with every change of the seat."""
    is_live: bool
    """False if it has ended, or let its own lease lapse."""
    wanted: Mapping[str, Any]
    """Versions, code and data that a worker must have to take part, as plain JSON."""


class UnreachableError(StorageError):
    """The database did not answer: what was asked may have happened, or may happen later."""


class SeatTakenError(TunesmithError):
    """Another run has the seat of the study.

    Args:
        study: its name.
        place: host and process of that run.
        left_s: seconds until its lease ends, unless it is renewed.
    """

    exit_code = ExitCode.LOCKED

    def __init__(self, study: str, place: str, left_s: float) -> None:
        super().__init__(
            f"study `{study}` has a coordinator on {place}, whose lease ends in {left_s:.0f} s"
            " unless it is renewed.\n  Wait for that run, or end it; nothing was changed."
        )
        self.place, self.left_s = place, left_s


class SeatLostError(TunesmithError):
    """The seat of the study belongs to another run by now.

    Args:
        study: its name.
    """

    exit_code = ExitCode.LOCKED

    def __init__(self, study: str) -> None:
        super().__init__(
            f"another run has taken over study `{study}`, because this one had not renewed its"
            " lease in time.\n  What was evaluated is kept, and the other run goes on from it."
        )


class LeaseStore(Protocol):
    """Tables of seats and tasks, of any number of studies.

    Every method may raise ``UnreachableError``. Those that take an epoch raise ``SeatLostError`` if
    another session has begun since.
    """

    # -- for runs ----------------------------------------------------------------------------

    def sit(
        self,
        study: str,
        holder: str,
        attempt: int,
        *,
        run_id: int,
        wanted: Mapping[str, Any],
        ttl_s: float,
    ) -> int:
        """Take the seat of a study; return the epoch of the new session.

        A holder that takes it again keeps its tasks, and nothing that it has asked for before can
        happen any more. Of another holder's tasks, those stay that workers have in their hands, or
        have ended.

        Args:
            study: its name.
            holder: ``NAME@PLACE``, another name for every run.
            attempt: number of the attempt of this holder, from 1; after a later one, nothing
                happens.
            run_id: number of the run in the ledger.
            wanted: what workers must have.
            ttl_s: seconds until the seat is free for others.

        Raises:
            SeatTakenError: another holder's lease has not ended.
            SeatLostError: it is not the first attempt, and another holder came in between.
        """

    def stay(self, study: str, epoch: int, ttl_s: float) -> None:
        """Renew the lease of the seat."""

    def leave(self, study: str, epoch: int) -> None:
        """Give up the seat, and remove all tasks that have not ended."""

    def offer(self, study: str, epoch: int, offers: Sequence[Offer]) -> None:
        """Add tasks; one that is there under its address becomes a task of this session."""

    def look(self, study: str, epoch: int) -> Standing:
        """Let leases lapse whose time is up, and return the state of the tasks.

        A task whose lease lapsed waits again, or ends as ``LOST`` if that happens too often.
        """

    def record(self, study: str, epoch: int, results: Sequence[Evaluations]) -> None:
        """Add results to the ledger's evaluations; those that are there stay as they are."""

    def withdraw(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        """Remove those of these tasks that have not ended."""

    def drop(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        """Remove those of these tasks that have ended: their results are recorded."""

    def wait_for_ends(self, study: str, timeout_s: float) -> None:
        """Wait until a task of the study may have ended, at most so long."""

    # -- for workers -------------------------------------------------------------------------

    def session(self, study: str) -> PullSession | None:
        """Last session of a study; ``None`` if there was none."""

    def take(
        self, study: str, epoch: int, worker: str, *, most: int, is_idle: bool, ttl_s: float
    ) -> list[Lease]:
        """Take tasks of a live session under a lease, by their number.

        A suspect is taken alone, by a worker that is idle; nothing behind it is taken before.

        Args:
            study: its name.
            epoch: of the session whose wants the worker has compared.
            worker: name of the worker, another one for every process.
            most: number of tasks.
            is_idle: true if the worker has no other task.
            ttl_s: seconds until the leases end.
        """

    def held(self, worker: str) -> list[Lease]:
        """Leases of a worker, also those of which it was not told."""

    def renew(self, worker: str, leases: Sequence[Lease], ttl_s: float) -> set[int]:
        """Renew leases; return the tasks that the worker still has.

        A lease that lapsed comes back, without counting as lost, if nobody has taken the task.
        """

    def finish(self, worker: str, lease: Lease, kind: AnswerKind, content: str) -> None:
        """End a task, unless it has ended or is gone.

        A result counts from every worker; anything else from the one alone that has the lease.
        """

    def give_back(self, worker: str, leases: Sequence[Lease]) -> None:
        """End leases early; their tasks wait again, without counting as lost."""

    def wait_for_tasks(self, study: str, timeout_s: float) -> None:
        """Wait until there may be a new task of the study, at most so long."""


def takeable(waiting: Sequence[T], n_lost: Callable[[T], int], *, is_idle: bool) -> Sequence[T]:
    """Choose the tasks that a worker may take.

    A suspect is taken by an idle worker, and alone; nothing behind it is taken before it.

    Args:
        waiting: the first tasks that wait, in order.
        n_lost: number of leases of a task that lapsed.
        is_idle: true if the worker has no other task.
    """
    n_before = next((n for n, task in enumerate(waiting) if n_lost(task)), len(waiting))
    if n_before == 0:
        return waiting[:1] if is_idle else ()
    return waiting[:n_before]
