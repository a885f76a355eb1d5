"""Messages for a ledger that cannot be used, with the remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from tunesmith.errors import DamagedError, StorageError
from tunesmith.system.redact import clean

REPAIR = "`tunesmith doctor --repair` saves what can be saved into a new file; this one is kept."
ADVICE = {
    "full": "Free some space and run again: what was recorded is intact.",
    "disk I/O error": "Look at the disk, its quota and file size limits, and run again: what was"
    " recorded is intact.",
    "not a database": f"If it was a ledger, {REPAIR}\n  If not, name another `ledger`.",
    "malformed": REPAIR,
    "readonly": "Make it writable, or name another `ledger`.",
    "Read-only": "Make it writable, or name another `ledger`.",
    "Permission denied": "Make it writable, or name another `ledger`.",
    "No space": "Free some space and run again: what was recorded is intact.",
    "unable to open": "It has to be a file in a folder that can be written;"
    " or name another `ledger`.",
    "locked": "Another program is writing into it: end that, and run again.",
}
"""Part of the database's message -> remedy."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Turn errors of a ledger into errors that name it and the remedy."""
    try:
        yield
    except DamagedError as error:
        advice = _advice(str(error)) or f".\n  {REPAIR}"
        raise DamagedError(f"ledger {name}: damaged: {error}{advice}") from None
    except StorageError as error:
        raise StorageError(f"ledger {name}: {error}") from None
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        # SQLAlchemy's own text holds the statement with its values; the driver's names the cause.
        cause = clean(str(getattr(error, "orig", None) or error)).strip()
        raise StorageError(f"ledger {name}: {cause}{_advice(cause)}") from None


def _advice(cause: str) -> str:
    found = (f".\n  {advice}" for part, advice in ADVICE.items() if part in cause)
    return next(found, "")
