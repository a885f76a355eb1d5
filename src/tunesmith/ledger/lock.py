"""Lock that allows one run of a study at a time and vanishes with its holder.

The kernel locks a ledger in a file (``flock``), and the server locks one on a server (an advisory
lock of the session). After a crash there is nothing to remove and nothing to wait for.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith.errors import LockedError, StorageError
from tunesmith.system import faults
from tunesmith.system.files import make_private, make_state_folder
from tunesmith.system.portable.abilities import CLOSE_ON_EXEC, NO_LINKS
from tunesmith.system.portable.locks import lock_alone, lock_shared, unlock

PATIENCE_S = 5.0
PAUSE_S = 0.001


def run_lock(location: str | Path, study: str) -> AbstractContextManager[None]:
    """Hold the lock on a study for the duration of a run.

    Args:
        location: file or URL of the ledger.
        study: its name.

    Raises:
        LockedError: another run holds it.
        StorageError: the lock's folder cannot be written, or the server not reached.
    """
    path = _lock_path(location, study)
    if path is not None:
        return _file_lock(path, study)
    from tunesmith.ledger.advisory import advisory_lock

    return advisory_lock(str(location), study)


def holder(location: str | Path, study: str) -> dict[str, Any] | None:
    """Details of the run that holds the study (``pid``, ``since``); ``None`` if none does."""
    path = _lock_path(location, study)
    if path is not None:
        return _file_holder(path)
    from tunesmith.ledger.advisory import advisory_holder

    return advisory_holder(str(location), study)


def holders(file: Path) -> dict[str, dict[str, Any]]:
    """Runs on a ledger's file: study -> details of its run."""
    by_study = {}
    for path in sorted(file.parent.glob(f"{file.name}.*.lock")):
        who = _file_holder(path)
        if who is not None:
            by_study[path.name.removeprefix(f"{file.name}.").removesuffix(".lock")] = who
    return by_study


@contextmanager
def _file_lock(path: Path, study: str) -> Iterator[None]:
    # The file stays: the kernel locks it, and its text only names the holder.
    try:
        make_state_folder(path.parent)
        make_private(path)
        # CLOEXEC: the lock lasts as long as any copy of the handle, and a program that outlives the
        # run must not hold it. NOFOLLOW: a link here must not have another file emptied.
        flags = os.O_RDWR | os.O_CREAT | CLOSE_ON_EXEC | NO_LINKS
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise StorageError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        _take(handle, path, study)
        faults.reach("run.locked")
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, study: str) -> None:
    note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        _lock(handle)
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(note).encode())
    except BlockingIOError:
        raise LockedError(study, _read(handle)) from None
    except OSError as error:
        raise StorageError(f"cannot lock {path}: {error.strerror}") from error


def _lock(handle: int) -> None:
    """Take the lock.

    A run holds it exclusively; a process that only looks shares it for a moment. So a process that
    can share it knows that there is no run, and tries again.
    """
    end = time.monotonic() + PATIENCE_S
    while not lock_alone(handle):
        if not lock_shared(handle) or time.monotonic() > end:
            raise BlockingIOError
        unlock(handle)
        time.sleep(PAUSE_S)


def _file_holder(path: Path) -> dict[str, Any] | None:
    try:
        handle = os.open(path, os.O_RDONLY | CLOSE_ON_EXEC)
    except OSError:
        return None
    try:
        # A shared lock that is granted proves that there is no run; closing the file gives it back.
        return None if lock_shared(handle) else _read(handle)
    except OSError:
        return None
    finally:
        os.close(handle)


def _read(handle: int) -> dict[str, Any]:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        details = json.loads(os.read(handle, 1000))
    except (ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}


def _lock_path(location: str | Path, study: str) -> Path | None:
    """Path of the lock beside the ledger's file; ``None`` if the ledger has none."""
    if isinstance(location, str) and "://" in location:
        from tunesmith.ledger.dialect import address, file_of

        file = file_of(address(location))
    else:
        file = Path(location)
    return file and file.with_name(f"{file.name}.{study}.lock")
