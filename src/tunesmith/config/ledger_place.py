"""Checks of the place of a ledger."""

import re
from collections.abc import Iterator
from pathlib import Path

from tunesmith.errors import Violation

SQLITE = "sqlite"
IN_MEMORY = re.compile(r"(?:sqlite(?:\+\w+)?:(?://)?/?)?(?::memory:.*)?(?:\?.*)?\Z")
"""Addresses of SQLite's that name no file."""


def ledger_violations(location: str, root: Path) -> Iterator[Violation]:
    """Yield files that are in the place of a folder of the ledger; missing folders are made.

    Args:
        location: a path from ``root``, or a URL.
        root: the project folder.
    """
    if IN_MEMORY.match(location):
        message = f"`{location}` is a database in memory, which keeps nothing."
        yield Violation(("ledger",), message, "Name a file, e.g. `.tunesmith/ledger.db`.")
    file = file_of(location, root)
    if file is None:
        return
    try:
        there = next(folder for folder in file.parents if folder.exists())
        is_folder = there.is_dir()
    except (OSError, ValueError):
        return  # whoever opens it says what is wrong with the path
    if not is_folder:
        shown = there.relative_to(root) if there.is_relative_to(root) else there
        message = f"`{location}` cannot be made: {shown} is a file, not a folder."
        yield Violation(("ledger",), message, "Name a file in a folder, e.g. `runs/ledger.db`.")


def file_of(location: str, root: Path) -> Path | None:
    """Return the file of a ledger; ``None`` for a server or a database in memory.

    Args:
        location: a path from ``root``, or a URL.
        root: the project folder.
    """
    kind, separator, rest = location.partition("://")
    if not separator:
        return root / location
    path = rest.partition("?")[0]
    if kind.partition("+")[0] != SQLITE or len(path) < 2:
        return None
    # As SQLAlchemy reads it: from the working folder, or absolute behind a fourth slash.
    return Path(path[1:]).absolute()
