"""Studies in a storage of Optuna's: opened, and named in messages without a password."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tunesmith.errors import StorageError, UsageError
from tunesmith.system.redact import clean, redact

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def named(url: str) -> str:
    """Return a storage's address for messages, without login and password.

    Raises:
        UsageError: it is no address.
    """
    try:
        return redact(make_url(url).render_as_string(hide_password=True), {})
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise UsageError(
            "--optuna: this is no address of a storage; write `sqlite:///study.db`."
        ) from None


def file_of(url: str) -> Path | None:
    """Return the file of a storage; ``None`` if it is on a server."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


@contextmanager
def opened(url: str) -> Iterator["BaseStorage"]:
    """Open a storage for the duration of the block; its tables are made if they are missing.

    Raises:
        StorageError: it cannot be opened, read or written.
    """
    name = named(url)
    import optuna
    from optuna.exceptions import StorageInternalError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage: Any = None
    try:
        with warnings.catch_warnings():
            # Its notes on what is experimental are for its own users.
            warnings.simplefilter("ignore")
            storage = optuna.storages.RDBStorage(url)
            yield storage
    except ModuleNotFoundError as error:
        raise StorageError(f"{name}: the driver {error.name} is not installed.") from None
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        raise StorageError(f"{name}: {clean(str(cause)).strip().splitlines()[0]}") from None
    finally:
        if storage is not None:
            storage.engine.dispose()
