"""Seats and tasks on a PostgreSQL server, by its clock.

``clock_timestamp()`` is the time at which a statement looks, while ``now()`` is that at which its
transaction began, which may have waited since. Whoever acts for a session locks the seat's row for
the time of the transaction, so that no other session begins in the middle of it.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, literal, select, update
from sqlalchemy import delete as remove
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from tunesmith.ledger import dialect
from tunesmith.ledger.lease_tables import seat, task
from tunesmith.ledger.leases.notices import Notices
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
    UnreachableError,
    takeable,
)
from tunesmith.ledger.recording import add_evaluations
from tunesmith.system.interruptions import interruption_within
from tunesmith.system.redact import redact

WAITING, LEASED, DONE = "waiting", "leased", "done"
NOW = func.clock_timestamp()
LOST_TEXT = f"{MOST_LOST} workers were lost with it"
TASKS, ENDS = "tunesmith_tasks", "tunesmith_ends"
"""Channels of notices: a study may have new tasks, or ended ones."""
STATEMENT_S = 60
"""Seconds after which the server gives up a statement that waits."""
KEPT_ALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Settings with which this side notices within half a minute that the server cannot be reached."""


class PostgresLeases:
    """Seats and tasks in a ledger's database.

    Args:
        url: from ``dialect.address``.
        name: of this process, for the server's list of connections.
    """

    def __init__(self, url: URL, name: str) -> None:
        options: dict[str, Any] = {**KEPT_ALIVE, "options": f"-c statement_timeout={STATEMENT_S}s"}
        given = {key: value for key, value in options.items() if key not in url.query}
        self._engine = dialect.engine_of(url, application_name=name, **given)
        self._name = dialect.readable(url)
        self._notices = Notices(self._engine)

    def close(self) -> None:
        """Close all connections."""
        self._notices.close()
        self._engine.dispose()

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
        """Take the seat of a study."""
        values = {"holder": holder, "attempt": attempt, "run_id": run_id, "until": _after(ttl_s)}
        values["wanted"] = json.dumps(dict(wanted), sort_keys=True)
        with self._writing() as connection:
            own = select(seat.c.epoch, seat.c.holder, seat.c.attempt, _left_s()).where(
                seat.c.study == study
            )
            row = connection.execute(own.with_for_update()).first()
            if row is None:
                # Of two first runs, the one that waited here finds the other's row.
                new = {"study": study, "epoch": 1, **values}
                made = _inserting(seat).values(new).on_conflict_do_nothing()
                # Not by the number of rows, which drivers do not tell of such statements.
                if connection.execute(made.returning(seat.c.epoch)).first() is not None:
                    return 1
                row = connection.execute(own.with_for_update()).one()
            is_own = row.holder == holder
            if is_own and attempt <= row.attempt:
                return int(row.epoch)
            if not is_own and attempt > 1:
                raise SeatLostError(study)
            if not is_own and row.left_s > 0:
                raise SeatTakenError(study, row.holder.partition("@")[2], float(row.left_s))
            epoch = int(row.epoch) + 1
            changed = update(seat).where(seat.c.study == study).values(epoch=epoch, **values)
            connection.execute(changed)
            of_study = task.c.study == study
            if is_own:
                connection.execute(update(task).where(of_study).values(epoch=epoch))
            else:
                connection.execute(remove(task).where(of_study, task.c.state == WAITING))
            return epoch

    def stay(self, study: str, epoch: int, ttl_s: float) -> None:
        """Renew the lease of the seat."""
        own = (seat.c.study == study) & (seat.c.epoch == epoch)
        with self._writing() as connection:
            changed = update(seat).where(own).values(until=_after(ttl_s))
            if not connection.execute(changed).rowcount:
                raise SeatLostError(study)

    def leave(self, study: str, epoch: int) -> None:
        """Give up the seat."""
        with self._seated(study, epoch) as connection:
            connection.execute(update(seat).where(seat.c.study == study).values(until=NOW))
            left = remove(task).where(task.c.study == study, task.c.state != DONE)
            connection.execute(left)
            _notify(connection, TASKS, study)

    def offer(self, study: str, epoch: int, offers: Sequence[Offer]) -> None:
        """Add tasks."""
        with self._seated(study, epoch) as connection:
            run_id = connection.execute(select(seat.c.run_id).where(seat.c.study == study)).scalar()
            rows = [
                {
                    "study": study,
                    "epoch": epoch,
                    "run_id": run_id,
                    "address": one.address,
                    "number": one.number,
                    "content": one.content,
                    "state": WAITING,
                }
                for one in offers
            ]
            made = _inserting(task)
            adopted = {name: made.excluded[name] for name in ("epoch", "run_id", "number")}
            made = made.on_conflict_do_update(index_elements=["study", "address"], set_=adopted)
            connection.execute(made, rows)
            _notify(connection, TASKS, study)

    def look(self, study: str, epoch: int) -> Standing:
        """Let leases lapse, and return the state of the tasks."""
        of_study = task.c.study == study
        with self._seated(study, epoch) as connection:
            over = select(task.c.id).where(of_study, task.c.state == LEASED, task.c.until < NOW)
            ids = list(connection.execute(over.with_for_update(skip_locked=True)).scalars())
            if ids:
                _lapse(connection, ids)
                _notify(connection, TASKS, study)
            old = (task.c.state == WAITING) & (task.c.epoch != epoch)
            connection.execute(remove(task).where(of_study, old))
            columns = (task.c.address, task.c.state, task.c.kind, task.c.answer, task.c.run_id)
            rows = connection.execute(select(*columns).where(of_study, task.c.state != WAITING))
            both = list(rows)
        ends = [
            TaskEnd(row.address, AnswerKind(row.kind), row.answer or "", row.run_id)
            for row in both
            if row.state == DONE
        ]
        return Standing(tuple(ends), frozenset(r.address for r in both if r.state == LEASED))

    def record(self, study: str, epoch: int, results: Sequence[Evaluations]) -> None:
        """Add results to the ledger's evaluations."""
        with self._seated(study, epoch) as connection:
            for one in results:
                add_evaluations(connection, one.run_id, one.rows, one.readings)

    def withdraw(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        """Remove those of these tasks that have not ended."""
        self._remove(study, epoch, addresses, task.c.state != DONE)

    def drop(self, study: str, epoch: int, addresses: Sequence[str]) -> None:
        """Remove those of these tasks that have ended."""
        self._remove(study, epoch, addresses, task.c.state == DONE)

    def wait_for_ends(self, study: str, timeout_s: float) -> None:
        """Wait for a notice that a task has ended."""
        with self._guarded():
            self._notices.wait(ENDS, study, timeout_s)

    # -- for workers -------------------------------------------------------------------------

    def session(self, study: str) -> PullSession | None:
        """Last session of a study; ``None`` if no run has offered tasks in this database."""
        query = select(seat.c.epoch, seat.c.wanted, _left_s()).where(seat.c.study == study)
        try:
            with self._writing() as connection:
                row = connection.execute(query).first()
        except UnreachableError as error:
            if isinstance(error.__context__, ProgrammingError):
                return None  # no run has made the tables yet
            raise
        if row is None:
            return None
        return PullSession(int(row.epoch), row.left_s > 0, json.loads(row.wanted))

    def take(
        self, study: str, epoch: int, worker: str, *, most: int, is_idle: bool, ttl_s: float
    ) -> list[Lease]:
        """Take tasks under a lease."""
        live = select(literal(1)).where(
            seat.c.study == study, seat.c.epoch == epoch, seat.c.until > NOW
        )
        waiting = (
            select(task.c.id, task.c.n_lost)
            .where(
                task.c.study == study,
                task.c.state == WAITING,
                task.c.epoch == epoch,
                live.exists(),
            )
            .order_by(task.c.number)
            .limit(most)
            .with_for_update(skip_locked=True, of=task)
        )
        with self._writing() as connection:
            first = list(connection.execute(waiting))
            taken = takeable(first, lambda row: int(row.n_lost), is_idle=is_idle)
            if not taken:
                return []
            values = {"state": LEASED, "worker": worker, "until": _after(ttl_s)}
            leased = (
                update(task)
                .where(task.c.id.in_([row.id for row in taken]))
                .values(lease=task.c.lease + 1, **values)
                .returning(*_LEASE, task.c.number)
            )
            rows = connection.execute(leased)
            return [_lease_of(row) for row in sorted(rows, key=lambda row: row.number)]

    def held(self, worker: str) -> list[Lease]:
        """Leases of a worker."""
        own = (task.c.worker == worker) & (task.c.state == LEASED)
        with self._writing() as connection:
            query = select(*_LEASE).where(own).order_by(task.c.number)
            return [_lease_of(row) for row in connection.execute(query)]

    def renew(self, worker: str, leases: Sequence[Lease], ttl_s: float) -> set[int]:
        """Renew leases; return the tasks that the worker still has."""
        kept = set()
        with self._writing() as connection:
            # In one order, so that no two transactions wait for each other.
            for lease in sorted(leases, key=lambda lease: lease.task):
                changed = (
                    update(task)
                    .where(*_newest(worker, lease), task.c.state != DONE)
                    .values(
                        state=LEASED,
                        until=_after(ttl_s),
                        n_lost=task.c.n_lost - _one_if(task.c.state == WAITING),
                    )
                )
                if connection.execute(changed).rowcount:
                    kept.add(lease.task)
        return kept

    def finish(self, worker: str, lease: Lease, kind: AnswerKind, content: str) -> None:
        """End a task, unless it has ended or is gone."""
        whose = [task.c.id == lease.task]
        if kind is not AnswerKind.RESULT:
            whose = _newest(worker, lease)
        values = {"state": DONE, "kind": kind.value, "answer": content.replace("\0", "")}
        ended = update(task).where(*whose, task.c.state != DONE).values(values)
        with self._writing() as connection:
            for study in connection.execute(ended.returning(task.c.study)).scalars():
                _notify(connection, ENDS, study)

    def give_back(self, worker: str, leases: Sequence[Lease]) -> None:
        """End leases early."""
        with self._writing() as connection:
            for lease in sorted(leases, key=lambda lease: lease.task):
                # One lease further, so that no late renewal takes it up again.
                given = (
                    update(task)
                    .where(*_newest(worker, lease), task.c.state == LEASED)
                    .values(state=WAITING, lease=task.c.lease + 1)
                    .returning(task.c.study)
                )
                for study in connection.execute(given).scalars():
                    _notify(connection, TASKS, study)

    def wait_for_tasks(self, study: str, timeout_s: float) -> None:
        """Wait for a notice of new tasks."""
        with self._guarded():
            self._notices.wait(TASKS, study, timeout_s)

    # -- transactions ------------------------------------------------------------------------

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        handled = sys.exception()
        try:
            yield
        except SQLAlchemyError as error:
            # A server that is away does not answer to the end of a transaction, either.
            if (stop := interruption_within(error, handled)) is not None:
                raise stop from None
            cause = redact(str(getattr(error, "orig", None) or error)).strip()
            raise UnreachableError(f"ledger {self._name}: {cause}") from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._guarded(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _seated(self, study: str, epoch: int) -> Iterator[Connection]:
        """Begin a transaction of a session, which no other session can interrupt.

        Raises:
            SeatLostError: another session has begun.
        """
        with self._writing() as connection:
            query = select(seat.c.epoch).where(seat.c.study == study).with_for_update(read=True)
            if connection.execute(query).scalar() != epoch:
                raise SeatLostError(study)
            yield connection

    def _remove(self, study: str, epoch: int, addresses: Sequence[str], condition: Any) -> None:
        chosen = (task.c.study == study) & task.c.address.in_(
            bindparam("addresses", expanding=True)
        )
        with self._seated(study, epoch) as connection:
            gone = remove(task).where(chosen, condition)
            connection.execute(gone, {"addresses": list(addresses)})
            _notify(connection, TASKS, study)


_LEASE = (task.c.id, task.c.lease, task.c.content, task.c.n_lost)


def _lease_of(row: Any) -> Lease:
    return Lease(row.id, row.lease, row.content, row.n_lost)


def _newest(worker: str, lease: Lease) -> list[Any]:
    """Conditions on a task whose newest lease it is."""
    return [task.c.id == lease.task, task.c.lease == lease.number, task.c.worker == worker]


def _lapse(connection: Connection, ids: Sequence[int]) -> None:
    """Let tasks wait again, or end if their leases have lapsed too often."""
    is_lost = task.c.n_lost + 1 >= MOST_LOST
    chosen = update(task).where(task.c.id.in_(ids))
    ended = {"state": DONE, "kind": AnswerKind.LOST.value, "answer": LOST_TEXT}
    connection.execute(chosen.where(is_lost).values(n_lost=task.c.n_lost + 1, **ended))
    again = chosen.where(task.c.state == LEASED)
    connection.execute(again.values(state=WAITING, n_lost=task.c.n_lost + 1))


def _after(seconds: float) -> Any:
    # Years, months, weeks, days, hours, minutes, seconds.
    return NOW + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _left_s() -> Any:
    return func.extract("epoch", seat.c.until - NOW).label("left_s")


def _one_if(condition: Any) -> Any:
    return case((condition, 1), else_=0)


def _inserting(table: Any) -> Any:
    from sqlalchemy.dialects import postgresql  # its drivers take a while to import

    return postgresql.insert(table)


def _notify(connection: Connection, channel: str, study: str) -> None:
    connection.execute(select(func.pg_notify(channel, study)))
