"""Whose files are whose: what a run looked at, what it made itself, what it may not touch.

A shared file that a run is about to write is first replaced, in the run's own folder, by a copy; a
shared folder by a folder of links. What is reached by another way, as by the project's full path,
is refused.
"""

import errno
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.files import STATE
from tunesmith.objective.program.installed import surely_installed
from tunesmith.objective.program.syscalls import Does
from tunesmith.objective.program.watch import Step
from tunesmith.objective.program.workspace import LEFT_OUT, copy_content

LOOKED, READ, LISTED, SEARCHED, MADE = 1, 2, 4, 8, 16
"""What was done to a path: it was asked for; read; a folder's names were read, or only searched by
Python for modules; it was made by the run before anything else."""
UNPROTECTED = {*LEFT_OUT} - {STATE}
PYTHON = "python"


@dataclass(frozen=True)
class Lands:
    """What runs share, and may not change."""

    files: frozenset[str]
    """Files that were there when the study was started."""
    folders: frozenset[str] = frozenset()
    """Folders that are shared with all that is and will be in them."""
    kept: frozenset[str] = frozenset()
    """Files that Git or DVC tracks; others may be appended to, as logs."""

    def holds(self, path: str, *, is_appended: bool = False) -> bool:
        """Whether a path, free of links, is shared.

        Args:
            path: what is about to be changed.
            is_appended: whether something is only added to its end.
        """
        if UNPROTECTED.intersection(path.split("/")):
            return False
        if path in self.files:
            return path in self.kept or not is_appended
        parts = path.split("/")
        return any("/".join(parts[:n]) in self.folders for n in range(2, len(parts) + 1))

    def has_below(self, folder: str) -> bool:
        """Whether a folder that is about to be moved or removed has something shared in it."""
        inner = f"{folder}/"
        return any(path.startswith(inner) for path in (*self.files, *self.folders))


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


