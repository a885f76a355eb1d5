"""Files that a run has read, and whether they are unchanged.

A reading is a table of names and states. A name is a path below the project folder, one that begins
with ``../``, or an absolute path. A state is a word and, for content, its digest. As in the caches
of compilers, a result is reused only while every name still has its state.
"""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from fnmatch import fnmatchcase
from importlib.machinery import all_suffixes
from pathlib import Path

from tunesmith.objective.program.observing.file_owners import (
    FOLLOWED,
    LISTED,
    LOOKED,
    MADE,
    READ,
    RUN,
    SEARCHED,
)
from tunesmith.objective.program.observing.installed_files import (
    OWN,
    is_below,
    is_installed,
    is_package,
)
from tunesmith.objective.program.observing.states import (
    ABSENT,
    ALL,
    EVERYTHING,
    FILE,
    FOLDER,
    LINK,
    MODULES,
    NAMES,
    NO_PROGRAM,
    OTHER,
    PROGRAM,
    TOP,
    each_of,
    is_listing,
    is_of_modules,
)
from tunesmith.objective.program.observing.workspace import (
    LEFT_OUT,
    WorkspaceLayout,
    is_environment,
)
from tunesmith.system.fingerprint import digest, file_digest

Reading = Mapping[str, str]
"""State by name."""
SERVICES = ("cache", "lib", "lock", "log", "run", "spool")
"""Folders of ``/var`` that the system's services write."""


@dataclass
class ProjectView:
    """A project as runs find it."""

    root: Path
    layout: WorkspaceLayout | None
    """Layout of the runs' folders; ``None`` if runs share the project's folder."""
    _: KW_ONLY
    unread: frozenset[str] = frozenset()
    """Files that are written for each run, such as parameters; their content counts elsewhere."""
    unlisted: frozenset[str] = frozenset()
    """Files that Tunesmith and DVC write; their appearance is no change."""
    of_ledger: tuple[str, ...] = ()
    """Patterns of the ledger's files in the project, which come and go with every run."""
    source: Path | None = None
    """Folder that copies are taken from, if not the project."""
    found: WorkspaceLayout | None = None
    """Files that runs find, also if they share the project's folder and are not watched."""
    _digests: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layout = self.layout
        self._copies = frozenset() if layout is None else frozenset(layout.copies)
        self._links = frozenset() if layout is None else frozenset(layout.links)
        # The content behind a link to a folder is read through the link.
        self._ways = self._links | {n for n in self._copies if (self.root / n).is_symlink()}
        self._names: dict[str, set[str]] = {"": set()}
        folders = () if layout is None else layout.folders
        for name in (*self._copies, *self._links, *folders):
            self._add(name)
        # One without files is there, and is no entry that counts in a list.
        for name in folders:
            self._names.setdefault(name, set())

    def _add(self, name: str) -> None:
        while name and name not in self._names.get(name.rpartition("/")[0], ()):
            folder, _, last = name.rpartition("/")
            self._names.setdefault(folder, set()).add(last)
            name = folder

    def state(self, name: str, like: str) -> str:
        """Present state of a name.

        Args:
            name: name in a reading.
            like: its former state, which tells the parts that count.
        """
        if name == EVERYTHING:
            return self.all_names()
        if like.startswith(LINK):
            return self._link(name)
        place = self._place(name)
        if place is None:
            return ABSENT
        if isinstance(place, list):
            if is_of_modules(like):
                inner = "" if name == TOP else f"{name}/"
                place = [n for n in place if not self._is_of_data(f"{inner}{n}")]
            return _names_state(place, like) if is_listing(like) else FOLDER
        return self._state_of(place, like)

    def _place(self, name: str) -> Path | list[str] | None:
        """Place of a name, or the names in a folder that is laid out; ``None`` if missing."""
        if self.layout is None or name.startswith(("/", "../")):
            return self.root / name
        name = "" if name == TOP else name
        if name in self._copies:
            return (self.source or self.root) / name
        if name in self._links or self._is_in_link(name):
            kept = self.root if self.source is None else self.source
            # A link to a folder of the project leads to the files of when the study was started.
            return next((p for p in (kept / name, self.root / name) if os.path.lexists(p)), None)
        if name in self._names:
            hidden = self.unlisted | self.unread
            inner = f"{name}/" if name else ""
            return sorted(n for n in self._names[name] if self._is_listed(f"{inner}{n}", hidden))
        return None

    def _link(self, name: str) -> str:
        """State of a link itself, whatever it leads to."""
        is_around = self.layout is None or name.startswith(("/", "../"))
        roots = [self.root] if is_around or self.source is None else [self.source, self.root]
        found = next((root / name for root in roots if (root / name).is_symlink()), None)
        return ABSENT if found is None else LINK + digest([str(found.readlink())])

    def _is_listed(self, name: str, hidden: frozenset[str]) -> bool:
        """True if a file, or any file in a folder, is not only written by Tunesmith."""
        if name in self._copies or name in self._links or name not in self._names:
            return name not in hidden
        return any(self._is_listed(f"{name}/{n}", hidden) for n in self._names[name])

    def _is_of_data(self, name: str) -> bool:
        """True for a folder without anything to import, such as one of results."""
        return name in self._names and all(
            self._is_of_data(inner) if inner in self._names else not _may_be_imported(inner)
            for inner in (f"{name}/{last}" for last in self._names[name])
        )

    def _is_in_link(self, name: str) -> bool:
        parts = name.split("/")
        return any("/".join(parts[:n]) in self._ways for n in range(1, len(parts)))

    def _state_of(self, path: Path, like: str) -> str:
        try:
            status = path.stat()
        except OSError:
            return ABSENT
        if stat.S_ISDIR(status.st_mode):
            if not is_listing(like):
                return FOLDER
            names = os.listdir(path)  # noqa: PTH208 - only the names
            listed = [n for n in names if n not in LEFT_OUT and not self._is_ours(path / n)]
            return _names_state(listed, like)
        if not stat.S_ISREG(status.st_mode):
            return OTHER
        state = FILE + self._digest(path, status)
        if not like.endswith((PROGRAM, NO_PROGRAM)):
            return state
        return state + (PROGRAM if status.st_mode & stat.S_IXUSR else NO_PROGRAM)

    def _is_ours(self, path: Path) -> bool:
        """True for a file that Tunesmith or DVC writes, and for a folder that holds no other."""
        name = os.path.relpath(path, self.root)
        hidden = name in self.unlisted or name in self.unread
        if hidden or any(fnmatchcase(name, pattern) for pattern in self.of_ledger):
            return True
        if path.is_symlink() or not path.is_dir() or not path.is_relative_to(self.root):
            return False
        inner = list(path.iterdir())
        return bool(inner) and all(map(self._is_ours, inner))

    def _digest(self, path: Path, status: os.stat_result) -> str:
        # A file that was changed has another time, so its content is then read again.
        marks = (
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )
        key = (str(path), *map(str, marks))
        if key not in self._digests:
            self._digests[key] = file_digest([path])
        return self._digests[key]

    def all_names(self) -> str:
        """State of the names of all files that a run finds."""
        names = [name for name in self.files() if name not in self.unlisted | self.unread]
        return ALL + digest(names)

    def files(self) -> list[str]:
        """List all files that a run finds: copies, links, and the content of linked folders."""
        layout = self.layout or self.found
        if layout is None:
            return []
        to_folders = (n for n in layout.copies if (self.root / n).is_symlink())
        folders = [*layout.links, *(n for n in to_folders if (self.root / n).is_dir())]
        return sorted({*layout.copies, *_files_in(self.root, folders)})

    def everything(self) -> dict[str, str]:
        """Reading of a run that was not watched: it may have read all files that it found."""
        states = {EVERYTHING: self.all_names()}
        hidden = self.unread | self.unlisted
        for name in self.files():
            if name not in hidden and not is_package(name, str(self.root)):
                states[name] = self.state(name, FILE)
        return states


