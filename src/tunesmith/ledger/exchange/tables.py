"""A ledger as a place of the exchange.

Runs that came from other ledgers have negative numbers, and belong to series with negative
generations, which no command takes for a study of this ledger: so they never outrank its own runs,
and its trials stay as they are. Their evaluations are found by key, as all others.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from tunesmith.ledger import dialect, schema
from tunesmith.ledger.exchange.shared import (
    BATCH,
    OF_EVALUATION,
    OF_RUN,
    OF_STUDY,
    Readings,
    SharedEvaluation,
    SharedRun,
    derived_uid,
)
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.queries import SAYS_NOTHING, SAYS_SOMETHING, batched, checked
from tunesmith.ledger.rows import signed, with_run
from tunesmith.system import faults


class LedgerPlace:
    """An open ledger that takes evaluations of others, and gives its own.

    Args:
        ledger: open; it stays open.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @property
    def name(self) -> str:
        """Its address for messages, without login and password."""
        return self.ledger.name

    def runs(self) -> Mapping[str, SharedRun]:
        """All its runs by their names."""
        with self.ledger.transaction(writes=False) as connection:
            return {one.uid: one for _, one in numbered_runs(connection)}

    def batches(self) -> Iterator[Sequence[SharedEvaluation]]:
        """Yield its evaluations that another ledger can rely on.

        Results that say nothing about the params (time-outs, dead workers) stay here, and so do
        those of shared fits by older rules.
        """
        table = schema.evaluation
        with self.ledger.transaction(writes=False) as connection:
            uids = {number: one.uid for number, one in numbered_runs(connection)}
            # A million rows must not stand in memory at once.
            query = select(table).where(SAYS_SOMETHING).execution_options(yield_per=BATCH)
            for rows in connection.execute(query).partitions(BATCH):
                mine = [row for row in checked(connection, "evaluation", rows) if _counts(row)]
                yield [SharedEvaluation(uids[row.run_id], _own(row, OF_EVALUATION)) for row in mine]

    def readings(self, digests: Collection[str]) -> Mapping[str, str]:
        """Contents of readings by their digests."""
        table = schema.reading
        by_digest: dict[str, str] = {}
        with self.ledger.transaction(writes=False) as connection:
            for some in batched(digests):
                rows = connection.execute(select(table).where(table.c.digest.in_(some)))
                by_digest |= {row.digest: row.content for row in rows}
        return by_digest

    def note(self, runs: Mapping[str, SharedRun]) -> None:
        """Take over the ends of runs that are here, and were on when they came."""
        # Own runs end by themselves.
        lacking = [(n, one) for n, one in self._here.values() if n < 0 and not one.has_ended]
        ended = [(n, runs[one.uid]) for n, one in lacking if one.uid in runs]
        for number, one in ((n, one) for n, one in ended if one.has_ended):
            with self.ledger.transaction(writes=True) as connection:
                table = schema.run
                row = connection.execute(select(table).where(table.c.id == number)).one()
                values = signed("run", {**row._asdict(), **one.run})
                connection.execute(update(table).where(table.c.id == number).values(values))
            self._here[one.uid] = number, one

    def add(
        self, batch: Sequence[SharedEvaluation], runs: Mapping[str, SharedRun], readings: Readings
    ) -> int:
        """Add those that are lacking, in one transaction; return their number."""
        lacking = self._lacking(batch)
        if not lacking:
            return 0
        # Before the transaction: the contents may come from a slow server.
        contents = readings({one.row["reading"] for one in lacking} - {None})
        made: dict[str, tuple[int, SharedRun]] = {}
        with self.ledger.transaction(writes=True) as connection:
            self._be_alone(connection)
            for uid in sorted({one.uid for one in lacking} - self._here.keys()):
                made[uid] = _taken_in(connection, runs[uid]), runs[uid]
            number_of = {uid: number for uid, (number, _) in {**self._here, **made}.items()}
            # Once more: another process may have added the same meanwhile.
            lacking = _absent(connection, lacking, number_of)
            rows = [{"digest": key, "content": text} for key, text in contents.items()]
            dialect.upsert(connection, schema.reading, rows)
            if lacking:
                rows = [with_run(one.row, number_of[one.uid]) for one in lacking]
                # It may replace a time-out of the same run, which is no result.
                dialect.upsert(connection, schema.evaluation, rows, where=SAYS_NOTHING)
            faults.reach("exchange.add")
        # Only now: a transaction that failed has made no runs.
        self._here |= made
        return len(lacking)

    def finish(self) -> None:
        """Make the disk hold all of it."""
        self.ledger.sync()

    @cached_property
    def _here(self) -> dict[str, tuple[int, SharedRun]]:
        with self.ledger.transaction(writes=False) as connection:
            return {one.uid: (number, one) for number, one in numbered_runs(connection)}

    def _lacking(self, batch: Sequence[SharedEvaluation]) -> list[SharedEvaluation]:
        number_of = {uid: number for uid, (number, _) in self._here.items()}
        with self.ledger.transaction(writes=False) as connection:
            return _absent(connection, batch, number_of)

    def _be_alone(self, connection: Connection) -> None:
        """Wait for other exchanges with this ledger, and see the runs that they have added."""
        dialect.serialise_exchanges(connection)
        numbers = [number for number, _ in self._here.values()]
        known = len(numbers), min(numbers, default=None), max(numbers, default=None)
        ids = schema.run.c.id
        present = select(func.count(), func.min(ids), func.max(ids))
        if tuple(connection.execute(present).one()) != known:
            self._here.clear()
            self._here |= {one.uid: (number, one) for number, one in numbered_runs(connection)}


