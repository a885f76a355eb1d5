"""Removal of what nobody needs any more, by study, by age, or because no trial uses it.

What a study shows now stays unless you name the study: age alone removes earlier series of trials,
and evaluations that no trial uses. An evaluation that a remaining trial uses always stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select, text, update

from tunesmith.ledger import schema
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.ledger.queries import OWN_SERIES
from tunesmith.ledger.rows import signed
from tunesmith.system import faults

INDEX = "ix_trial_fold_garbage"


@dataclass(frozen=True, kw_only=True)
class GarbageChoice:
    """Conditions for removal; several of them narrow each other."""

    study: str | None = None
    """Only of this study, with the searches of its nested cross-validation."""
    before: str | None = None
    """Only of runs that began before this moment (UTC, ISO 8601)."""
    only_unused: bool = False
    """Only evaluations that no trial uses."""

    def has_name(self, name: str) -> bool:
        """Tell whether a study is chosen."""
        return self.study is None or name == self.study or name.startswith(f"{self.study}.outer")

    def is_old(self, moment: str) -> bool:
        """Tell whether a moment is old enough."""
        return self.before is None or moment < self.before


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Evaluations and studies that can be removed."""

    series: Sequence[int] = ()
    """Ids of series whose trials go."""
    evaluations: Sequence[tuple[str, int]] = ()
    """Keys and runs of evaluations."""
    n_trials: int = 0


@contextmanager
def no_run(location: str | Path, ledger: Ledger) -> Iterator[list[str]]:
    """Keep runs from beginning; yield the names of the studies.

    A run's evaluations are not yet in a trial, and would look as if nobody used them.

    Raises:
        LockedError: a run is on.
    """
    query = select(schema.study.c.name).distinct().where(OWN_SERIES)
    with ledger.transaction(writes=False) as connection:
        names = sorted(connection.execute(query).scalars())
    with ExitStack() as stack:
        # By name, so that two removals at once do not wait for each other in a circle.
        for name in names:
            stack.enter_context(run_lock(location, name))
        yield names


def garbage(ledger: Ledger, choice: GarbageChoice) -> Garbage:
    """Find what can be removed."""
    with ledger.transaction(writes=False) as connection:
        return _found(connection, choice)


def remove(ledger: Ledger, choice: GarbageChoice) -> Garbage:
    """Remove it, in one transaction; return what was removed."""
    with ledger.transaction(writes=True) as connection:
        found = _found(connection, choice)
        # Without it, the database would look through all trials for each evaluation that goes.
        columns = f"{schema.trial_fold.name} (evaluation_key, run_id)"
        connection.execute(text(f"CREATE INDEX {INDEX} ON {columns}"))
        # In the order of references, the referring rows first.
        for table in (schema.standing, schema.trial_fold, schema.note, schema.trial):
            its = table.c.study_id == bindparam("its")
            _each(connection, delete(table).where(its), [{"its": n} for n in found.series])
        table = schema.evaluation
        its = (table.c.key == bindparam("its_key")) & (table.c.run_id == bindparam("its_run"))
        pairs = [{"its_key": key, "its_run": run} for key, run in found.evaluations]
        _each(connection, delete(table).where(its), pairs)
        _remove_heads(connection, found.series)
        connection.execute(text(f"DROP INDEX {INDEX}"))
        faults.reach("garbage.removed")
    # Outside of the transaction: SQLite writes the file anew.
    ledger.compact()
    return found


def _each(connection: Connection, statement: Any, values: Sequence[dict[str, Any]]) -> None:
    if values:
        connection.execute(statement, values)


def _found(connection: Connection, choice: GarbageChoice) -> Garbage:
    series = [] if choice.only_unused else _series(connection, choice)
    evaluation, link = schema.evaluation, schema.trial_fold
    used = select(link.c.evaluation_key, link.c.run_id).where(link.c.study_id.not_in(series))
    runs = _runs(connection, choice)
    # A difference of sets is one pass for the database; a condition per row would be many.
    chosen = select(evaluation.c.key, evaluation.c.run_id).where(evaluation.c.run_id.in_(runs))
    pairs = [(key, run) for key, run in connection.execute(chosen.except_(used))]
    trial = schema.trial
    n = select(func.count()).select_from(trial).where(trial.c.study_id.in_(series))
    n_trials = connection.execute(n).scalar_one()
    return Garbage(series=series, evaluations=sorted(pairs), n_trials=n_trials)


def _series(connection: Connection, choice: GarbageChoice) -> list[int]:
    """Ids of the series whose trials may go."""
    study, run = schema.study, schema.run
    last = func.coalesce(func.max(run.c.id), 0)
    moment = func.coalesce(func.max(run.c.started), study.c.created)
    query = (
        select(study.c.id, study.c.name, moment.label("moment"))
        .outerjoin(run, run.c.study_id == study.c.id)
        .where(OWN_SERIES)
        .group_by(study.c.id, study.c.name, study.c.created)
        .order_by(last, study.c.id)
    )
    rows = connection.execute(query).all()
    # Those that `status` and `report` show: later entries replace earlier ones.
    present = set({row.name: row.id for row in rows}.values())
    return [
        row.id
        for row in rows
        if choice.has_name(row.name)
        and choice.is_old(row.moment)
        and (choice.study is not None or row.id not in present)
    ]


def _runs(connection: Connection, choice: GarbageChoice) -> list[int]:
    """Ids of the runs whose unused evaluations may go."""
    study, run = schema.study, schema.run
    query = select(run.c.id, run.c.started, run.c.ended, study.c.name).join(study)
    by_wish = choice.study is not None or choice.before is not None
    return [
        row.id
        for row in connection.execute(query)
        if choice.has_name(row.name)
        and choice.is_old(row.started)
        # A killed run's evaluations in no trial are what the next run goes on from.
        and (by_wish or row.ended is not None)
    ]


def _remove_heads(connection: Connection, series: Sequence[int]) -> None:
    """Remove runs without evaluations and series without runs, of those that nobody shows."""
    study, run, uid = schema.study, schema.run, schema.run_uid
    hidden = select(study.c.id).where(or_(study.c.id.in_(series), study.c.generation < 0))
    # Runs of a study that stays are its record, even if they have evaluated nothing.
    evaluated = select(schema.evaluation.c.run_id).distinct()
    empty = select(run.c.id).where(run.c.study_id.in_(hidden), run.c.id.not_in(evaluated))
    ids = list(connection.execute(empty).scalars())
    connection.execute(delete(uid).where(uid.c.id.in_(ids)))
    connection.execute(delete(run).where(run.c.id.in_(ids)))
    without = study.c.id.not_in(select(run.c.study_id))
    connection.execute(delete(study).where(study.c.id.in_(hidden), without))
    for row in connection.execute(select(study).where(study.c.id.in_(series))).all():
        _hide(connection, row)
    reading, evaluation = schema.reading, schema.evaluation
    needed = select(evaluation.c.reading).where(evaluation.c.reading.is_not(None))
    connection.execute(delete(reading).where(reading.c.digest.not_in(needed)))


def _hide(connection: Connection, row: Any) -> None:
    """Keep a removed series for its runs alone: trials of other studies use what these made."""
    study = schema.study
    lowest = select(func.min(study.c.generation)).where(study.c.name == row.name)
    generation = min(connection.execute(lowest).scalar_one(), 0) - 1
    # Its runs keep their numbers: evaluations refer to them.
    values = signed("study", {**row._asdict(), "generation": generation})
    connection.execute(update(study).where(study.c.id == row.id).values(values))
