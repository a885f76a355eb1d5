"""Tables of the ledger, their version, and migrations from older versions."""

import json
from collections.abc import Callable, Mapping

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    inspect,
    select,
    update,
)

from tunesmith.errors import StorageError
from tunesmith.history import OLD_LAW
from tunesmith.ledger.dialect import serialise_schema_changes
from tunesmith.ledger.outdated import PREFIX, may_have_shared
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.rows import CHECKED, checksum, json_text
from tunesmith.version import VERSION

SCHEMA_VERSION = 6

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
    for table in (metadata.tables[name] for name in CHECKED):
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


MIGRATIONS: dict[int, Callable[[Connection], None]] = {
    1: _add_curves,
    2: _add_progress,
    3: _add_checksums,
    4: _add_made,
    5: _add_readings,
}
"""Version -> the step from it to the next one."""
APPENDED: Mapping[str, tuple[str, ...]] = {
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


def prepare(connection: Connection) -> None:
    """Create the tables, or migrate older ones, within the caller's transaction.

    Raises:
        StorageError: as ``is_ready``; nothing was changed.
    """
    # Before looking: another process may be making the tables at this moment.
    serialise_schema_changes(connection)
    version = _found_version(connection)
    if version is None:
        metadata.create_all(connection)
        connection.execute(insert(meta).values(schema_version=SCHEMA_VERSION, **_writer()))
    elif version < SCHEMA_VERSION:
        for old in range(version, SCHEMA_VERSION):
            MIGRATIONS[old](connection)
        connection.execute(update(meta).values(schema_version=SCHEMA_VERSION, **_writer()))


def _writer() -> dict[str, str]:
    return {"written_by": VERSION}


def _found_version(connection: Connection) -> int | None:
    tables = set(inspect(connection).get_table_names())
    if meta.name not in tables:
        _check_is_free(connection, tables)
        return None
    row = connection.execute(select(meta)).one()
    if row.schema_version > SCHEMA_VERSION:
        raise StorageError(
            f"it needs Tunesmith {row.written_by} or newer; this is {VERSION}."
            "\n  Update Tunesmith, or name another `ledger`."
        )
    return int(row.schema_version)


def _check_is_free(connection: Connection, tables: set[str]) -> None:
    # A file is the ledger's alone; on a server other programs' tables may stand beside ours.
    is_file = connection.dialect.name == "sqlite"
    if foreign := sorted(tables if is_file else tables & metadata.tables.keys()):
        raise StorageError(
            f"this database belongs to another program (it has a table `{foreign[0]}`)."
            "\n  Name another `ledger`; nothing was changed."
        )
