"""Rules for the files of one run: files that it read, made itself, or must not change.

If a run is about to write a shared file, the file is first replaced, in the run's own folder, by a
copy; a shared folder by a folder of links. Writes to shared files by any other path, such as the
project's full path, are refused.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property

from tunesmith.objective.program.observing.git_folder import GIT, give
from tunesmith.objective.program.observing.installed_files import (
    is_below,
    is_installed,
    surely_installed,
)
from tunesmith.objective.program.observing.left_files import LeftFiles
from tunesmith.objective.program.observing.observer import FileAccess
from tunesmith.objective.program.observing.private_files import Privates
from tunesmith.objective.program.observing.syscalls import NOFOLLOW, Does
from tunesmith.objective.program.observing.walking import Walker
from tunesmith.objective.program.observing.workspace import LEFT_OUT
from tunesmith.system.files import STATE

LOOKED, READ, LISTED, SEARCHED, MADE, RUN, FOLLOWED = 1, 2, 4, 8, 16, 32, 64
"""Actions on a path.

A path was asked for, its file was read, a folder's names were read or only searched by Python for
modules, the run made it before anything else, it was executed (or asked for as a program), or it
was asked where a link leads.
"""
LOOKS = (Does.LOOK, Does.ASK, Does.FOLLOW, Does.ENTER)
# Programs may write caches such as `__pycache__` anywhere, but not Tunesmith's own state.
CACHES = {*LEFT_OUT} - {STATE, GIT}
UNNOTED = {*CACHES, GIT}
"""Folders whose files are not noted if runs leave them outside of their own."""
PYTHON = "python"


@dataclass(frozen=True)
class Lands:
    """Files and folders that runs share and must not change."""

    files: frozenset[str]
    """Files that existed when the study was started."""
    folders: frozenset[str] = frozenset()
    """Folders that are shared with all present and future content."""
    kept: frozenset[str] = frozenset()
    """Files that Git or DVC tracks; others, such as logs, may be appended to."""

    def holds(self, path: str, *, is_appended: bool = False) -> bool:
        """True if a path, free of links, is shared.

        Args:
            path: path that is about to be changed.
            is_appended: true if content is only added to its end.
        """
        if CACHES.intersection(path.split("/")):
            return False
        if path in self.files:
            return path in self.kept or not is_appended
        parts = path.split("/")
        return any("/".join(parts[:n]) in self.folders for n in range(2, len(parts) + 1))

    def other_name(self, path: str) -> str:
        """Return the shared file that a path is another hard link to; ``""`` if there is none."""
        try:
            found = os.stat(path)  # noqa: PTH116 - hot
        except OSError:
            return ""
        # Only now: to look at all shared files takes time, and such links are rare.
        is_linked = stat.S_ISREG(found.st_mode) and found.st_nlink > 1
        return self._linked.get((found.st_dev, found.st_ino), "") if is_linked else ""

    @cached_property
    def _linked(self) -> dict[tuple[int, int], str]:
        """Shared files with several names, by device and inode."""
        inner = (f"{f}/{n}" for top in self.folders for f, _, names in os.walk(top) for n in names)
        known: dict[tuple[int, int], str] = {}
        for path in (*self.files, *self.folders, *inner):
            with suppress(OSError):
                found = os.stat(path)  # noqa: PTH116 - hot
                if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
                    known[found.st_dev, found.st_ino] = path
        return known

    def has_below(self, folder: str) -> bool:
        """True if a folder that is about to be moved or removed contains shared files."""
        inner = f"{folder}/"
        return any(path.startswith(inner) for path in (*self.files, *self.folders))


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(is_below(path, folder) for folder in folders)


@dataclass
class RunGround:
    """The rules for one run, and the record of its actions."""

    place: str
    """Working folder of the run; free of links."""
    above: str
    """The folder around it that belongs to this run, too: ``..`` leads into it."""
    root: str
    """The project, of which ``place`` is a copy."""
    _: KW_ONLY
    own: tuple[str, ...] = ()
    """Other folders that only this run uses, or that Tunesmith lets it write into."""
    lands: Lands | None = None
    """Shared files; ``None`` if runs share the project's folder and may write into it."""
    seen: dict[str, int] = field(default_factory=dict)
    """Actions by path."""
    state_now: Callable[[str, int], str] | None = None
    """Called at once for the state of a path that the run may change later."""
    states: dict[str, str] = field(default_factory=dict)
    """Its answers by path."""
    refused: dict[str, None] = field(default_factory=dict)
    """Shared files that it would have changed, in order."""
    appended: set[str] = field(default_factory=set)
    """Shared, untracked files that the run appended to."""
    _last_look: dict[int, str] = field(default_factory=dict)
    _tried: dict[int, str] = field(default_factory=dict)
    """Shared file that a thread has tried to open for reading and writing, by thread."""
    _has_git: set[str] = field(default_factory=set)
    """Places of ``.git`` that were looked for."""
    _reached: set[str] = field(default_factory=set)
    """Paths beside the project that the run has looked for from its own folder."""

    def __post_init__(self) -> None:
        self._is_installed = surely_installed(self.root, (self.place, self.above, *self.own))
        self._privates = Privates(self.above, self._is_shared)
        self.left = LeftFiles(self.above)
        self.walker = Walker(self.place, self.root, self._is_shared, self._privates)

    def passes(self, path: bytes, thread: int) -> bool:
        """True if a path that is only looked for or read cannot matter."""
        if not self._is_installed(path):
            return False
        # Another path came in between, so that a listing that follows is no search for modules.
        self._last_look[thread] = ""
        return True

    def tread(self, step: FileAccess) -> int:
        """Record an action, and keep shared files from being changed.

        Returns:
            0, or ``EROFS`` if a shared file would have been changed.
        """
        path = step.path
        if self.lands is not None:
            self._give_git(path)
        if is_below(path, self.above) and not is_below(path, self.place):
            self._reach_out(step)
        if step.writes:
            return self._write(step)
        if step.does is Does.OPEN:
            self._forgive(step)
            self.left.read(path)
        # Once there are copies, links to the originals must lead to them, for readers as well.
        if self.lands is not None:
            if step.does is Does.ENTER or self._privates.are_any:
                self._privates.clear_way(path, writes=step.does is Does.ENTER)
            self._open_up(step)
        if not self.seen.get(path, 0) & MADE and not self._is_own(path):
            self._note(step)
        self._last_look[step.thread] = path if step.does in LOOKS else ""
        return 0

    def _open_up(self, step: FileAccess) -> None:
        """Show linked data to a program that walks through folders."""
        path = step.path
        if not is_below(path, self.place):
            return
        is_list = step.does is Does.OPEN and bool(step.flags & os.O_DIRECTORY)
        if is_list and not self._is_search(step):
            self.walker.list(path, _program(step.thread))
        elif step.does is Does.LOOK and step.flags & NOFOLLOW and os.path.islink(path):  # noqa: PTH114
            self.walker.open_up(path, _program(step.thread))

    def _is_search(self, step: FileAccess) -> bool:
        """True if Python searches a folder for modules: it looks at the folder before."""
        is_same = self._last_look.get(step.thread) == step.path
        return is_same and _program(step.thread).startswith(PYTHON)

    def _note(self, step: FileAccess) -> None:
        path = step.path
        does = LOOKED if step.does in LOOKS else READ
        if step.does is Does.RUN or (step.does is Does.ASK and step.flags & os.X_OK):
            does |= RUN
        if step.does is Does.FOLLOW:
            does |= FOLLOWED
        if step.does is Does.OPEN and step.flags & os.O_DIRECTORY:
            does = SEARCHED if self._is_search(step) else LISTED
        self._note_as(path, does)

    def _note_as(self, path: str, does: int) -> None:
        before = self.seen.get(path, 0)
        self.seen[path] = before | does
        if self.state_now is not None and not does & MADE and before | does != before:
            self.states.setdefault(path, self.state_now(path, does))

    def _is_own(self, path: str) -> bool:
        """True if the path lies in a folder that the run has made."""
        while len(path) > len(self.place):
            path = path.rpartition("/")[0]
            if self.seen.get(path, 0) & MADE:
                return True
        return False

    # -- writing -----------------------------------------------------------------------------

    def _write(self, step: FileAccess) -> int:
        path, is_entry = step.path, step.does in (Does.PLACE, Does.MAKE)
        if step.does is Does.MAKE and os.path.lexists(path):
            return 0  # it will fail by itself
        if self.lands is not None:
            self._privates.clear_way(path, writes=True, only_around=is_entry)
            # Calls that make, move or remove an entry act on a link itself, not on its target.
            real = _resolved(path, follow=not is_entry)
            if not is_entry and not _is_in(real, (self.above, *self.own)):
                real = self.lands.other_name(real) or real
            if self._is_refused(step, real):
                if real not in self.refused and _may_only_read(step):
                    self._tried[step.thread] = real
                self.refused.setdefault(real)
                return errno.EROFS
            is_content = step.does in (Does.OPEN, Does.PLACE) and not _only_adds(step)
            if is_content and self._is_left(real):
                was_read = step.does is Does.OPEN and bool(self.seen.get(path, 0) & READ)
                self.left.write(real, was_read=was_read)
        if self.lands is None and _only_adds(step):
            return 0  # as to a log, which each run finds longer
        if path not in self.seen and not self._is_own(path):
            is_log = bool(step.flags & os.O_APPEND) and not _is_in(path, (self.place,))
            self._note_as(path, MADE if is_log else _first_write(step))
        return 0

    def _is_left(self, real: str) -> bool:
        """True for a file outside of the run's folder, which outlives the run."""
        if UNNOTED.intersection(real.split("/")) or _is_in(real, (self.above, *self.own)):
            return False
        return is_below(real, self.root) or not is_installed(real)

    def _is_refused(self, step: FileAccess, real: str) -> bool:
        assert self.lands is not None  # noqa: S101 - asked only where there are some
        if _is_in(real, (self.above, *self.own)):
            return False
        is_appended = step.does is Does.OPEN and bool(step.flags & os.O_APPEND)
        is_appended = is_appended and not step.flags & os.O_TRUNC
        if self._is_shared(real, is_appended=is_appended):
            return True
        if step.does is Does.OPEN:
            if is_appended and real in self.lands.files:
                self.appended.add(real)
            return False
        is_moved = step.does is Does.CHANGE and os.path.isdir(real)  # noqa: PTH112 - hot
        return is_moved and self.lands.has_below(real)

    def _is_shared(self, real: str, *, is_appended: bool = False) -> bool:
        assert self.lands is not None  # noqa: S101 - asked only where there are some
        return self.lands.holds(real, is_appended=is_appended) or _is_in(real, self._reached)

    def _forgive(self, step: FileAccess) -> None:
        """Forget that a file was opened for writing, too, if it is then opened for reading only.

        Databases (SQLite) do so if they are only asked; nothing was written.
        """
        real = self._tried.pop(step.thread, "")
        if real and real == os.path.realpath(step.path):
            self.refused.pop(real, None)

    # -- reaching out ------------------------------------------------------------------------

    def _give_git(self, path: str) -> None:
        """Make the run's own ``.git`` once it is looked for."""
        end = f"{path}/".find(f"/{GIT}/", len(self.above))
        place = f"{path[:end]}/{GIT}"
        if end < 0 or not is_below(path, self.above) or place in self._has_git:
            return
        self._has_git.add(place)
        entry = os.path.normpath(f"{self.root}/{os.path.relpath(place, self.place)}")
        if not os.path.lexists(place) and os.path.isdir(path[:end]):  # noqa: PTH112 - hot
            with suppress(OSError):
                give(entry, place)

    def _reach_out(self, step: FileAccess) -> None:
        """Make ``../shared`` lead where it leads in the project, and ``..`` list its content."""
        steps_up = os.path.relpath(step.path, self.place).split("/")
        n_up = steps_up.count("..")
        if n_up < len(steps_up):
            link = self._reach("/".join(steps_up[: n_up + 1]))
            if os.path.islink(link):  # noqa: PTH114 - hot
                self._reached.add(os.path.realpath(link))
        elif step.does is Does.OPEN:
            folder = "/".join(steps_up)
            with suppress(OSError):
                for name in os.listdir(f"{self.root}/{folder}"):  # noqa: PTH208 - hot
                    self._reach(f"{folder}/{name}")

    def _reach(self, name: str) -> str:
        """Make a link to a path beside the project, if there is one; return its place."""
        target = os.path.normpath(f"{self.root}/{name}")
        link = os.path.normpath(f"{self.place}/{name}")
        if os.path.lexists(target) and not os.path.lexists(link):
            with suppress(OSError):
                os.symlink(target, link)  # noqa: PTH211 - hot
        return link


