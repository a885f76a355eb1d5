"""The tables, their version, and the way from older versions to this one."""

from collections.abc import Callable

from sqlalchemy import (
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
    update,
)

from tunesmith.errors import StorageError

SCHEMA_VERSION = 1

metadata = MetaData()

meta = Table("tunesmith", metadata, Column("schema_version", Integer, nullable=False))

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
    Column("created", String(32), nullable=False),
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
    Column("provenance", Text, nullable=False),
)

evaluation = Table(
    "evaluation",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("fold", Integer, nullable=False),
    Column("scores", Text, nullable=False),
    Column("fit_time_s", Float, nullable=False),
    Column("score_time_s", Float, nullable=False),
    Column("failure_kind", Text),
    Column("failure_message", Text),
    Column("failure_traceback", Text),
)

trial = Table(
    "trial",
    metadata,
    Column("study_id", ForeignKey("study.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("params", Text, nullable=False),
    Column("origin", String(80), nullable=False),
    Column("state", String(16), nullable=False),
)

trial_fold = Table(
    "trial_fold",
    metadata,
    Column("study_id", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fold", Integer, primary_key=True, autoincrement=False),
    Column("evaluation_key", ForeignKey("evaluation.key"), nullable=False),
)

MIGRATIONS: dict[int, Callable[[Connection], None]] = {}
"""Version -> the step from it to the next one."""


def prepare(connection: Connection) -> None:
    """Create the tables, or bring older ones up to date.

    Raises:
        StorageError: a newer Tunesmith wrote this ledger; it is left as it is.
    """
    if not inspect(connection).has_table(meta.name):
        metadata.create_all(connection)
        connection.execute(insert(meta).values(schema_version=SCHEMA_VERSION))
        return
    found = int(connection.execute(select(meta.c.schema_version)).scalar_one())
    if found > SCHEMA_VERSION:
        raise StorageError(
            f"the ledger has schema version {found}; this Tunesmith knows {SCHEMA_VERSION}."
            " Update Tunesmith, or name another `ledger:`."
        )
    for old in range(found, SCHEMA_VERSION):
        MIGRATIONS[old](connection)
    if found < SCHEMA_VERSION:
        connection.execute(update(meta).values(schema_version=SCHEMA_VERSION))
