"""The run lock of a ledger on a PostgreSQL server: an advisory lock of one session.

The server drops it with the connection, so it ends with its holder. If a connection is cut off
while its holder lives, the lock is free, too: a second run may then repeat evaluations, but it
harms nothing, since recorded results never change.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from tunesmith.errors import LockedError, StorageError
from tunesmith.ledger.dialect import address, engine_of, readable
from tunesmith.system.redact import redact

SPACE = 0x74756E65
"""First number of a lock, which is Tunesmith's; the second one identifies the study."""
TAKE = text("SELECT pg_try_advisory_lock(:space, :number)")
WHO = text(
    "SELECT a.application_name, a.backend_start FROM pg_locks l"
    " JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
    " JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted"
    " AND l.classid::bigint = :space AND l.objid::bigint = :number"
)

KEEP_ALIVE = text(
    "SELECT set_config('tcp_keepalives_idle', '30', false),"
    " set_config('tcp_keepalives_interval', '10', false),"
    " set_config('tcp_keepalives_count', '3', false)"
)
"""Settings with which the server notices within a minute that the holder's machine is gone."""


@contextmanager
def advisory_lock(location: str, study: str) -> Iterator[None]:
    """Hold the lock, as ``run_lock`` does, for a ledger on a server."""
    with _session(location) as connection:
        _take(connection, location, study)
        yield


def advisory_holder(location: str, study: str) -> dict[str, Any] | None:
    """Name the holder, as ``holder`` does, for a ledger on a server."""
    with _session(location) as connection, _guarded(location):
        return _who(connection, study)


@contextmanager
def _session(location: str) -> Iterator[Connection]:
    # The name is how others learn the process that holds the lock.
    name = f"tunesmith {os.getpid()}"
    engine = engine_of(address(location), poolclass=NullPool, application_name=name)
    with _guarded(location):
        # Without a transaction: one that is open for a whole run would hold up the server's
        # cleanup.
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        yield connection
    finally:
        connection.close()


def _take(connection: Connection, location: str, study: str) -> None:
    with _guarded(location):
        connection.execute(KEEP_ALIVE)
        if not connection.execute(TAKE, _numbers(study)).scalar_one():
            raise LockedError(study, _who(connection, study) or {})


def _who(connection: Connection, study: str) -> dict[str, Any] | None:
    row = connection.execute(WHO, _numbers(study)).first()
    if row is None:
        return None
    _, _, pid = (row.application_name or "").partition(" ")
    since = row.backend_start
    return {
        "pid": int(pid) if pid.isdecimal() else "?",
        "since": since.astimezone(UTC).isoformat(timespec="seconds") if since else "?",
    }


def _numbers(study: str) -> dict[str, int]:
    mark = blake2b(study.encode(), digest_size=4).digest()
    # Lock numbers are signed 32-bit integers.
    return {"space": SPACE, "number": int.from_bytes(mark) >> 1}


@contextmanager
def _guarded(location: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = redact(str(getattr(error, "orig", None) or error)).strip()
        raise StorageError(f"ledger {readable(address(location))}: {cause}") from None
