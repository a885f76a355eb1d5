"""Dependencies of a tuning stage, as paths from the project folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from tunesmith.config.objective import ObjectiveSection
from tunesmith.config.source import read_document
from tunesmith.objective.program.observing.dependencies import assumed, named
from tunesmith.system.fingerprint import reached, top_names

PACKAGED = "src"


def dependencies(
    section: ObjectiveSection, root: Path, source: Path | None, outs: Iterable[str]
) -> tuple[str, ...]:
    """Data, then code, then other files that the configuration reads; none twice.

    A folder stands for all that it holds, so that new files in it count. Files are listed one by
    one if their folder holds an out, which DVC would call a circle.

    Args:
        section: the study's objective.
        root: the project folder, absolute.
        source: the configuration, if it is a file.
        outs: of its stages.

    Raises:
        UsageError: ``depends_on`` names what is not there, or a path leads out of the project.
    """
    paths = list(section.data.path) if section.data is not None else []
    paths += (_code if not section.is_program else _program)(section, root, outs)
    paths += _space_file(source)
    return tuple(dict.fromkeys(plain(path) for path in paths))


def plain(path: str) -> str:
    """A path without detours.

    >>> plain("./data//table.csv")
    'data/table.csv'
    """
    return PurePosixPath(path).as_posix()


def is_within(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or lies in it."""
    return PurePosixPath(path).is_relative_to(PurePosixPath(folder))


def _code(section: ObjectiveSection, root: Path, outs: Iterable[str]) -> list[str]:
    # The splitter's code affects scores through the splits alone, which the ledger digests.
    # DVC sees no splits, so that it has to depend on the code.
    tops = top_names(section.all_import_paths)
    return grouped(reached(tops, root)[0], root, outs, is_package=PACKAGED in tops)


def _program(section: ObjectiveSection, root: Path, outs: Iterable[str]) -> list[str]:
    own = [] if section.params_file is None else [section.params_file.path]
    if section.depends_on is None:
        return [*own, *grouped(assumed(root, section.argv), root, outs)]
    paths = list(own)
    for pattern in section.depends_on:
        files = named(root, [pattern])
        is_whole = (root / pattern).is_dir() and not _holds_out(plain(pattern), outs)
        paths += [pattern] if is_whole else [_relative(file, root) for file in files]
    return paths


def grouped(
    files: Sequence[Path], root: Path, outs: Iterable[str], *, is_package: bool = False
) -> list[str]:
    """A module by its file, a package by its folder."""
    names = []
    for file in files:
        name = _relative(file, root)
        parts = PurePosixPath(name).parts
        # `src` holds packages and is none: one of them must not bring in all the others.
        depth = 2 if parts[0] == PACKAGED and not is_package else 1
        top = "/".join(parts[:depth])
        is_whole = len(parts) > depth and not _holds_out(top, outs) and is_code(root / top)
        names.append(top if is_whole else name)
    return names


def is_code(folder: Path) -> bool:
    """Tell whether a folder holds Python files alone, or is a package."""
    others = (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    )
    return next(others, None) is None or (folder / "__init__.py").is_file()


def _holds_out(folder: str, outs: Iterable[str]) -> bool:
    return any(is_within(out, folder) for out in outs)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _space_file(source: Path | None) -> list[str]:
    if source is None:
        return []
    data = read_document(source).data
    space = data.get("space") if isinstance(data, dict) else None
    return [space] if isinstance(space, str) else []
