"""Tables of the ledger, their version, and migrations from older versions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    event,
    func,
    insert,
    inspect,
    literal_column,
    or_,
    select,
    update,
)

from tunesmith.errors import StorageError
from tunesmith.history import LAW, OLD_LAW
from tunesmith.ledger import lease_tables
from tunesmith.ledger.dialect import serialise_schema_changes
from tunesmith.ledger.outdated import PREFIX, may_have_shared
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.rows import CHECKED, checksum, json_text
from tunesmith.version import VERSION

SCHEMA_VERSION = 11

metadata = MetaData()


def _checksum() -> Column[int]:
    """Column for the checksum of a row, which reveals changes on the disk (``rows.checksum``)."""
    return Column("checksum", BigInteger, nullable=False, server_default="0")


meta = Table(
    "tunesmith",
    metadata,
    Column("schema_version", Integer, nullable=False),
    Column("written_by", String(32), nullable=False),
)

study = Table(
    "study",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("identity", String(64), nullable=False),
    Column("definition", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("n_objectives", Integer, nullable=False),
    Column("since_run", Integer),
    Column("created", String(32), nullable=False),
    _checksum(),
    UniqueConstraint("name", "generation"),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_id", ForeignKey("study.id"), nullable=False, index=True),
    Column("started", String(32), nullable=False),
    Column("ended", String(32)),
    Column("stopped_by", Text),
    Column("n_evaluated", Integer, nullable=False, default=0),
    Column("n_reused", Integer, nullable=False, default=0),
    Column("n_fits", Integer, nullable=False, default=0),
    Column("provenance", Text, nullable=False),
    _checksum(),
)

run_uid = Table(
    "run_uid",
    metadata,
    Column("id", ForeignKey("run.id"), primary_key=True, autoincrement=False),
    Column("uid", String(64), nullable=False, unique=True),
    _checksum(),
)
"""Names of runs that are the same in every ledger; runs of older versions have none."""

evaluation = Table(
    "evaluation",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("run_id", ForeignKey("run.id"), primary_key=True, autoincrement=False),
    Column("fold", Integer, nullable=False),
    Column("scores", Text, nullable=False),
    Column("fit_time_s", Float, nullable=False),
    Column("score_time_s", Float, nullable=False),
    Column("n_sharing", Integer, nullable=False, default=1),
    Column("failure_kind", Text),
    Column("failure_message", Text),
    Column("failure_traceback", Text),
    Column("warning", Text),
    Column("progress", Text),
    Column("stopped_at", Integer),
    Column("reading", String(64)),
    _checksum(),
    Column("made", Text),
)

sharing_check = Table(
    "sharing_check",
    metadata,
    Column("key", String(64), primary_key=True),  # the digest of what follows
    Column("kind", Text, nullable=False),
)

reading = Table(
    "reading",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", Text, nullable=False),
)

trial = Table(
    "trial",
    metadata,
    Column("study_id", ForeignKey("study.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("params", Text, nullable=False),
    Column("origin", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("proposed", Text),
    Column("n_points", Integer, nullable=False, default=1, server_default="1"),
    Column("n_folds", Integer, nullable=False, default=0, server_default="0"),
    _checksum(),
)

trial_fold = Table(
    "trial_fold",
    metadata,
    Column("study_id", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fold", Integer, primary_key=True, autoincrement=False),
    Column("evaluation_key", String(64), nullable=False),
    Column("run_id", Integer, nullable=False),
    _checksum(),
    ForeignKeyConstraint(["evaluation_key", "run_id"], ["evaluation.key", "evaluation.run_id"]),
)

note = Table(
    "note",
    metadata,
    Column("study_id", ForeignKey("study.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    _checksum(),
)

standing = Table(
    "standing",
    metadata,
    Column("study_id", ForeignKey("study.id"), primary_key=True),
    Column("metric", Integer, primary_key=True, autoincrement=False),  # its place in `metrics`
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("gain", Float, nullable=False),
)
"""Mean score of every complete trial, turned so that larger is better, for the database to order.

