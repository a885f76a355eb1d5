"""A folder of its own for a run of the program: what is small is copied, the rest is linked.

Copies share their blocks with the originals where the file system can do that. What Git ignores
(data, environments) is linked, as are large files: programs read them, and must not write to them.
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tunesmith import git
from tunesmith.config.program import Workspace
from tunesmith.errors import UsageError

LARGE_BYTES = 4 << 20
MANY_FILES = 20_000
FICLONE = 0x40049409
LEFT_OUT = (
    ".git",
    ".hg",
    ".svn",
    ".tunesmith",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
)
"""Folders that no program needs, wherever they lie."""
ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta/history")
"""A folder with one of these is an environment, whatever its name."""
ENVIRONMENTS = (".venv", "venv", "node_modules", ".dvc", "renv")
"""Folders that are linked where Git does not say what it ignores."""


@dataclass(frozen=True)
class Layout:
    """What a working folder holds; paths are relative, with forward slashes."""

    root: Path
    copies: tuple[str, ...]
    links: tuple[str, ...]
    folders: tuple[str, ...] = field(default=())
    """Made anew: they hold what the program writes."""

    def lay_out(self, place: Path, source: Path | None = None) -> None:
        """Fill a new folder.

        Args:
            place: the folder.
            source: where copies are taken from; by default the project as it is now.
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
        """Copy what is not linked."""
        for name in self.copies:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # A file that was there a moment ago may be gone; the program will say if it needs it.
            with suppress(FileNotFoundError):
                copy(source / name, target, source)


def layout(root: Path, section: Workspace, written: Collection[str]) -> Layout:
    """Decide what is copied and what is linked.

    Args:
        root: the project folder, absolute.
        section: the configuration's.
        written: files that the program or Tunesmith writes, relative to the project: they are
            never linked, nor is a folder around them.

    Raises:
        UsageError: the project is too large to be copied for every run.
    """
    kept, ignored = _found(root)
    outside = [name for name in (*kept, *ignored) if _is_wanted(name, section)]
    links = _opened(
        root, [n for n in outside if n in ignored or _matches(n, section.link)], written
    )
    beneath = {*links}
    copies: list[str] = []
    for name in kept:
        if not _is_wanted(name, section) or _is_beneath(name, beneath):
            continue
        if _is_large(root / name) and name not in written:
            links.append(name)
        else:
            copies.append(name)
    if len(copies) > MANY_FILES:
        raise UsageError(
            f"objective.workspace: {len(copies):,} files would be copied for every run."
            "\n  Name folders of data under `link`, or what is not needed under `leave_out`."
        )
    made = sorted({str(PurePosixPath(name).parent) for name in written} - {"."})
    return Layout(root, tuple(copies), tuple(links), tuple(made))


def _found(root: Path) -> tuple[list[str], set[str]]:
    """The project's files, and what is ignored: files, and folders as a whole."""
    kept = git.paths(root, "ls-files", "-co", "--exclude-standard", "-z", "--", ".")
    ignored = git.paths(
        root, "ls-files", "-oi", "--exclude-standard", "--directory", "-z", "--", "."
    )
    if kept is None or ignored is None or "./" in ignored:
        # No repository, or one that ignores the project as a whole.
        return _walked(root)
    there = [name for name in dict.fromkeys(kept) if os.path.lexists(root / name)]
    modules = {name.rstrip("/") for name in there if (root / name).is_dir()}
    environments = {found for name in there if (found := _environment_of(name))}
    files = [
        name
        for name in there
        if name.rstrip("/") not in modules and not _is_beneath(name, environments)
    ]
    return files, {name.rstrip("/") for name in ignored} | modules | environments


def _environment_of(name: str) -> str | None:
    """The environment of which a file is the mark; not all of them are ignored by Git."""
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


def is_environment(folder: Path) -> bool:
    """Whether a folder holds installed packages."""
    return any((folder / mark).is_file() for mark in ENVIRONMENT_MARKS)


def _is_wanted(name: str, section: Workspace) -> bool:
    parts = PurePosixPath(name).parts
    return not any(part in LEFT_OUT for part in parts) and not _matches(name, section.leave_out)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a path, or a folder that it lies in, is named."""
    paths = [name, *(str(parent) for parent in PurePosixPath(name).parents)]
    return any(fnmatch(path, pattern.rstrip("/")) for pattern in patterns for path in paths)


def _is_beneath(name: str, folders: Collection[str]) -> bool:
    return name in folders or any(str(p) in folders for p in PurePosixPath(name).parents)


def _opened(root: Path, names: Sequence[str], written: Collection[str]) -> list[str]:
    """Links, with folders that something is written in replaced by what else they hold."""
    around = {str(parent) for name in written for parent in PurePosixPath(name).parents}
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in around and (root / name).is_dir():
            waiting += [f"{name}/{entry.name}" for entry in (root / name).iterdir()]
        elif name not in written:
            found.append(name)
    return sorted(found)


def _is_large(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_size > LARGE_BYTES


def copy(source: Path, target: Path, root: Path) -> None:
    """Copy a file with its mode and time; a link stays a link, what is no file is left out.

    Args:
        source: a file of the project.
        target: where it goes.
        root: the project; links that lead out of it lead to the same place from anywhere.
    """
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        leads_to = Path(os.path.normpath(source.parent / source.readlink()))
        is_within = leads_to.is_relative_to(root)
        target.symlink_to(source.readlink() if is_within else leads_to)
    elif stat.S_ISREG(status.st_mode):
        _clone(source, target) or shutil.copyfile(source, target)
        shutil.copystat(source, target)


def _clone(source: Path, target: Path) -> bool:
    """A copy that shares its blocks with the original, where the file system has such."""
    with source.open("rb") as original, target.open("wb") as clone:
        try:
            fcntl.ioctl(clone.fileno(), FICLONE, original.fileno())
        except OSError:
            return False
    return True


def matching(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    """The plain files of a folder that match patterns, in order; links are no files."""
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return (path for path in sorted(found) if path.is_file() and not path.is_symlink())
