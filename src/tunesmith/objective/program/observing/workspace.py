"""A folder for each run of the program: small files are copied, the rest is linked.

Copies share their blocks with the originals if the file system supports that. Large files, data and
environments are linked, since programs read them. Other files that Git ignores, such as results of
earlier runs, are left out. If runs cannot be watched, all outputs of DVC's stages are copied, too.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tunesmith.config.program import WorkspaceSection
from tunesmith.objective.program.observing.copying import copy, copy_content
from tunesmith.objective.program.observing.data_folders import DataFolders, small_files
from tunesmith.objective.program.observing.dvc_files import Tracked, tracked
from tunesmith.system import git
from tunesmith.system.files import STATE

LARGE_BYTES = 4 << 20
MANY_FILES = 20_000
"""Largest number of files that are copied for each run."""
LEFT_OUT = (
    ".git",
    ".hg",
    ".svn",
    STATE,
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
)
"""Folders that no program needs, at any place."""
ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta/history")
"""Files that mark a folder as an environment, whatever its name is."""
ENVIRONMENTS = (".venv", "venv", "node_modules", ".dvc", "renv")
"""Folders that are linked if Git does not tell the ignored files."""
INSTALLED = ("node_modules", "renv")
"""Folders of packages without a mark of their own."""
DATA = ("data", "dataset", "datasets", "input", "inputs")
"""Folders that are linked although Git ignores them: programs read their content."""
OF_DVC = (".dvc/cache", ".dvc/config.local")
"""Paths that DVC needs to read data of other commits, and Git ignores."""
SETTINGS = ".env*"
"""Files that are copied although Git ignores them."""


@dataclass(frozen=True, kw_only=True)
class WorkspaceLayout:
    """Content of a working folder; paths are relative, with forward slashes."""

    root: Path
    copies: tuple[str, ...]
    links: tuple[str, ...]
    folders: tuple[str, ...] = field(default=())
    """Folders that are made anew, for files that the program writes."""
    contents: frozenset[str] = field(default=frozenset())
    """Copies as plain files that the run may write, also of links (DVC's)."""
    left: tuple[str, ...] = field(default=())
    """Paths that Git ignores, and runs do not get."""
    asked: tuple[str, ...] = field(default=())
    """Paths that Git ignores, and runs get because ``link`` names them."""
    tracked: Tracked = field(default=Tracked())
    """Paths that DVC tracks."""
    shared: tuple[str, ...] = field(default=())
    """Folders of data that are laid out with their content, and shared as a whole."""

    def lay_out(self, place: Path, source: Path | None = None) -> None:
        """Fill a new folder.

        Args:
            place: the folder.
            source: folder that copies are taken from; by default the project as it is now.
        """
        place.mkdir(parents=True)
        for folder in self.folders:
            (place / folder).mkdir(parents=True, exist_ok=True)
        self.copy_to(place, source or self.root)
        for name in self.links:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                target.symlink_to(self.root / name)

    def copy_to(self, place: Path, source: Path) -> None:
        """Copy all files that are not linked."""
        for name in self.copies:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # A file that was there a moment ago may be gone; the program will say if it needs it.
            with suppress(FileNotFoundError):
                if name in self.contents:
                    copy_content(source / name, target)
                else:
                    copy(source / name, target, source)


def layout(
    root: Path,
    section: WorkspaceSection,
    written: Collection[str],
    needed: Collection[str] = (),
    *,
    is_watched: bool = True,
) -> WorkspaceLayout:
    """Decide which files are copied and which are linked.

    Args:
        root: the project folder, absolute.
        section: the configuration's.
        written: files that the program or Tunesmith writes, relative to the project: they are
            never linked, nor is a folder around them.
        needed: files and folders that the configuration names: they are included even if Git
            ignores them.
        is_watched: true if runs get copies of files that they are about to write; else all files
            that they may write are copied before.
    """
    return _Sorting(root, section, written, needed, is_watched).layout()


@dataclass(frozen=True)
class _Sorting:
    """Sorts the files of a project into copies, links, and files that runs do not get.

    The fields are the arguments of ``layout``.
    """

    root: Path
    section: WorkspaceSection
    written: Collection[str]
    needed: Collection[str]
    is_watched: bool

    def layout(self) -> WorkspaceLayout:
        """Return the layout of runs' folders."""
        kept, ignored, always = _found(self.root)
        dvc = tracked(self.root, kept)
        ignored = self._parts(ignored or (), dvc)
        asked = {n for n in ignored if self._is_wanted(n) and self._is_linked(n)}
        given = {n for n in ignored if self._is_wanted(n) and self._is_input(n, dvc)}
        data = DataFolders.of(self.root, filter(self._is_data, given), LEFT_OUT)
        content = {n for n in data.content if self._is_wanted(n)}
        sure = asked | (given - data.tops) | content | {n for n in always if self._is_wanted(n)}
        named = (n for n in kept if self._is_wanted(n) and self._is_linked(n))
        links = _opened(self.root, [*sure, *named], self.written, dvc.outs)
        own = self._own(links, asked, dvc)
        own |= small_files(self.root, content & {*links}, LARGE_BYTES)
        copies, big = self._copies(kept, links)
        links = [*(n for n in links if n not in own), *big, *self._beyond()]
        left = sorted(ignored - asked - given)
        return WorkspaceLayout(
            root=self.root,
            copies=(*copies, *sorted(own)),
            links=tuple(links),
            folders=tuple(sorted({*self._folders(links, dvc), *data.folders, *self._empty()})),
            contents=frozenset(own),
            left=tuple(n for n in left if self._is_wanted(n) and not n.startswith(".dvc/")),
            asked=tuple(sorted(asked)),
            tracked=dvc,
            shared=tuple(sorted(data.tops)),
        )

    def _parts(self, ignored: Collection[str], dvc: Tracked) -> set[str]:
        """Paths that Git ignores; a folder of which only some is wanted is split up."""
        return {n for name in ignored for n in _parted(self.root, name, dvc.names, self.section)}

    def _copies(self, kept: Sequence[str], links: Collection[str]) -> tuple[list[str], list[str]]:
        """Return the files to be copied, and those that are too large for that."""
        beneath = {*links}
        copies = [n for n in kept if self._is_wanted(n) and not is_beneath(n, beneath)]
        big = {n for n in copies if _is_large(self.root / n) and n not in self.written}
        return [n for n in copies if n not in big], [n for n in copies if n in big]

    def _own(self, links: Collection[str], asked: Collection[str], dvc: Tracked) -> set[str]:
        """Linked files of which each run gets a copy of its own after all."""
        named = (*asked, *self.section.link)
        files = [n for n in links if (self.root / n).is_file()]
        plain = (n for n in files if n not in named and _is_dvcs(n, dvc))
        own = {n for n in plain if _is_owned(self.root / n, n, dvc, self.is_watched)}
        return own | {n for n in files if fnmatch(n.rpartition("/")[2], SETTINGS)}

    def _beyond(self) -> list[str]:
        """Paths outside of the project that the configuration names."""
        named = (n for n in self.section.link if n.startswith("../"))
        return [n for n in named if (self.root / n).exists()]

    def _folders(self, links: Collection[str], dvc: Tracked) -> tuple[str, ...]:
        """Folders that are made anew: those of files that will be written."""
        folders = {str(PurePosixPath(name).parent) for name in self.written} - {"."}
        folders |= {n for n in dvc.outs if (self.root / n).is_dir() and n not in links}
        return tuple(sorted(folders))

    def _empty(self) -> Iterator[str]:
        """Folders without files, which Git does not list: programs write into them."""
        listed = git.paths(
            self.root, "ls-files", "-o", "--directory", "--exclude-standard", "-z", "--", "."
        )
        tops = (n.rstrip("/") for n in listed or () if n.endswith("/") and n != "./")
        for top in filter(self._is_wanted, tops):
            for folder, inner, names in os.walk(self.root / top):
                inner[:] = [n for n in inner if n not in LEFT_OUT]
                if not inner and not names:
                    yield Path(folder).relative_to(self.root).as_posix()

    def _is_data(self, name: str) -> bool:
        is_installed = name.rpartition("/")[2] in INSTALLED
        is_plain = not is_installed and name not in OF_DVC
        return is_plain and not is_environment(self.root / name)

    def _is_wanted(self, name: str) -> bool:
        return _is_wanted(name, self.section)

    def _is_linked(self, name: str) -> bool:
        return _matches(name, self.section.link)

    def _is_input(self, name: str, dvc: Tracked) -> bool:
        # A run that is not watched may have read all of it, so it would count as a whole.
        is_dvcs_own = self.is_watched and name in OF_DVC
        return is_dvcs_own or _is_input(self.root, name, dvc, self.needed)


def _parted(
    root: Path, name: str, names: Collection[str], section: WorkspaceSection
) -> Iterator[str]:
    """Split a folder that Git ignores as a whole, if only some of it is wanted."""
    inner = f"{name}/"
    wanted = [n for n in (*names, *section.link) if n.startswith(inner)]
    if not wanted or not (root / name).is_dir() or (root / name).is_symlink():
        yield name
        return
    for entry in sorted((root / name).iterdir()):
        yield from _parted(root, inner + entry.name, names, section)


def _is_input(root: Path, name: str, dvc: Tracked, needed: Collection[str]) -> bool:
    """True if programs get it although Git ignores it."""
    parts = PurePosixPath(name).parts
    if any(part in DATA for part in parts) or _is_dvcs(name, dvc):
        return True
    if fnmatch(parts[-1], SETTINGS) or parts[-1] in INSTALLED:
        return True
    if (root / name).is_dir() and (is_environment(root / name) or (root / name / ".git").exists()):
        return True
    return any(item == name or item.startswith(f"{name}/") for item in needed)


def _is_dvcs(name: str, dvc: Tracked) -> bool:
    return is_beneath(name, dvc.names)


def _is_owned(path: Path, name: str, dvc: Tracked, is_watched: bool) -> bool:
    """True if a run gets a copy of a path that DVC tracks: if small, or if a stage may write it."""
    if path.stat().st_size <= LARGE_BYTES:
        return True
    return not is_watched and is_beneath(name, dvc.outs)


def _found(root: Path) -> tuple[list[str], set[str] | None, set[str]]:
    """The project's files; ignored paths, folders as a whole, if wanted; and the links."""
    kept = git.paths(root, "ls-files", "-co", "--exclude-standard", "-z", "--", ".")
    ignored = git.paths(
        root, "ls-files", "-oi", "--exclude-standard", "--directory", "-z", "--", "."
    )
    if kept is None or ignored is None or "./" in ignored:
        # No repository, or one that ignores the project as a whole.
        files, links = _walked(root)
        return files, None, links
    there = [name for name in dict.fromkeys(kept) if os.path.lexists(root / name)]
    # Git knows links as such, wherever they lead.
    modules = {n.rstrip("/") for n in there if (root / n).is_dir() and not (root / n).is_symlink()}
    environments = {environment for name in there if (environment := _environment_of(name))}
    files = [
        name
        for name in there
        if name.rstrip("/") not in modules and not is_beneath(name, environments)
    ]
    return files, {name.rstrip("/") for name in ignored} - environments, modules | environments


def _environment_of(name: str) -> str | None:
    """Environment that a file marks; Git does not ignore all of them."""
    ends = (f"/{mark}" for mark in ENVIRONMENT_MARKS)
    return next((name.removesuffix(end) for end in ends if name.endswith(end)), None)


def _walked(root: Path) -> tuple[list[str], set[str]]:
    files, links = [], set()
    for folder, names, here in os.walk(root):
        base = Path(folder).relative_to(root)
        if base.name and is_environment(Path(folder)):
            names.clear()
            links.add(base.as_posix())
            continue
        for name in [name for name in names if name in (*LEFT_OUT, *ENVIRONMENTS)]:
            names.remove(name)
            if name in ENVIRONMENTS:
                links.add((base / name).as_posix())
        # A link to a folder is kept as what it is.
        here += [name for name in names if (root / base / name).is_symlink()]
        files += [(base / name).as_posix() for name in here]
    return sorted(files), links


def is_environment(folder: Path | str) -> bool:
    """True if a folder contains installed packages."""
    return any(os.path.isfile(f"{folder}/{mark}") for mark in ENVIRONMENT_MARKS)  # noqa: PTH113 - hot


def _is_wanted(name: str, section: WorkspaceSection) -> bool:
    parts = PurePosixPath(name).parts
    return not any(part in LEFT_OUT for part in parts) and not _matches(name, section.leave_out)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """True if a path, or a folder that it lies in, is named."""
    paths = [name, *(str(parent) for parent in PurePosixPath(name).parents)]
    return any(fnmatch(path, pattern.rstrip("/")) for pattern in patterns for path in paths)


def is_beneath(name: str, folders: Collection[str]) -> bool:
    """True if a path is one of these, or lies in one."""
    return name in folders or any(str(p) in folders for p in PurePosixPath(name).parents)


def _opened(
    root: Path, names: Sequence[str], written: Collection[str], outs: Collection[str]
) -> list[str]:
    """Links, in which folders that receive files are replaced by their other content."""
    around = {str(parent) for name in written for parent in PurePosixPath(name).parents}
    opened: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        is_open = name in around or is_beneath(name, outs)
        if is_open and (root / name).is_dir() and not (root / name / ".git").exists():
            waiting += [f"{name}/{entry.name}" for entry in (root / name).iterdir()]
        elif name not in written:
            opened.append(name)
    return sorted(opened)


def _is_large(path: Path) -> bool:
    # A link counts as small wherever it leads, because it is copied as a link.
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_size > LARGE_BYTES


def matching(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    """List the plain files of a folder that match patterns, in order; links do not count."""
    paths = {path for pattern in patterns for path in folder.glob(pattern)}
    return (path for path in sorted(paths) if path.is_file() and not path.is_symlink())
