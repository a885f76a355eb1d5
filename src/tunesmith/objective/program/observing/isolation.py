"""Watching of a study's runs, and the fallback if they cannot be watched."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tunesmith.errors import ChangedInputError
from tunesmith.objective.program.observing.file_owners import READ, Lands, RunGround
from tunesmith.objective.program.observing.git_folder import folders_of
from tunesmith.objective.program.observing.left_files import was_written
from tunesmith.objective.program.observing.observer import Observer
from tunesmith.objective.program.observing.reading import ProjectView, Reader, is_loose
from tunesmith.objective.program.observing.states import FILE, NAMES, is_file
from tunesmith.objective.program.observing.workspace import WorkspaceLayout
from tunesmith.system import git
from tunesmith.system.files import STATE

STARTED = "started"
"""File within ``runs`` that is as old as the study's run: younger files were changed since."""
Start = Callable[..., "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Watched:
    """One run while it is watched."""

    start: Start
    """Starts a program, as ``subprocess.Popen`` does."""
    _watch: Observer | None
    _ground: RunGround | None
    began_ns: int = field(default_factory=time.time_ns)

    @property
    def refused(self) -> list[str]:
        """Shared files that the run would have changed."""
        if self._ground is None:
            return []
        # Files that it has read must stay unchanged, whether they are tracked or not.
        added = [path for path in sorted(self._ground.appended) if self._has_read(path)]
        return [*self._ground.refused, *added]

    @property
    def hidden(self) -> list[str]:
        """Large files that a program which does not follow links has not found."""
        return [] if self._ground is None else [*self._ground.walker.hidden]

    @property
    def mixed(self) -> list[str]:
        """Files outside of its folder that the run wrote and read, and another run wrote, too."""
        return [] if self._ground is None else self._ground.left.mixed(self._ground.root)

    def in_place(self, reading: Mapping[str, str]) -> list[str]:
        """Names of the files in a reading that the run has read by their full paths.

        Runs do not share such files by design, but modules of a package that is installed in
        place (``pip install -e``) are read this way, and so is data that lies elsewhere.
        """
        if self._ground is None:
            return []
        root, above = f"{self._ground.root}/", f"{self._ground.above}/"
        full = (path for path, does in self._ground.seen.items() if does & READ)
        own = (p[len(root) :] for p in full if p.startswith(root) and not p.startswith(above))
        outside = (name for name in reading if name.startswith("/") and not is_loose(name))
        return [name for name in (*own, *outside) if is_file(reading.get(name, ""))]

    def _has_read(self, path: str) -> bool:
        ground = self._ground
        assert ground is not None  # noqa: S101 - asked only where there is one
        copy = f"{ground.place}{path[len(ground.root) :]}"
        return bool((ground.seen.get(path, 0) | ground.seen.get(copy, 0)) & READ)

    @property
    def seen(self) -> Mapping[str, int] | None:
        """Actions by path; ``None`` if some may have been missed."""
        if self._ground is None or self._watch is None or self._watch.problem:
            return None
        return self._ground.seen

    @property
    def problem(self) -> str:
        """Reason why some files may have been missed; empty if all were seen."""
        return "" if self._watch is None else self._watch.problem

    @property
    def states(self) -> Mapping[str, str]:
        """States of files when the run read them, if they were recorded at once."""
        return {} if self._ground is None else self._ground.states


@dataclass(frozen=True)
class Watching:
    """Watches runs, and tells the files that they have read; picklable."""

    view: ProjectView
    problem: str = ""
    """Reason why runs cannot be watched; empty if they can."""
    own: tuple[Path, ...] = ()
    """Folders of Tunesmith that runs write into."""

    @contextmanager
    def run(self, place: Path, above: Path) -> Iterator[Watched]:
        """Watch a run; when the block ends, none of its processes runs any more.

        Args:
            place: its working folder.
            above: its folder.
        """
        if self.problem:
            yield Watched(subprocess.Popen, None, None)
            return
        layout = self.view.layout
        # In the project's own folder a run may overwrite what it has read: states are taken at
        # once.
        state_now = None if layout is not None else self._state_now(place, above)
        ground = RunGround(
            str(place),
            str(above),
            str(self.view.root),
            own=tuple(map(str, self.own)),
            lands=None if layout is None else lands(layout),
            state_now=state_now,
        )
        watch = Observer(ground)
        try:
            yield Watched(watch.start, watch, ground)
        finally:
            watch.stop()

    def reading(
        self, watched: Watched, place: Path, above: Path, source: Path | None
    ) -> dict[str, str]:
        """Reading of a run; if its actions are not known, all existing files count.

        Args:
            watched: the run, which has ended.
            place: its working folder.
            above: its folder.
            source: folder that copies were taken from, if not the project.
        """
        self.view.source = source
        if watched.seen is None:
            return self.view.everything()
        reader = self._reader(place, above, watched.states, watched.began_ns)
        return reader.reading(watched.seen)

    def _reader(self, place: Path, above: Path, states: Mapping[str, str], began_ns: int) -> Reader:
        return Reader(
            view=self.view,
            place=place,
            above=above,
            own=(above, *self.own),
            began_ns=began_ns,
            states=states,
        )

    def _state_now(self, place: Path, above: Path) -> Callable[[str, int], str]:
        reader = self._reader(place, above, {}, time.time_ns())

        def state(path: str, _does: int) -> str:
            name = reader.name(path)
            like = NAMES if Path(path).is_dir() else FILE
            return "" if name is None else self.view.state(name, like)

        return state

    # -- whether something was changed ---------------------------------------------------------

    def begin(self, runs: Path) -> None:
        """Record the time at which the study was started."""
        runs.mkdir(parents=True, exist_ok=True)
        (runs / STARTED).write_text("")

    def check(self, runs: Path, reading: Mapping[str, str], watched: Watched) -> None:
        """Refuse to continue if shared files have changed since the study was started.

        Args:
            runs: folder in which ``begin`` has recorded it.
            reading: reading of the run that has ended; if runs are not watched, all files count.
            watched: that run.

        Raises:
            ChangedInputError: a file that runs share was changed.
        """
        layout = self.view.layout
        try:
            since = (runs / STARTED).stat().st_ctime_ns
        except OSError:
            return
        if layout is None:
            return
        if self.problem:
            names = [*layout.copies, *layout.links]
            names += [name for name in self.view.files() if name not in {*layout.copies}]
        else:
            read = [name for name, state in reading.items() if is_file(state)]
            names = [name for name in read if _is_linked(name, layout)]
        younger = (name for name in names if _is_younger(self.view.root / name, since))
        changed = next(younger, None)
        if changed is not None:
            raise ChangedInputError(changed, is_watched=not self.problem)
        for name in watched.in_place(reading):
            path = self.view.root / name
            # Files that runs leave there for each other, such as caches, are their own business.
            if _is_younger(path, since) and not was_written(str(runs), str(path.resolve()), since):
                raise ChangedInputError(name, is_watched=not name.startswith("/"))


def _is_linked(name: str, layout: WorkspaceLayout) -> bool:
    if name.startswith("../"):
        return True
    parts = name.split("/")
    return any("/".join(parts[:n]) in _links(layout.links) for n in range(1, len(parts) + 1))


@cache
def _links(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)


def _is_younger(path: Path, since_ns: int) -> bool:
    """True if a file, or its target, has changed; a missing file has changed, too."""
    try:
        status = path.stat()
    except OSError:
        return not path.is_symlink() and not os.path.lexists(path)
    if path.is_dir():
        return False
    # Programs can set the time of a file's content, but not this one.
    return status.st_ctime_ns > since_ns


@cache
def lands(layout: WorkspaceLayout) -> Lands:
    """Shared files of a layout: its files, the targets of its links, DVC's caches."""
    root = layout.root
    files = {str(root / name) for name in layout.copies}
    files |= {os.path.realpath(path) for path in files if os.path.islink(path)}  # noqa: PTH114
    shared = (*layout.links, *layout.shared, *layout.tracked.names)
    named = {str(root / name) for name in shared}
    named |= {os.path.realpath(path) for path in named}
    named |= {path for path in files if os.path.isdir(path)}  # noqa: PTH112
    named |= {*layout.tracked.caches, *folders_of(root), str(root / STATE)}
    # A link to a folder around the project does not take the project in.
    folders = frozenset(path for path in named if not root.is_relative_to(path))
    return Lands(frozenset(files), folders, _tracked(root))


def _tracked(root: Path) -> frozenset[str]:
    names = git.paths(root, "ls-files", "-z", "--", ".") or []
    return frozenset(str(root / name) for name in names)
