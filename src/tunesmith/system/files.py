"""Files that are never half-written."""

import glob
import os
import stat
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from tunesmith.errors import StorageError, UsageError
from tunesmith.system import faults
from tunesmith.system.portable.abilities import CLOSE_ON_EXEC, can_rename_open_files
from tunesmith.system.portable.locks import lock_alone

STATE = ".tunesmith"
"""The private folder of a project: ledger, locks, logs."""


def write_atomic(path: Path, content: str | bytes) -> bool:
    """Replace a file's content in one step; leave it untouched when the content is the same.

    A reader, or a crash at any moment, sees the old content or the new one. Untouched files keep
    their modification time, so that DVC and make see no change. A new file has the rights that the
    umask leaves, an old one keeps its own.

    Returns:
        True if the file was written.

    Raises:
        StorageError: the file system refused.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        _sweep(path)
        if path.is_file() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data, _rights(path))
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    return True


def _replace(path: Path, data: bytes, mode: int) -> None:
    # In the same folder, because a rename is atomic only within one file system.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            # The lock ends with this process, which shows others that the file is an orphan.
            lock_alone(file.fileno())
            faults.reach("file.write")
            file.write(data)
            file.flush()
            # Rights and bytes before the name: a reader never sees the new file without them.
            set_rights(file.fileno(), temporary, mode)
            faults.reach("file.sync")
            # Or a power cut could leave the new name with an empty file.
            os.fsync(file.fileno())
            faults.reach("file.rename")
            # While it is open and locked, so that nobody takes it for an orphan.
            if can_rename_open_files():
                Path(temporary).replace(path)
        if not can_rename_open_files():
            Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    faults.reach("file.renamed")
    _sync_directory(path.parent)


YOUNG_S = 5.0


def _sweep(path: Path) -> None:
    """Remove temporary files that killed processes have left beside this file."""
    for orphan in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError), orphan.open("rb") as file:
            # A file that was made this moment may not be locked yet.
            is_old = time.time() - os.fstat(file.fileno()).st_mtime > YOUNG_S
            is_orphan = lock_alone(file.fileno()) and is_old
            # Closed first, because Windows keeps what is open.
            file.close()
            if is_orphan:
                orphan.unlink()


def _rights(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        # The umask can only be read by setting it.
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask


def make_state_folder(folder: Path, *, is_private: bool = False) -> None:
    """Make a folder for the ledger, locks or logs, with those above it.

    A folder ``.tunesmith`` is readable for the user alone, or for the group as well if the group
    may write into the project's folder.

    Args:
        folder: to make.
        is_private: treat the folder itself like ``.tunesmith``, whatever its name.
    """
    for place in reversed([folder, *folder.parents]):
        if place.is_dir():
            continue
        is_own = STATE in place.parts or (is_private and place == folder)
        place.mkdir(0o700 if is_own else 0o777, exist_ok=True)
        if is_own and _is_shared(place.parent):
            # Keep the setgid bit of the folder above, by which new files belong to the group.
            place.chmod(stat.S_IMODE(place.stat().st_mode) | 0o070)


def make_private(file: Path) -> None:
    """Make an empty file that only the user can read, unless the file exists.

    In a folder that its group may write into the group can read and write it, too.
    """
    try:
        # `O_EXCL`: of two processes that begin at once, one makes the file.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | CLOSE_ON_EXEC, 0o600)
    except FileExistsError:
        return
    try:
        # Not by `os.open`, from whose mode the umask takes rights away.
        set_rights(handle, file, private_rights(file.parent))
    finally:
        os.close(handle)


def private_rights(folder: Path) -> int:
    """Return the rights of a private file in a folder."""
    return 0o660 if _is_shared(folder) else 0o600


def set_rights(handle: int, file: str | Path, mode: int) -> None:
    """Set the rights of an open file.

    Args:
        handle: its descriptor.
        file: its path, for systems that know files by their paths alone.
        mode: the rights.
    """
    if hasattr(os, "fchmod"):
        os.fchmod(handle, mode)
    else:
        Path(file).chmod(mode)


def _is_shared(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IWGRP)


def _sync_directory(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows writes names at once, and opens no folders
        return
    # Without this a power cut may undo the rename although the file's bytes are on disk.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def inside(root: Path, path: str | Path) -> Path:
    """Resolve an output path that must stay within the project.

    Raises:
        UsageError: it leads outside, into ``.git``, or through something that is no plain file.
    """
    if "\0" in str(path):
        raise UsageError(f"output {str(path)!r} holds a null byte")
    base = root.resolve()
    # Links are followed first: a link in the project may lead out of it.
    resolved = (base / path).resolve()
    if not resolved.is_relative_to(base):
        raise UsageError(f"output {path} leads outside the project {base}")
    if ".git" in resolved.relative_to(base).parts:
        raise UsageError(f"output {path} leads into .git")
    if resolved.exists() and not resolved.is_file():
        raise UsageError(f"output {path} is not a plain file")
    return resolved


@dataclass(frozen=True)
class NewFile:
    """A file to write."""

    path: Path
    content: str

    @property
    def exists(self) -> bool:
        """True if there is a file already."""
        return self.path.exists()

    @property
    def is_same(self) -> bool:
        """True if that file has this very content."""
        return self.path.is_file() and self.path.read_bytes() == self.content.encode()


def write_files(planned: Iterable[NewFile]) -> None:
    """Write all files, each in one step, or none: after a failure all is as it was before.

    Raises:
        StorageError: the file system refused one of them; names what could not be put back.
    """
    written: list[_Earlier] = []
    try:
        for file in planned:
            written.append(_Earlier.of(file.path))
            write_atomic(file.path, file.content)
    except BaseException as error:
        left = [str(earlier.path) for earlier in reversed(written) if not earlier.put_back()]
        if left:
            raise StorageError(f"{error}\n  Not put back: {', '.join(left)}.") from error
        if isinstance(error, StorageError):
            raise StorageError(f"{error}\n  No file was changed.") from error
        raise


@dataclass(frozen=True)
class _Earlier:
    """A place before a file is written there."""

    path: Path
    content: bytes | None
    """``None`` if there was no file."""
    missing: tuple[Path, ...]
    """Folders above it that did not exist, the innermost first."""

    @classmethod
    def of(cls, path: Path) -> "_Earlier":
        try:
            missing = tuple(takewhile(lambda folder: not folder.exists(), path.parents))
            content = path.read_bytes() if path.exists() else None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
        return cls(path, content, missing)

    def put_back(self) -> bool:
        """Undo a write; return False if that was impossible."""
        try:
            if self.content is not None:
                write_atomic(self.path, self.content)
                return True
            self.path.unlink(missing_ok=True)
        # Of a path below a file, or of one that nobody may write.
        except (OSError, StorageError):
            return not self._has_changed()
        for folder in self.missing:
            # One that somebody else has filled meanwhile stays.
            with suppress(OSError):
                folder.rmdir()
        return True

    def _has_changed(self) -> bool:
        try:
            found = self.path.read_bytes() if self.path.exists() else None
        except OSError:
            return True
        return found != self.content


def exact_text(path: Path) -> str | None:
    """Return the text of a file with its line ends; ``None`` if there is none.

    Raises:
        UsageError: it is not UTF-8.
    """
    if not path.is_file():
        return None
    try:
        # `read_text` would turn CRLF into LF, and every line would change when it is written back.
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None
