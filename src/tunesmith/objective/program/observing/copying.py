"""Copies of files, which share their blocks with the originals if the file system supports that."""

import os
import shutil
import stat
from pathlib import Path

FICLONE = 0x40049409
"""Number of the system call (``ioctl``) that makes such a copy."""


def copy(source: Path, target: Path, root: Path) -> None:
    """Copy a file with its mode and time; a link stays a link, and special files are left out.

    Args:
        source: a file of the project.
        target: its new path.
        root: the project; links that lead out of it lead to the same place from anywhere.
    """
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        leads_to = Path(os.path.normpath(source.parent / source.readlink()))
        # Runs have a `.git` of their own only if they ask for it (git-annex keeps data there).
        is_within = leads_to.is_relative_to(root) and not leads_to.is_relative_to(root / ".git")
        target.symlink_to(source.readlink() if is_within else leads_to)
    elif stat.S_ISREG(status.st_mode):
        clone(source, target) or shutil.copyfile(source, target)
        shutil.copystat(source, target)


def copy_content(source: Path, target: Path) -> None:
    """Copy a file's content, through links; DVC's files are read-only, a copy is writable."""
    # Otherwise a link at this place would be written through.
    target.unlink(missing_ok=True)
    clone(source, target) or shutil.copyfile(source, target)
    shutil.copystat(source, target)
    target.chmod(stat.S_IMODE(target.stat().st_mode) | stat.S_IWUSR)


def clone(source: Path, target: Path) -> bool:
    """Make a copy that shares its blocks with the original, if the file system supports that."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    with source.open("rb") as original, target.open("wb") as clone:
        try:
            fcntl.ioctl(clone.fileno(), FICLONE, original.fileno())
        except OSError:
            return False
    return True