It is derived from the other tables (``standing.rebuild``), so it has no checksums of its own.
"""

APART = trial_fold.c.fold < literal_column("0")
WITH_READING = evaluation.c.reading.is_not(None)
PRESENT_LAW = f'{{"law":{LAW},'
"""Begin of the column ``made`` of a result by the present rules of sharing."""
OUTDATED = or_(
    evaluation.c.made.is_(None) & (evaluation.c.n_sharing > literal_column("1")),
    func.substr(evaluation.c.made, literal_column("1"), literal_column(str(len(PRESENT_LAW))))
    != literal_column(f"'{PRESENT_LAW}'"),
)
"""Condition on evaluations by older rules of sharing, as ``FoldResult.counts`` tells."""
# Without variables: a database uses a partial index if its condition stands in the query.
INDEXES = (
    Index("ix_standing_gain", standing.c.study_id, standing.c.metric, standing.c.gain),
    Index("ix_trial_state", trial.c.study_id, trial.c.state, trial.c.number, trial.c.n_folds),
    *(
        Index(name, *columns, sqlite_where=condition)
        for name, columns, condition in (
            ("ix_trial_fold_apart", (trial_fold.c.study_id, trial_fold.c.fold), APART),
            ("ix_evaluation_reading", (evaluation.c.reading,), WITH_READING),
            ("ix_evaluation_outdated", (evaluation.c.run_id,), OUTDATED),
        )
    ),
)


def _limit_on_postgresql(index: Index, connection: Connection, **_: Any) -> None:
    """Give PostgreSQL the condition of a partial index.

    Not where the index is declared: its dialect takes a while to import.
    """
    if connection.dialect.name == "postgresql":
        condition = index.dialect_options["sqlite"]["where"]
        index.dialect_options["postgresql"]["where"] = condition


for _index in INDEXES:
    event.listen(_index, "before_create", _limit_on_postgresql)


# Migrations are written as SQL, not from `metadata`, whose columns are those of today.
def _add_curves(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE trial ADD COLUMN proposed TEXT")
    connection.exec_driver_sql("ALTER TABLE trial ADD COLUMN n_points INTEGER DEFAULT 1 NOT NULL")


def _add_progress(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE evaluation ADD COLUMN progress TEXT")
    connection.exec_driver_sql("ALTER TABLE evaluation ADD COLUMN stopped_at INTEGER")


def _add_checksums(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE trial ADD COLUMN n_folds INTEGER DEFAULT 0 NOT NULL")
    connection.exec_driver_sql(
        "UPDATE trial SET n_folds = (SELECT count(*) FROM trial_fold WHERE fold >= 0"
        " AND trial_fold.study_id = trial.study_id AND trial_fold.number = trial.number)"
    )
    there = set(inspect(connection).get_table_names())
    for table in (metadata.tables[name] for name in CHECKED if name in there):
        connection.exec_driver_sql(
            f"ALTER TABLE {table.name} ADD COLUMN checksum BIGINT DEFAULT 0 NOT NULL"
        )
        own = [table.c[name] for name in CHECKED[table.name]]
        rows = [dict(row) for row in connection.execute(select(*own)).mappings()]
        keys = [column.name for column in table.primary_key]
        chosen = [table.c[name] == bindparam(f"its_{name}") for name in keys]
        values = [
            {f"its_{name}": row[name] for name in keys} | {"new": checksum(table.name, row)}
            for row in rows
        ]
        if values:
            change = update(table).where(*chosen).values(checksum=bindparam("new"))
            connection.execute(change, values)


def _add_made(connection: Connection) -> None:
    """Add the columns, and mark results that an earlier version may have shared without a note."""
    columns = {column["name"] for column in inspect(connection).get_columns("evaluation")}
    if "made" not in columns:
        connection.exec_driver_sql("ALTER TABLE evaluation ADD COLUMN made TEXT")
    sharing_check.create(connection, checkfirst=True)
    runs = connection.execute(select(run.c.id, run.c.provenance, study.c.name).join(study))
    stored = ((row, json.loads(row.provenance).get("definition")) for row in runs)
    recorded = ((row, RecordedStudy.of(content)) for row, content in stored)
    shared = [row.id for row, one in recorded if may_have_shared(one, row.name)]
    text = json_text({"law": OLD_LAW, "ways": [PREFIX]})
    table = evaluation
    chosen = (table.c.run_id.in_(shared)) & (table.c.n_sharing == 1) & table.c.made.is_(None)
    own = [table.c[name] for name in CHECKED["evaluation"]]
    for row in connection.execute(select(*own).where(chosen, table.c.failure_kind.is_(None))).all():
        values: dict[str, object] = {"made": text}
        values |= {"checksum": checksum("evaluation", {**row._asdict(), **values})}
        its = (table.c.key == row.key) & (table.c.run_id == row.run_id)
        connection.execute(update(table).where(its).values(values))


def _add_readings(connection: Connection) -> None:
    columns = {column["name"] for column in inspect(connection).get_columns("evaluation")}
    if "reading" not in columns:
        connection.exec_driver_sql("ALTER TABLE evaluation ADD COLUMN reading VARCHAR(64)")
    reading.create(connection, checkfirst=True)


def _allow_further_splits(_connection: Connection) -> None:
    """Change nothing: an earlier version would take results on further splits for lost folds."""


def _add_notes(connection: Connection) -> None:
    note.create(connection, checkfirst=True)


def _add_standing(connection: Connection) -> None:
    """Add what lets the database order and count trials; the standing is filled on opening."""
    standing.create(connection, checkfirst=True)
    for index in INDEXES:
        index.create(connection, checkfirst=True)


def _add_uids(connection: Connection) -> None:
    """Add the table; older runs get no row, since their name follows from what they record."""
    run_uid.create(connection, checkfirst=True)


def _add_leases(connection: Connection) -> None:
    lease_tables.create(connection)


MIGRATIONS: dict[int, Callable[[Connection], None]] = {
    1: _add_curves,
    2: _add_progress,
    3: _add_checksums,
    4: _add_made,
    5: _add_readings,
    6: _allow_further_splits,
    7: _add_notes,
    8: _add_standing,
    9: _add_uids,
    10: _add_leases,
}
"""Version -> the step from it to the next one."""
APPENDED: Mapping[str, tuple[str, ...]] = {
    "note": (),
    "run_uid": (),
    "study": ("checksum",),
    "run": ("checksum",),
    "trial": ("proposed", "n_points", "n_folds", "checksum"),
    "trial_fold": ("checksum",),
    "evaluation": ("progress", "stopped_at", "checksum", "made", "reading"),
}
"""Columns that migrations add, in their order: in a migrated table they stand at the end."""


def orders(table: str) -> list[list[str]]:
    """List the orders in which the columns of a table may be stored.

    A ledger that was created by this version has the declared order. One that was created by an
    earlier version and migrated has the later columns at its end.
    """
    declared, appended = [c.name for c in metadata.tables[table].columns], APPENDED[table]
    later = [appended[n:] for n in range(len(appended), -1, -1)]
    possible = [[name for name in declared if name not in end] + [*end] for end in later]
    return [order for n, order in enumerate(possible) if order not in possible[:n]]


def is_ready(connection: Connection) -> bool:
    """True if the tables exist and have this version.

    Raises:
        StorageError: the tables belong to a newer Tunesmith, or to another program.
    """
    return _found_version(connection) == SCHEMA_VERSION


def is_begun(connection: Connection) -> bool:
    """True if there is a ledger, of any version."""
    return inspect(connection).has_table(meta.name)


def prepare(connection: Connection) -> bool:
    """Create the tables, or migrate older ones, within the caller's transaction.

    Returns:
        True if older tables were migrated. Another process may have made them meanwhile, too.

    Raises:
        StorageError: as ``is_ready``; nothing was changed.
    """
    # Before looking: another process may be making the tables at this moment.
    serialise_schema_changes(connection)
    version = _found_version(connection)
    if version is None:
        metadata.create_all(connection)
        lease_tables.create(connection)
        connection.execute(insert(meta).values(schema_version=SCHEMA_VERSION, **_writer()))
    elif version < SCHEMA_VERSION:
        for old in range(version, SCHEMA_VERSION):
            MIGRATIONS[old](connection)
        connection.execute(update(meta).values(schema_version=SCHEMA_VERSION, **_writer()))
    return version is not None and version < SCHEMA_VERSION


def _writer() -> dict[str, str]:
    return {"written_by": VERSION}


def _found_version(connection: Connection) -> int | None:
    there = set(inspect(connection).get_table_names())
    if meta.name not in there:
        _check_is_free(connection, there)
        return None
    row = connection.execute(select(meta)).one()
    if row.schema_version > SCHEMA_VERSION:
        raise StorageError(
            f"it needs Tunesmith {row.written_by} or newer; this is {VERSION}."
            "\n  Update Tunesmith, or name another `ledger`."
        )
    return int(row.schema_version)


def _check_is_free(connection: Connection, there: set[str]) -> None:
    # A file is the ledger's alone; on a server other programs' tables may stand beside ours.
    is_file = connection.dialect.name == "sqlite"
    if foreign := sorted(there if is_file else there & metadata.tables.keys()):
        raise StorageError(
            f"this database belongs to another program (it has a table `{foreign[0]}`)."
            "\n  Name another `ledger`; nothing was changed."
        )