def _first_write(step: FileAccess) -> int:
    """Classify a first write: a new or emptied file was not read, one that is continued was."""
    is_emptied = step.does is Does.OPEN and bool(step.flags & (os.O_TRUNC | os.O_EXCL))
    if step.does in (Does.PLACE, Does.MAKE) or is_emptied:
        return MADE
    return READ if os.path.lexists(step.path) else LOOKED


def _may_only_read(step: FileAccess) -> bool:
    """True if a file is opened for reading and writing, and keeps its content by that."""
    is_both = step.does is Does.OPEN and step.flags & os.O_ACCMODE == os.O_RDWR
    return is_both and not step.flags & os.O_TRUNC


def _only_adds(step: FileAccess) -> bool:
    """True if content is only added to the end of a file that is not read this way."""
    is_written = step.does is Does.OPEN and step.flags & os.O_ACCMODE == os.O_WRONLY
    return is_written and bool(step.flags & os.O_APPEND) and not step.flags & os.O_TRUNC


def _resolved(path: str, *, follow: bool) -> str:
    if follow:
        return os.path.realpath(path)
    folder, _, name = path.rpartition("/")
    return f"{os.path.realpath(folder or '/')}/{name}"


def _program(thread: int) -> str:
    """Name of the program that a thread runs; ``""`` if it has ended."""
    try:
        program = os.readlink(f"/proc/{thread}/exe")  # noqa: PTH115 - hot
    except OSError:
        return ""
    return program.rpartition("/")[2]
