"""Whether a program has read its parameters file, by the time that the file system notes.

A file that was marked and read once has another access time, whatever the language and the way.
That can be told on local file systems that note such times and cannot share the blocks of copies;
elsewhere nothing is concluded.
"""

import fcntl
import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

FICLONE = 0x40049409
LOCAL = ("ext2", "ext3", "ext4", "tmpfs", "overlay", "xfs", "btrfs", "f2fs")
"""Elsewhere somebody on another machine may read, unseen."""
MOUNTS = Path("/proc/self/mountinfo")


def mark(file: Path) -> None:
    """Set a file's access time far back; the next one who reads it sets it anew."""
    with suppress(OSError):
        os.utime(file, ns=(0, file.stat().st_mtime_ns))


def is_unread(file: Path) -> bool:
    """Whether a marked file is certain not to have been read."""
    try:
        found = file.stat()
    except OSError:
        return False
    return found.st_size > 0 and found.st_atime_ns == 0 and _tells(file.parent)


def _tells(folder: Path) -> bool:
    """Whether a folder's file system notes that files are read, and nobody goes round that."""
    return _kind(folder.stat().st_dev) in LOCAL and _is_noted(folder)


@cache
def _kind(device: int) -> str:
    """The kind of the file system with a device number; ``""`` if it is not known."""
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
        with tempfile.TemporaryDirectory(dir=folder, prefix=".tunesmith-") as place:
            file, clone = Path(place, "a"), Path(place, "b")
            file.write_text("x")
            mark(file)
            was_marked = file.stat().st_atime_ns == 0
            file.read_bytes()
            return was_marked and file.stat().st_atime_ns != 0 and not _shares(file, clone)
    except OSError:
        return False


def _shares(file: Path, clone: Path) -> bool:
    """Whether a copy can share a file's blocks: it is then made without reading."""
    with file.open("rb") as source, clone.open("wb") as target:
        try:
            fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
        except OSError:
            return False
    return True