def _files_in(root: Path, links: Iterable[str]) -> Iterator[str]:
    for link in links:
        place = root / link
        if not place.is_dir():
            yield link
        elif not is_environment(place):
            yield from _walked(root, place, {os.path.realpath(root)})


def _walked(root: Path, place: Path, known: set[str]) -> Iterator[str]:
    """List the files in a folder, also behind links, each folder once by its real path."""
    for folder, inner, files in os.walk(place, followlinks=True):
        real = os.path.realpath(folder)
        # A link may lead to a folder around itself, or around the project.
        if real in known or is_below(os.path.realpath(root), real):
            inner.clear()
            continue
        known.add(real)
        inner[:] = [name for name in inner if name not in LEFT_OUT]
        base = Path(folder).relative_to(root).as_posix()
        yield from (f"{base}/{name}" for name in files)


def _may_be_imported(name: str) -> bool:
    path = Path(name)
    # A link without a suffix may lead to a folder.
    return path.suffix in {*all_suffixes(), ""} and not path.name.startswith(".")


def _names_state(names: Iterable[str], like: str) -> str:
    """State of a listing: of all names, or of names that Python might import and certain kinds."""
    if not is_of_modules(like):
        return NAMES + digest(sorted(names))
    kinds = like.split(" ")[1]
    wanted = {*all_suffixes(), "", *kinds.split(",")}
    return f"{MODULES}{kinds} {digest(sorted(n for n in names if Path(n).suffix in wanted))}"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Makes readings from the actions of runs."""

    view: ProjectView
    place: Path
    """Working folder of the run."""
    above: Path
    """The folder around it, which belongs to the run only."""
    own: tuple[Path, ...]
    """Other folders that do not count: Tunesmith's own and this run's."""
    began_ns: int
    """Time at which the run began, in nanoseconds."""
    states: Mapping[str, str] = field(default_factory=dict)
    """States of paths when they were read, if known."""

    def reading(self, seen: Mapping[str, int]) -> dict[str, str]:
        """Reading of everything that counts among the actions of a run.

        Args:
            seen: from ``RunGround``.
        """
        states: dict[str, str] = {}
        for path, does in seen.items():
            name = None if does == MADE else self.name(path)
            if name is None or (name == TOP and not does & (READ | LISTED | SEARCHED)):
                continue
            # The state at the time of reading, if known: the run may have changed the file since.
            state = self.states.get(path) or self.view.state(name, self._like(path, does, seen))
            if state and self._counts(name, path, state):
                states[name] = state
                link = self.view.state(name, LINK) if does & FOLLOWED else ABSENT
                states[name] += "" if link == ABSENT else f"\n{link}"
        return dict(sorted(states.items()))

    def name(self, path: str) -> str | None:
        """Name of a path in a reading; ``None`` if it does not count."""
        view, root = self.view, str(self.view.root)
        if is_below(path, str(self.place)):
            name = path[len(str(self.place)) + 1 :] or TOP
            return name if self._is_of_project(name) else None
        if is_below(path, str(self.above)):
            return self._name_beside(path)
        if any(is_below(path, str(folder)) for folder in self.own):
            return None
        if is_below(path, root):
            name = path[len(root) + 1 :] or TOP
            if not self._is_of_project(name):
                return None
            return name if view.layout is None or view.state(name, FILE) != ABSENT else path
        is_around = root.startswith(f"{path}/") or OWN.startswith(f"{path}/")
        if is_around or path == "/" or is_installed(path):
            return None
        return path

    def _name_beside(self, path: str) -> str | None:
        """Name of a path that the run found beside its folder, or looked for there."""
        name, root = os.path.relpath(path, self.place), self.view.root
        if not name.strip("./"):
            # The folder around the project: its names may have been read.
            name += "/"
            return None if _is_shared_by_all(os.path.normpath(root / name)) else name
        if os.path.lexists(root / name):
            return name
        # A path that is only in the run's own folder was made there.
        is_own = os.path.lexists(path) or any(part in LEFT_OUT for part in name.split("/"))
        return None if is_own else name

    def _is_of_project(self, name: str) -> bool:
        if name in self.view.unread or any(part in LEFT_OUT for part in name.split("/")):
            return False
        return not is_package(name, str(self.view.root))

    def _counts(self, name: str, path: str, state: str) -> bool:
        if name.endswith("../"):
            return is_listing(state)
        if not name.startswith("/") or not is_loose(path):
            return state != OTHER
        # In folders that all programs write into, only files from before the run count, and folders
        # that have not changed since, with the names that are not in them.
        try:
            status = os.stat(path)  # noqa: PTH116 - hot
        except FileNotFoundError:
            return self._counts(name, os.path.dirname(path), FOLDER)  # noqa: PTH120 - hot
        except OSError:
            return False
        if status.st_ctime_ns >= self.began_ns:
            return False
        is_folder = stat.S_ISDIR(status.st_mode) and not _is_shared_by_all(path)
        return is_folder or stat.S_ISREG(status.st_mode)

    def _like(self, path: str, does: int, seen: Mapping[str, int]) -> str:
        program = PROGRAM if does & RUN else ""
        if does & (LISTED | READ):
            return NAMES + program
        if not does & SEARCHED:
            return FILE + program if does & (LOOKED | RUN) else FOLDER
        inner = f"{path}/"
        opened = [p[len(inner) :] for p in seen if p.startswith(inner)]
        here = [name for name in opened if "/" not in name]
        if not any(name.endswith(".py") for name in here):
            return NAMES
        counted = [name for name in here if self.name(inner + name) is not None]
        kinds = {Path(name).suffix for name in counted} - {*all_suffixes(), ""}
        return f"{MODULES}{','.join(sorted(kinds))} "


def is_loose(path: str) -> bool:
    """True for a path in a folder that all programs write into."""
    # Looked at, not written.
    loose = ("/tmp", "/var", "/dev/shm", tempfile.gettempdir())  # noqa: S108
    return any(is_below(path, folder) for folder in loose)


def _is_shared_by_all(folder: str) -> bool:
    """True for folders in which programs of all kinds leave files."""
    # Looked at, not written.
    own = ("/", "/tmp", "/var", "/var/tmp", "/dev/shm", tempfile.gettempdir())  # noqa: S108
    return folder in own or any(is_below(folder, f"/var/{name}") for name in SERVICES)


def changed(view: ProjectView, reading: Reading) -> Iterator[str]:
    """Names that have another state now."""
    for name, states in reading.items():
        # A series has several states of a name if one run looked at more of it than another.
        if any(view.state(name, state) != state for state in each_of(states)):
            yield name


def changed_names(view: ProjectView, reading: Reading | None) -> list[str]:
    """Names that have changed, as a list; a result without a reading does not count."""
    return ["what it has read"] if reading is None else list(changed(view, reading))
