"""Detect by access times whether a program has read its parameters file.

A file that was marked and then read has another access time, whatever the language of the reader.
This works on local file systems that record such times and do not share the blocks of copies. On
others, nothing is concluded.
"""

import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from tunesmith.objective.program.observing.copying import clone

LOCAL = ("ext2", "ext3", "ext4", "tmpfs", "overlay", "xfs", "btrfs", "f2fs")
"""Local file systems; on others, a process on another machine may read unseen."""
MOUNTS = Path("/proc/self/mountinfo")


def mark(file: Path) -> None:
    """Set a file's access time far back; the next one who reads it sets it anew."""
    with suppress(OSError):
        # With `relatime`, the usual option, a read is noted only if the last one is older than the
        # file.
        os.utime(file, ns=(0, file.stat().st_mtime_ns))


def is_unread(file: Path) -> bool:
    """True if a marked file has certainly not been read."""
    try:
        status = file.stat()
    except OSError:
        return False
    return status.st_size > 0 and status.st_atime_ns == 0 and _tells(file.parent)


def _tells(folder: Path) -> bool:
    """True if a folder's file system records that files are read, and nothing bypasses that."""
    return _kind(folder.stat().st_dev) in LOCAL and _is_noted(folder)


@cache
def _kind(device: int) -> str:
    """Kind of the file system with a device number; ``""`` if it is not known."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    fields = [line.split(" ") for line in lines]
    kinds = {f[f.index("-") + 1] for f in fields if len(f) > 2 and f[2] == wanted}
    return kinds.pop() if len(kinds) == 1 else ""


def _is_noted(folder: Path) -> bool:
    try:
        # Tried out, because `noatime` may be set for a mount, a folder or a file.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".tunesmith-") as place:
            file, copied = Path(place, "a"), Path(place, "b")
            file.write_text("x")
            mark(file)
            was_marked = file.stat().st_atime_ns == 0
            file.read_bytes()
            # A copy that shares its blocks with the file is made without reading.
            is_shared = clone(file, copied)
            return was_marked and file.stat().st_atime_ns != 0 and not is_shared
    except OSError:
        return False
