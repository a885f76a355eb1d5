"""One run of a study at a time: a lock that is gone with its holder, whatever ended it.

A ledger in a file is locked by the kernel (``flock``), one on a server by the server (an advisory
lock of the session). Nobody has to remove anything after a crash, and nobody waits for the dead.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith import faults
from tunesmith.errors import LockedError, StorageError
from tunesmith.files import make_private, make_state_folder

PATIENCE_S = 5.0
PAUSE_S = 0.001


def run_lock(location: str | Path, study: str) -> AbstractContextManager[None]:
    """Hold the study for the duration of a run.

    Args:
        location: of the ledger, file or URL.
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
    """Who runs the study now (``pid``, ``since``); ``None`` when nobody does."""
    path = _lock_path(location, study)
    if path is not None:
        return _file_holder(path)
    from tunesmith.ledger.advisory import advisory_holder

    return advisory_holder(str(location), study)


def holders(file: Path) -> dict[str, dict[str, Any]]:
    """The runs on a ledger's file: study -> who runs it."""
    found = {}
    for path in sorted(file.parent.glob(f"{file.name}.*.lock")):
        who = _file_holder(path)
        if who is not None:
            found[path.name.removeprefix(f"{file.name}.").removesuffix(".lock")] = who
    return found


@contextmanager
def _file_lock(path: Path, study: str) -> Iterator[None]:
    # The file stays; what locks is the kernel, and the text in it only tells who holds it.
    try:
        make_state_folder(path.parent)
        make_private(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
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
        os.pwrite(handle, json.dumps(note).encode(), 0)
    except BlockingIOError:
        raise LockedError(study, _read(handle)) from None
    except OSError as error:
        raise StorageError(f"cannot lock {path}: {error.strerror}") from error


def _lock(handle: int) -> None:
    """Take the lock.

    Runs hold it alone; who only looks shares it for a moment. So whoever can share it knows that
    no run is there, and tries again.
    """
    end = time.monotonic() + PATIENCE_S
    while not _try(handle, fcntl.LOCK_EX):
        if not _try(handle, fcntl.LOCK_SH) or time.monotonic() > end:
            raise BlockingIOError
        fcntl.flock(handle, fcntl.LOCK_UN)
        time.sleep(PAUSE_S)


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file_holder(path: Path) -> dict[str, Any] | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try(handle, fcntl.LOCK_SH) else _read(handle)
    except OSError:
        return None
    finally:
        os.close(handle)


def _read(handle: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(handle, 1000, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _lock_path(location: str | Path, study: str) -> Path | None:
    """Beside the ledger's file; ``None`` when it has none."""
    if isinstance(location, str) and "://" in location:
        from tunesmith.ledger.dialect import address, file_of

        file = file_of(address(location))
    else:
        file = Path(location)
    return file and file.with_name(f"{file.name}.{study}.lock")
