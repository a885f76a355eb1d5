"""Folders of data that are laid out with their content, instead of being linked as a whole.

Programs that walk through a project (``find``, ``os.walk``) do not enter links to folders, and some
libraries (SQLite) work on the target of a link.
"""

import os
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MANY_ENTRIES = 1_000
"""Largest number of entries of a folder that is laid out."""
SMALL_BYTES = 32 << 20
"""Largest size of all small files together that are copied; else they are linked."""


@dataclass(frozen=True)
class DataFolders:
    """Folders that are laid out, by their paths in the project."""

    tops: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    """These, and all folders in them."""
    content: frozenset[str] = frozenset()
    """The files and the links in them."""

    @classmethod
    def of(cls, root: Path, names: Iterable[str], left_out: Collection[str] = ()) -> "DataFolders":
        """Select the folders among some paths that have few entries.

        Args:
            root: the project folder.
            names: paths that runs get although Git ignores them.
            left_out: names of folders that runs do not get.
        """
        found = {name: entries for name in names if (entries := _entries(root, name, left_out))}
        folders = (name for inner, _ in found.values() for name in inner)
        content = (name for _, files in found.values() for name in files)
        return cls(frozenset(found), frozenset(folders), frozenset(content))


def _entries(root: Path, name: str, left_out: Collection[str]) -> tuple[set[str], set[str]] | None:
    """List the folders and the files of a folder; ``None`` if it is linked as a whole."""
    top = root / name
    if not top.is_dir() or top.is_symlink() or (top / ".git").exists():
        return None
    folders, files = {name}, set()
    for place, inner, names in os.walk(top):
        base = Path(place).relative_to(root).as_posix()
        linked = {one for one in inner if os.path.islink(f"{place}/{one}")}  # noqa: PTH114 - hot
        inner[:] = [one for one in inner if one not in linked and one not in left_out]
        folders |= {f"{base}/{one}" for one in inner}
        files |= {f"{base}/{one}" for one in (*linked, *names)}
        if len(folders) + len(files) > MANY_ENTRIES:
            return None
    return folders, files


def small_files(root: Path, names: Collection[str], most: int) -> set[str]:
    """Select the files of at most so many bytes, if all of them together are small."""
    sizes = {}
    for name in names:
        with suppress(OSError):
            found = (root / name).stat()
            if stat.S_ISREG(found.st_mode) and found.st_size <= most:
                sizes[name] = found.st_size
    return {*sizes} if sum(sizes.values()) <= SMALL_BYTES else set()
