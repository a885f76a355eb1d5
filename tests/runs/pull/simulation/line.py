"""The line of one process to the database of the simulated world."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.runs.pull.simulation.database import MemoryLeases
from tests.runs.pull.simulation.world import Process

from tunesmith.ledger.leases.seam import (
    AnswerKind,
    Evaluations,
    Lease,
    Offer,
    PullSession,
    Standing,
)


class Line:
    """A ``LeaseStore`` whose transactions travel as messages."""

    def __init__(self, process: Process, database: MemoryLeases) -> None:
        self.process, self.database = process, database

    def _send(self, name: str, *arguments: Any, may_repeat: bool = True, **named: Any) -> Any:
        database, act = self.database, getattr(self.database, name)

        def happen() -> Any:
            clock = database.clock
            if "client clock" in database.flaws:
                database.clock = self.process.clock
            try:
                return act(*arguments, **named)
            finally:
                database.clock = clock

        return self.process.world.message(self.process, happen, may_repeat=may_repeat)

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
        named: dict[str, Any] = {"run_id": run_id, "wanted": wanted, "ttl_s": ttl_s}
        epoch: int = self._send("sit", study, holder, attempt, **named)
        return epoch

    def stay(self, study: str, epoch: int, ttl_s: float) -> None:
        self._send("stay", study, epoch, ttl_s)

    def leave(self, study: str, epoch: int) -> None:
        self._send("leave", study, epoch)

    def offer(self, study: str, epoch: int, offers: Sequence[Offer]) -> None:
        # A driver does not repeat statements by itself; what it would cost is a fit made twice.
        self._send("offer", study, epoch, list(offers), may_repeat=False)

    def look(self, study: str, epoch: int) -> Standing:
        standing: Standing = self._send("look", study, epoch)
        return standing

    def record(self, study: str, epoch: int, results: Sequence[Evaluations]) -> None:
        self._send("record", study, epoch, list(results))

    def withdraw(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        self._send("withdraw", study, epoch, list(addresses))

    def drop(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        self._send("drop", study, epoch, list(addresses))

    def wait_for_ends(self, study: str, timeout_s: float) -> None:
        self.process.sleep(self.process.world.some(timeout_s))

    def session(self, study: str) -> PullSession | None:
        session: PullSession | None = self._send("session", study)
        return session

    def take(
        self, study: str, epoch: int, worker: str, *, most: int, is_idle: bool, ttl_s: float
    ) -> list[Lease]:
        named: dict[str, Any] = {"most": most, "is_idle": is_idle, "ttl_s": ttl_s}
        # As for offers: a worker would hold leases that it never hears of.
        leases: list[Lease] = self._send("take", study, epoch, worker, may_repeat=False, **named)
        return leases

    def held(self, worker: str) -> list[Lease]:
        leases: list[Lease] = self._send("held", worker)
        return leases

    def renew(self, worker: str, leases: Sequence[Lease], ttl_s: float) -> set[int]:
        kept: set[int] = self._send("renew", worker, list(leases), ttl_s)
        return kept

    def finish(self, worker: str, lease: Lease, kind: AnswerKind, content: str) -> None:
        self._send("finish", worker, lease, kind, content)

    def give_back(self, worker: str, leases: Sequence[Lease]) -> None:
        self._send("give_back", worker, list(leases))

    def wait_for_tasks(self, study: str, timeout_s: float) -> None:
        self.process.sleep(self.process.world.some(timeout_s))
