"""Files that a program's results depend on, as far as they are known from outside."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tunesmith.errors import UsageError
from tunesmith.objective.program.observing.workspace import (
    ENVIRONMENTS,
    LEFT_OUT,
    is_environment,
    matching,
)
from tunesmith.system.fingerprint import digest, file_digest

SKIPPED = {*LEFT_OUT, *ENVIRONMENTS, "site-packages"}


def named(root: Path, patterns: Sequence[str]) -> list[Path]:
    """List the files that ``depends_on`` names; a folder stands for all files in it.

    Raises:
        UsageError: a name or pattern finds nothing.
    """
    paths: set[Path] = set()
    missing = []
    for pattern in patterns:
        place = root / pattern
        files = list(matching(place, ["**/*"]) if place.is_dir() else matching(root, [pattern]))
        paths.update(files)
        if not files:
            missing.append(f"objective.depends_on: `{pattern}` names no file in {root}.")
    if missing:
        raise UsageError("\n".join(missing))
    return sorted(paths)


def assumed(root: Path, command: Iterable[str]) -> list[Path]:
    """List the files that a command names; with a Python file, all Python files of the project."""
    given = {root / item for item in command if item and (root / item).is_file()}
    paths = {path for path in given if path.resolve().is_relative_to(root.resolve())}
    if any(path.suffix == ".py" for path in paths) or "-m" in command:
        paths.update(_python_files(root))
    return sorted(paths)


def _python_files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        # In place, so that they are not walked through.
        names[:] = [
            name for name in names if name not in SKIPPED and not is_environment(Path(folder, name))
        ]
        yield from (Path(folder) / name for name in files if name.endswith(".py"))


def files_digest(root: Path, files: Sequence[Path]) -> str:
    """Digest of the files' names and contents; ``""`` if there are none."""
    if not files:
        return ""
    return digest([[path.relative_to(root).as_posix() for path in files], file_digest(files)])