@dataclass
class RunGround:
    """The ground of one run."""

    place: str
    """Where it works; free of links."""
    above: str
    """The folder around it that belongs to this run, too: ``..`` leads into it."""
    root: str
    """The project, of which ``place`` is a copy."""
    own: tuple[str, ...] = ()
    """Other folders that are this run's alone, or that Tunesmith lets it write into."""
    lands: Lands | None = None
    """``None`` where runs share the project's folder, and may write into it."""
    seen: dict[str, int] = field(default_factory=dict)
    """What was done, by path."""
    state_now: Callable[[str, int], str] | None = None
    """Asked at once for what a path is, where the run may change it later."""
    states: dict[str, str] = field(default_factory=dict)
    """What it answered."""
    refused: dict[str, None] = field(default_factory=dict)
    """Shared files that it would have changed, in order."""
    appended: set[str] = field(default_factory=set)
    """Shared files that nobody tracks, and that it has added something to."""
    _last_look: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._is_installed = surely_installed(self.root, (self.place, self.above, *self.own))

    def passes(self, path: bytes, thread: int) -> bool:
        """Whether a path that is only looked for or read cannot count."""
        if not self._is_installed(path):
            return False
        self._last_look[thread] = ""
        return True

    def tread(self, step: Step) -> int:
        """Note a step, and keep what is shared from being changed.

        Returns:
            0, or ``EROFS`` where a shared file would have been changed.
        """
        path = step.path
        if step.writes:
            return self._write(step)
        if _is_in(path, (self.above,)) and not _is_in(path, (self.place,)):
            self._reach_out(path)
        if step.does is Does.ENTER:
            self._make_private(path)
        if not self.seen.get(path, 0) & MADE and not self._is_own(path):
            self._note(step)
        self._last_look[step.thread] = path if step.does is Does.LOOK else ""
        return 0

    def _note(self, step: Step) -> None:
        path = step.path
        does = LOOKED if step.does in (Does.LOOK, Does.ENTER) else READ
        if step.does is Does.OPEN and step.flags & os.O_DIRECTORY:
            # Python looks at a folder before it searches it for modules.
            is_search = self._last_look.get(step.thread) == path and _is_python(step.thread)
            does = SEARCHED if is_search else LISTED
        self._note_as(path, does)

    def _note_as(self, path: str, does: int) -> None:
        before = self.seen.get(path, 0)
        self.seen[path] = before | does
        if self.state_now is not None and not does & MADE and before | does != before:
            self.states.setdefault(path, self.state_now(path, does))

    def _is_own(self, path: str) -> bool:
        """Whether it lies in a folder that the run has made."""
        while len(path) > len(self.place):
            path = path.rpartition("/")[0]
            if self.seen.get(path, 0) & MADE:
                return True
        return False

    # -- writing -----------------------------------------------------------------------------

    def _write(self, step: Step) -> int:
        path, is_entry = step.path, step.does in (Does.PLACE, Does.MAKE)
        if step.does is Does.MAKE and os.path.lexists(path):
            return 0  # it will fail by itself
        if self.lands is not None:
            self._make_private(path, only_around=is_entry)
            real = _resolved(path, follow=not is_entry)
            if self._is_refused(step, real):
                self.refused.setdefault(real)
                return errno.EROFS
        if path not in self.seen and not self._is_own(path):
            is_log = bool(step.flags & os.O_APPEND) and not _is_in(path, (self.place,))
            self._note_as(path, MADE if is_log else _first_write(step))
        return 0

    def _is_refused(self, step: Step, real: str) -> bool:
        assert self.lands is not None  # noqa: S101 - asked only where there are some
        if _is_in(real, (self.above, *self.own)):
            return False
        is_appended = step.does is Does.OPEN and bool(step.flags & os.O_APPEND)
        is_appended = is_appended and not step.flags & os.O_TRUNC
        if self.lands.holds(real, is_appended=is_appended):
            return True
        if step.does is Does.OPEN:
            if is_appended and real in self.lands.files:
                self.appended.add(real)
            return False
        is_moved = step.does is Does.CHANGE and os.path.isdir(real)  # noqa: PTH112 - hot
        return is_moved and self.lands.has_below(real)

    def _make_private(self, path: str, *, only_around: bool = False) -> None:
        """Replace links to shared things on the way to a path by what the run may change."""
        if self.lands is None or not _is_in(path, (self.above,)):
            return
        here, parts = self.above, path[len(self.above) :].strip("/").split("/")
        for index, part in enumerate(parts):
            here = f"{here}/{part}"
            is_last = index == len(parts) - 1
            if (is_last and only_around) or not os.path.islink(here):  # noqa: PTH114 - hot
                continue
            real = os.path.realpath(here)
            if _is_in(real, (self.above,)):
                self._make_private("/".join([real, *parts[index + 1 :]]), only_around=only_around)
                return
            if self.lands.holds(real):
                own_copy(real, here)

    # -- reaching out ------------------------------------------------------------------------

    def _reach_out(self, path: str) -> None:
        """Have ``../shared`` lead where it leads in the project."""
        steps_up = os.path.relpath(path, self.place).split("/")
        n_up = steps_up.count("..")
        if n_up == len(steps_up):
            return
        name = "/".join(steps_up[: n_up + 1])
        target, link = os.path.normpath(f"{self.root}/{name}"), f"{self.place}/{name}"
        if not os.path.lexists(link) and os.path.lexists(target):
            with suppress(OSError):
                os.symlink(target, link)  # noqa: PTH211 - hot


def own_copy(real: str, link: str) -> None:
    """Put a copy of a shared file, or a folder of links to what a shared folder holds, there.

    Args:
        real: what is shared.
        link: the link to it, which is replaced.
    """
    fresh = f"{link}.tunesmith-{os.getpid()}"
    if os.path.isdir(real):  # noqa: PTH112 - hot
        os.mkdir(fresh)  # noqa: PTH102
        with os.scandir(real) as entries:
            for entry in entries:
                os.symlink(entry.path, f"{fresh}/{entry.name}")  # noqa: PTH211
        os.unlink(link)  # noqa: PTH108
        os.rename(fresh, link)  # noqa: PTH104
    elif os.path.isfile(real):  # noqa: PTH113
        copy_content(Path(real), Path(fresh))
        os.replace(fresh, link)  # noqa: PTH105


def _first_write(step: Step) -> int:
    """What is made anew or emptied does not count; what is gone on with does."""
    is_emptied = step.does is Does.OPEN and bool(step.flags & (os.O_TRUNC | os.O_EXCL))
    if step.does in (Does.PLACE, Does.MAKE) or is_emptied:
        return MADE
    return READ if os.path.lexists(step.path) else LOOKED


def _resolved(path: str, *, follow: bool) -> str:
    if follow:
        return os.path.realpath(path)
    folder, _, name = path.rpartition("/")
    return f"{os.path.realpath(folder or '/')}/{name}"


def _is_python(thread: int) -> bool:
    try:
        found = os.readlink(f"/proc/{thread}/exe")  # noqa: PTH115 - hot
    except OSError:
        return False
    return found.rpartition("/")[2].startswith(PYTHON)
