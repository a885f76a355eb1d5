"""One run of a study at a time: a kernel lock, gone with its holder whatever ended it."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from tunesmith.errors import LockedError, StorageError


@contextmanager
def run_lock(location: str | Path, study: str) -> Iterator[None]:
    """Hold the study for the duration of a run.

    The file stays; what locks is the kernel's ``flock`` on it, which ends with the process. The
    text in it only tells others who holds it.

    Raises:
        LockedError: another run holds it.
        StorageError: the lock's folder cannot be written.
    """
    path = _lock_path(location, study)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        _take(handle, study)
        yield
    finally:
        os.close(handle)


def holder(location: str | Path, study: str) -> dict[str, Any] | None:
    """Who runs the study now (``pid``, ``since``); ``None`` when nobody does."""
    try:
        handle = os.open(_lock_path(location, study), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(handle)
    finally:
        os.close(handle)
    return None


def _take(handle: int, study: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = _read(handle)
        raise LockedError(
            f"study `{study}` is being run by process {other.get('pid', '?')}"
            f" since {other.get('since', '?')}.\n  Wait for it, or end it; nothing was changed."
        ) from None
    note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(note).encode(), 0)


def _read(handle: int) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(os.pread(handle, 1000, 0))
    except ValueError:
        return {}
    return found


def _lock_path(location: str | Path, study: str) -> Path:
    if isinstance(location, Path):
        return location.with_name(f"{study}.lock")
    # A database elsewhere has no folder of its own: runs on this machine exclude each other.
    mark = hashlib.blake2b(f"{location}\0{study}".encode(), digest_size=8).hexdigest()
    return Path(gettempdir()) / f"tunesmith-{os.getuid()}-{mark}.lock"
