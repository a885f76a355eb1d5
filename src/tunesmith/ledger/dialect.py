"""Differences between databases: addresses, connections, transactions, upserts."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import Pool

from tunesmith.errors import StorageError, UsageError
from tunesmith.ledger.integrity import LogKeeper, is_locked, log_of, mark_in_use
from tunesmith.system import faults
from tunesmith.system.portable.abilities import CLOSE_ON_EXEC
from tunesmith.system.redact import redact

# Its pool logs what a signal raised within it, and raises it as well: nobody should read it twice,
# and the first time as a traceback.
logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())

BUSY_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 10
SCHEMA_LOCK = 0x7475_6E65_736D_6974
"""Number of the lock that a process holds while it makes or migrates tables (PostgreSQL)."""
EXCHANGE_LOCK = SCHEMA_LOCK + 1
"""Number of the lock that a process holds while it adds what another ledger gave (PostgreSQL)."""


# -- addresses -------------------------------------------------------------------------------


def address(location: str | Path) -> URL:
    """Build the database URL of a file, or of a URL.

    Raises:
        UsageError: it is no URL, or one of a database that cannot hold a ledger.
    """
    if isinstance(location, Path) or "://" not in location:
        return URL.create("sqlite", database=str(Path(location).absolute()))
    try:
        url = make_url(location)
    except (ArgumentError, ValueError):
        raise UsageError("`ledger` is neither a path nor a database URL") from None
    backend = url.get_backend_name()
    if backend in ("postgres", "postgresql") and "+" not in url.drivername:
        return url.set(drivername="postgresql+psycopg")
    if backend not in ("sqlite", "postgresql"):
        raise UsageError(
            f"a ledger cannot live in {backend}."
            "\n  Name a file, or a `postgresql://` or `sqlite://` URL."
        )
    return url


def file_of(url: URL) -> Path | None:
    """Return the file of a URL; ``None`` for a server, or for a database in memory."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return None if "uri" in url.query else Path(str(url.database))


def sealed(url: URL) -> URL:
    """Open the file as one that never changes: SQLite then needs no other file beside it."""
    path = f"file:{quote(str(url.database))}"
    return url.set(database=path, query={"immutable": "1", "uri": "true"})


def readable(url: URL) -> str:
    """Write the URL or path for messages, without login and password."""
    file = file_of(url)
    return str(file) if file else redact(url.render_as_string(hide_password=True), {})


# -- connections -----------------------------------------------------------------------------


def engine_of(
    url: URL,
    *,
    poolclass: type[Pool] | None = None,
    factory: Callable[..., sqlite3.Connection] = sqlite3.Connection,
    **arguments: Any,
) -> Engine:
    """Make an engine whose transactions write (see ``reader`` for those that only read).

    Args:
        url: from ``address``.
        poolclass: class of SQLAlchemy's pool, if connections must not be kept.
        factory: makes SQLite's connections.
        arguments: arguments of the driver's ``connect``.

    Raises:
        StorageError: the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        arguments |= {"timeout": BUSY_TIMEOUT_MS / 1000, "factory": factory}
        engine = create_engine(url, poolclass=poolclass, connect_args=arguments)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = CONNECT_TIMEOUT_S
    try:
        # A server may have cut off a connection that rested during a long fit.
        return create_engine(url, poolclass=poolclass, pool_pre_ping=True, connect_args=arguments)
    except ImportError as error:
        raise StorageError(
            f"ledger {readable(url)}: the driver {error.name} is not installed."
            "\n  Install it: pip install 'tunesmith[postgres]'"
        ) from None


def read_only(url: URL) -> URL:
    """Address the same file, without changing anything in it."""
    # In a URI, a question mark in the path would begin the options.
    path = f"file:{quote(str(url.database))}"
    return url.set(database=path, query={"mode": "ro", "uri": "true"})


def reader(engine: Engine) -> Engine:
    """Use the same engine for reading: one unchanging view, which never blocks a writer."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(tunesmith_reads=True)
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling commits before DDL; SQLAlchemy begins them instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    # A commit is a write, which survives the death of any process; `sync` is for loss of power.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can be refused later; IMMEDIATE waits at the door instead.
    reads = connection.get_execution_options().get("tunesmith_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def begin_writing(engine: Engine, keeper: LogKeeper) -> None:
    """Let readers and the writer work at the same time, and mark the file as in use (SQLite).

    Args:
        engine: of the ledger.
        keeper: keeps its log, the one that is there and a new one.
    """
    if engine.dialect.name != "sqlite":
        return
    file = file_of(engine.url)
    if file is not None:
        keeper.keep(file)
    connection = engine.raw_connection()
    try:
        raw: Any = connection.driver_connection
        # Switching does not wait for other openers of a new file, so this waits for them.
        _retry_locked(lambda: raw.execute("PRAGMA journal_mode = WAL").fetchall())
        if file is not None:
            keeper.keep(file)
            _retry_locked(lambda: mark_in_use(raw, file))
    finally:
        connection.close()


def _retry_locked(action: Callable[[], Any], tries: int = 400, pause_s: float = 0.025) -> None:
    for remaining in range(tries, 0, -1):
        try:
            action()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or remaining == 1:
                raise
            time.sleep(pause_s)
        else:
            return


def sync(file: Path | None) -> None:
    """Make the disk hold all commits of an SQLite file; a server does so by itself.

    Args:
        file: file of the ledger; commits are written into its log.
    """
    log = file and log_of(file)
    if log is None or not log.exists():
        return
    faults.reach("ledger.sync")
    handle = os.open(log, os.O_RDWR | CLOSE_ON_EXEC)
    try:
        getattr(os, "fdatasync", os.fsync)(handle)
    finally:
        os.close(handle)


@contextmanager
def streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """Open the driver's own cursor on an answer, which is read in parts.

    Each row is a plain tuple: SQLAlchemy's rows cost more than what they hold.

    Args:
        connection: within a transaction.
        query: any that needs no conversion of values.
    """
    if connection.dialect.name == "sqlite":
        cursor: Any = connection.execute(query).cursor
    else:
        # One with a name stays on the server. Any other one holds the whole answer here.
        compiled = query.compile(connection)
        raw: Any = connection.connection.driver_connection
        cursor = raw.cursor(name="tunesmith")
        cursor.execute(str(compiled), compiled.params, binary=True)
    with closing(cursor):
        yield cursor


def serialise_schema_changes(connection: Connection) -> None:
    """Wait until no other process makes or migrates tables (an SQLite writer is alone anyway)."""
    _wait_for(connection, SCHEMA_LOCK)


def serialise_exchanges(connection: Connection) -> None:
    """Wait until no other process adds what another ledger gave, as above."""
    _wait_for(connection, EXCHANGE_LOCK)


def _wait_for(connection: Connection, lock: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")


# -- upserts ---------------------------------------------------------------------------------


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    where: ColumnElement[bool] | None = None,
) -> None:
    """Insert rows; a row with an existing primary key replaces the old one.

    Args:
        connection: connection within a transaction.
        table: of the ledger.
        rows: column values.
        where: condition on rows that may be replaced.
    """
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, where), rows)


@cache
def _upsert(
    dialect: str,
    table: Table,
    where: ColumnElement[bool] | None,
) -> Any:
    # Built once: building costs more than running it, and these run for every trial.
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others, where=where)


def _insert(dialect: str, table: Table) -> Any:
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # its drivers take a while to import

    return postgresql.insert(table)
