"""Errors of databases, told apart by their codes, and the messages for you with the remedy."""

import errno
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from tunesmith.errors import DamagedError, StorageError
from tunesmith.ledger.integrity import LOCKED, sqlite_code
from tunesmith.system.interruptions import interruption_within
from tunesmith.system.redact import clean

REPAIR = "`tunesmith doctor --repair` saves what can be saved into a new file; this one is kept."
NO_DATABASE = f"If it was a ledger, {REPAIR}\n  If not, name another `ledger`."
FREE_SPACE = "Free some space and run again: what was recorded is intact."
MAKE_WRITABLE = "Make it writable, or name another `ledger`."
END_WRITER = "Another program is writing into it: end that, and run again."
OF_SQLITE = {
    sqlite3.SQLITE_FULL: FREE_SPACE,
    sqlite3.SQLITE_IOERR: "Look at the disk, its quota and file size limits, and run again: what"
    " was recorded is intact.",
    sqlite3.SQLITE_NOTADB: NO_DATABASE,
    sqlite3.SQLITE_CORRUPT: REPAIR,
    sqlite3.SQLITE_READONLY: MAKE_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: "It has to be a file in a folder that can be written;"
    " or name another `ledger`.",
    **dict.fromkeys(LOCKED, END_WRITER),
}
"""Code of SQLite -> remedy."""
OF_SYSTEM = {
    errno.ENOSPC: FREE_SPACE,
    errno.EROFS: MAKE_WRITABLE,
    errno.EACCES: MAKE_WRITABLE,
}
"""Code of the operating system -> remedy."""
OF_SERVER = {"53100": FREE_SPACE}
"""Code of PostgreSQL -> remedy."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Turn errors of a ledger into errors that name it and the remedy.

    Raises:
        Interrupted: a signal came, and the error is what the database says of the half-made rest.
    """
    handled = sys.exception()
    try:
        yield
    except DamagedError as error:
        advice = REPAIR if error.is_database else NO_DATABASE
        raise DamagedError(f"ledger {name}: damaged: {error}.\n  {advice}") from None
    except StorageError as error:
        raise StorageError(f"ledger {name}: {error}") from None
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        if (stop := interruption_within(error, handled)) is not None:
            raise stop from None
        # SQLAlchemy's own text holds the statement with its values; the driver's names the cause.
        cause = getattr(error, "orig", None) or error
        advice = f".\n  {advice}" if (advice := _advice(cause)) else ""
        raise StorageError(f"ledger {name}: {clean(str(cause)).strip()}{advice}") from None


def _advice(cause: BaseException) -> str:
    if isinstance(cause, OSError):
        return OF_SYSTEM.get(cause.errno or 0, "")
    return OF_SQLITE.get(sqlite_code(cause)) or OF_SERVER.get(getattr(cause, "sqlstate", ""), "")