def numbered_runs(connection: Connection) -> list[tuple[int, SharedRun]]:
    """Return all runs of a ledger with their numbers there, in the order of these."""
    studies = {row.id: row for row in _all(connection, schema.study)}
    uids = {row.id: row.uid for row in _all(connection, schema.run_uid)}
    numbered = []
    seen: dict[str, Callable[[], int]] = {}
    for row in _all(connection, schema.run):
        study, run = _own(studies[row.study_id], OF_STUDY), _own(row, OF_RUN)
        uid = uids.get(row.id)
        if uid is None:
            place = seen.setdefault(derived_uid(study, run, 0), count().__next__)()
            uid = derived_uid(study, run, place)
        numbered.append((row.id, SharedRun(uid, study, run)))
    return numbered


def _all(connection: Connection, table: Any) -> Iterator[Row[Any]]:
    query = select(table).order_by(table.c.id)
    return checked(connection, table.name, connection.execute(query))


def _own(row: Row[Any], names: Sequence[str]) -> dict[str, Any]:
    values = row._asdict()
    return {name: values[name] for name in names}


def _counts(row: Row[Any]) -> bool:
    """Tell whether a result was made by the present rules of sharing."""
    if row.made is None:
        return bool(row.n_sharing == 1)
    return bool(row.made.startswith(schema.PRESENT_LAW))


def _absent(
    connection: Connection, batch: Sequence[SharedEvaluation], number_of: Mapping[str, int]
) -> list[SharedEvaluation]:
    """Return the evaluations that are not here, each once."""
    table = schema.evaluation
    there: set[tuple[str, int]] = set()
    for keys in batched({one.row["key"] for one in batch}):
        query = select(table.c.key, table.c.run_id).where(table.c.key.in_(keys), SAYS_SOMETHING)
        there |= {(row.key, row.run_id) for row in connection.execute(query)}
    lacking = {
        one.address: one
        for one in batch
        if (one.row["key"], number_of.get(one.uid, 0)) not in there
    }
    return list(lacking.values())


def _taken_in(connection: Connection, one: SharedRun) -> int:
    """Add a run of another ledger; return its number here."""
    table = schema.run
    # Below all others; two exchanges are never here at once.
    lowest = connection.execute(select(func.min(table.c.id))).scalar()
    number = min(lowest or 0, 0) - 1
    values = {"id": number, "study_id": _shelf(connection, one), **one.run}
    connection.execute(insert(table).values(signed("run", values)))
    name = signed("run_uid", {"id": number, "uid": one.uid})
    connection.execute(insert(schema.run_uid).values(name))
    return number


def _shelf(connection: Connection, one: SharedRun) -> int:
    """Series that holds runs of others with this identity; it is made if there is none."""
    table = schema.study
    name, identity = one.study["name"], one.study["identity"]
    its = (table.c.name == name) & (table.c.generation < 0)
    query = select(table.c.id).where(its, table.c.identity == identity)
    # Any series with this identity will do: the definition of each run is in its provenance.
    there = connection.execute(query).scalar()
    if there is not None:
        return int(there)
    lowest = connection.execute(select(func.min(table.c.generation)).where(its)).scalar()
    values = {**one.study, "generation": min(lowest or 0, 0) - 1, "since_run": None}
    made = insert(table).values(values).returning(table.c.id)
    study_id = int(connection.execute(made).scalar_one())
    row = connection.execute(select(table).where(table.c.id == study_id)).one()
    right = update(table).where(table.c.id == study_id)
    connection.execute(right.values(checksum=signed("study", row._asdict())["checksum"]))
    return study_id
