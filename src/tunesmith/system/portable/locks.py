"""Locks on open files, which the system gives back when their holder ends.

A lock is held alone, or several processes share it. Windows has only locks of single bytes, held
alone: there, sharing is asking for a moment. The locked byte lies far behind the end of the file,
because Windows lets nobody else read what is locked.
"""

import errno
import os
import time
from typing import Any

from tunesmith.system.portable.abilities import has_flock, is_forced

BYTE = 1 << 30
LOOKS, PAUSE_S = 20, 0.002
"""Attempts at a lock that another process may hold to look at it, and seconds between them."""
BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def lock_alone(handle: int) -> bool:
    """Take a lock that nobody else holds; false if somebody does.

    Args:
        handle: descriptor of the file, open for writing.

    Raises:
        OSError: the file system has no locks.
    """
    if has_flock():
        return _flock(handle, is_alone=True)
    return any(_attempts(handle))


def lock_shared(handle: int) -> bool:
    """Take a lock that others may share; false if somebody holds it alone.

    Without shared locks, this only tells that nobody holds it alone, and holds nothing.

    Args:
        handle: descriptor of the file.

    Raises:
        OSError: the file system has no locks.
    """
    if has_flock():
        return _flock(handle, is_alone=False)
    is_free = any(_attempts(handle))
    if is_free:
        unlock(handle)
    return is_free


def unlock(handle: int) -> None:
    """Give a lock back; closing the file does so, too."""
    if has_flock():
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)
    else:
        _unlock_byte(handle)


def _flock(handle: int, *, is_alone: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _attempts(handle: int) -> Any:
    """Ask several times: who looks at a lock holds it for a moment."""
    for _ in range(LOOKS):
        yield _lock_byte(handle)
        time.sleep(PAUSE_S)


def _lock_byte(handle: int) -> bool:
    try:
        if is_forced() and os.name == "posix":
            _record(handle, lock=True)
        else:
            _windows(handle, lock=True)
    except OSError as error:
        if error.errno in BUSY:
            return False
        raise
    return True


def _unlock_byte(handle: int) -> None:
    if is_forced() and os.name == "posix":
        _record(handle, lock=False)
    else:
        _windows(handle, lock=False)


def _windows(handle: int, *, lock: bool) -> None:
    import msvcrt

    # Typed for Windows alone.
    module: Any = msvcrt
    before = os.lseek(handle, 0, os.SEEK_CUR)
    os.lseek(handle, BYTE, os.SEEK_SET)
    try:
        module.locking(handle, module.LK_NBLCK if lock else module.LK_UNLCK, 1)
    finally:
        os.lseek(handle, before, os.SEEK_SET)


def _record(handle: int, *, lock: bool) -> None:
    """Lock a byte as Windows does: for an open file and not for a process (Linux)."""
    import fcntl
    import struct

    # Such a lock needs a file that is open for writing; one for reading can only be shared.
    is_readable_only = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    kind = fcntl.F_UNLCK if not lock else fcntl.F_RDLCK if is_readable_only else fcntl.F_WRLCK
    fields = struct.pack("hhqqi4x", kind, os.SEEK_SET, BYTE, 1, 0)
    fcntl.fcntl(handle, fcntl.F_OFD_SETLK, fields)
    # Also the lock of those that run without the switch.
    if lock and not _flock(handle, is_alone=not is_readable_only):
        _record(handle, lock=False)
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    if not lock:
        fcntl.flock(handle, fcntl.LOCK_UN)
