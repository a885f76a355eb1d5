"""The tables of leases in memory: what each transaction of ``LeaseStore`` does, by one clock.

It is the reference for the real database: ``tunesmith.testing.leases`` tests both. Its flaws can be
switched on, so that the simulation shows that it would find them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.ledger.leases.seam import (
    MOST_LOST,
    AnswerKind,
    Evaluations,
    Lease,
    Offer,
    PullSession,
    SeatLostError,
    SeatTakenError,
    Standing,
    TaskEnd,
    takeable,
)

WAITING, LEASED, DONE = "waiting", "leased", "done"


@dataclass
class Seat:
    epoch: int
    holder: str
    attempt: int
    until: float
    run_id: int
    wanted: Mapping[str, Any]


@dataclass
class Task:
    id: int
    study: str
    epoch: int
    run_id: int
    address: str
    number: int
    content: str
    state: str = WAITING
    lease: int = 0
    worker: str = ""
    until: float = 0.0
    n_lost: int = 0
    kind: AnswerKind = AnswerKind.RESULT
    answer: str = ""

    def leased(self) -> Lease:
        return Lease(self.id, self.lease, self.content, self.n_lost)


class MemoryLeases:
    """Seats and tasks in memory.

    Args:
        clock: of the database.
        flaws: names of rules that are not kept.
    """

    def __init__(self, clock: Callable[[], float], flaws: frozenset[str] = frozenset()) -> None:
        self.clock, self.flaws = clock, flaws
        self.seats: dict[str, Seat] = {}
        self.tasks: dict[int, Task] = {}
        self.n_made = 0
        self.evaluations: dict[tuple[str, int], dict[str, Any]] = {}
        """Rows by key and run."""

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
        seat, now = self.seats.get(study), self.clock()
        is_own = seat is not None and seat.holder == holder
        if seat is not None and not is_own:
            if attempt > 1 and "seat not compared" not in self.flaws:
                raise SeatLostError(study)
            if seat.until > now:
                raise SeatTakenError(study, seat.holder.partition("@")[2], seat.until - now)
        is_late = seat is not None and is_own and attempt <= seat.attempt
        if seat is not None and is_late:
            return seat.epoch
        epoch = 1 + (0 if seat is None else seat.epoch)
        self.seats[study] = Seat(epoch, holder, attempt, now + ttl_s, run_id, wanted)
        for task in self._of(study):
            if is_own:
                task.epoch = epoch
            elif task.state == WAITING:
                del self.tasks[task.id]
        return epoch

    def stay(self, study: str, epoch: int, ttl_s: float) -> None:
        self._own_seat(study, epoch).until = self.clock() + ttl_s

    def leave(self, study: str, epoch: int) -> None:
        seat = self._own_seat(study, epoch)
        seat.until = self.clock()
        for task in self._of(study):
            if task.state != DONE:
                del self.tasks[task.id]

    def offer(self, study: str, epoch: int, offers: Sequence[Offer]) -> None:
        seat = self._own_seat(study, epoch)
        there = {task.address: task for task in self._of(study)}
        for one in offers:
            if (task := there.get(one.address)) and "not adopted" not in self.flaws:
                task.epoch, task.run_id, task.number = epoch, seat.run_id, one.number
                continue
            self.n_made += 1
            made = Task(
                self.n_made, study, epoch, seat.run_id, one.address, one.number, one.content
            )
            self.tasks[made.id] = made

    def look(self, study: str, epoch: int) -> Standing:
        self._own_seat(study, epoch)
        now = self.clock()
        for task in self._of(study):
            if task.state == LEASED and task.until < now:
                task.state, task.n_lost = WAITING, task.n_lost + 1
                if task.n_lost >= MOST_LOST:
                    task.state, task.kind = DONE, AnswerKind.LOST
                    task.answer = f"{MOST_LOST} workers were lost with it"
            if task.state == WAITING and task.epoch != epoch:
                del self.tasks[task.id]
        tasks = self._of(study)
        ends = [TaskEnd(t.address, t.kind, t.answer, t.run_id) for t in tasks if t.state == DONE]
        return Standing(tuple(ends), frozenset(t.address for t in tasks if t.state == LEASED))

    def record(self, study: str, epoch: int, results: Sequence[Evaluations]) -> None:
        self._own_seat(study, epoch)
        for one in results:
            for row in one.rows:
                self.evaluations.setdefault((row["key"], one.run_id), dict(row))

    def withdraw(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        self._own_seat(study, epoch)
        for task in self._of(study):
            if task.address in addresses and task.state != DONE:
                del self.tasks[task.id]

    def drop(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        self._own_seat(study, epoch)
        for task in self._of(study):
            if task.address in addresses and task.state == DONE:
                self.dropping(task)
                del self.tasks[task.id]

    def dropping(self, task: Task) -> None:
        """Look on while an ended task is removed."""

    def wait_for_ends(self, study: str, timeout_s: float) -> None:
        raise NotImplementedError

    # -- for workers -------------------------------------------------------------------------

    def session(self, study: str) -> PullSession | None:
        seat = self.seats.get(study)
        if seat is None:
            return None
        return PullSession(seat.epoch, seat.until > self.clock(), seat.wanted)

    def take(
        self, study: str, epoch: int, worker: str, *, most: int, is_idle: bool, ttl_s: float
    ) -> list[Lease]:
        seat, now = self.seats.get(study), self.clock()
        if seat is None or seat.epoch != epoch or seat.until <= now:
            return []
        waiting = [t for t in self._of(study) if t.state == WAITING and t.epoch == epoch]
        if "taken twice" in self.flaws:
            waiting = [t for t in self._of(study) if t.state != DONE and t.worker != worker]
        first = sorted(waiting, key=lambda task: task.number)[:most]
        taken = takeable(first, lambda task: task.n_lost, is_idle=is_idle)
        for task in taken:
            task.state, task.lease, task.worker = LEASED, task.lease + 1, worker
            task.until = now + ttl_s
        return [task.leased() for task in taken]

    def held(self, worker: str) -> list[Lease]:
        tasks = self.tasks.values()
        return [t.leased() for t in tasks if t.state == LEASED and t.worker == worker]

    def renew(self, worker: str, leases: Sequence[Lease], ttl_s: float) -> set[int]:
        kept = set()
        for lease in leases:
            task = self.tasks.get(lease.task)
            if task is None or task.state == DONE or not self._is_newest(task, worker, lease):
                continue
            if task.state == WAITING:
                task.state, task.n_lost = LEASED, task.n_lost - 1
            task.until = self.clock() + ttl_s
            kept.add(task.id)
        return kept

    def finish(self, worker: str, lease: Lease, kind: AnswerKind, content: str) -> None:
        task = self.tasks.get(lease.task)
        if task is None or task.state == DONE:
            return
        if kind is AnswerKind.RESULT or self._is_newest(task, worker, lease):
            task.state, task.kind, task.answer = DONE, kind, content

    def give_back(self, worker: str, leases: Sequence[Lease]) -> None:
        for lease in leases:
            task = self.tasks.get(lease.task)
            if task and task.state == LEASED and self._is_newest(task, worker, lease):
                # One lease further, so that no late renewal takes it up again.
                task.state, task.lease = WAITING, task.lease + 1

    def wait_for_tasks(self, study: str, timeout_s: float) -> None:
        raise NotImplementedError

    # -- rules -------------------------------------------------------------------------------

    def _of(self, study: str) -> list[Task]:
        return [task for task in self.tasks.values() if task.study == study]

    def _own_seat(self, study: str, epoch: int) -> Seat:
        seat = self.seats.get(study)
        if seat is None or (seat.epoch != epoch and "epoch not checked" not in self.flaws):
            raise SeatLostError(study)
        return seat

    def _is_newest(self, task: Task, worker: str, lease: Lease) -> bool:
        if "lease not checked" in self.flaws:
            return True
        return (task.lease, task.worker) == (lease.number, worker)
