"""Repair of a ledger that came from a CI cache, so that the next run works whatever is in it."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tunesmith.errors import DamagedError, StorageError
from tunesmith.ledger.dialect import address, file_of
from tunesmith.ledger.integrity import log_of
from tunesmith.ledger.ledger import Ledger, empty
from tunesmith.ledger.rescue.salvage import salvage

KEPT = "the run begins with the committed history, or anew"


def make_usable(location: str | Path) -> str | None:
    """Repair a damaged ledger, or put one out of the way that cannot be used.

    A cache that holds junk, or what a newer version has written, would else end every later run in
    the same way, and be saved again by each of them.

    Args:
        location: of the ledger, file or URL.

    Returns:
        What was done, in a sentence; ``None`` if the ledger is usable, or there is none.
    """
    file = file_of(address(location))
    if file is None:
        return None
    if os.path.lexists(file.parent) and not file.parent.is_dir():
        return _put_aside([file.parent], f"{file.parent} is no folder")
    # All three go together: SQLite would take a log that is left for that of the next file.
    parts = [file, log_of(file), file.with_name(f"{file.name}-shm")]
    if not os.path.lexists(file):
        left = any(os.path.lexists(part) for part in parts)
        return _put_aside(parts, f"{file} is missing, and its log is there") if left else None
    if not file.exists():
        return _put_aside(parts, f"{file} is a link that leads nowhere")
    try:
        with Ledger.open(file, create=False) as ledger:
            ledger.studies()
    except DamagedError as error:
        return _repaired(file, parts, str(error))
    except StorageError as error:
        return _put_aside(parts, str(error))
    return None


def _repaired(file: Path, parts: Sequence[Path], reason: str) -> str:
    try:
        saved = salvage(file, empty())
    except StorageError:
        return _put_aside(parts, reason)
    n = saved.n_rows.get("evaluation", 0)
    # Not in the folder that is cached: it would be carried along for ever.
    shutil.move(saved.aside, _folder() / saved.aside.name)
    return f"the ledger was damaged; {n:,} evaluations were saved ({_line(reason)})"


def _put_aside(parts: Sequence[Path], reason: str) -> str:
    folder = _folder()
    for part in parts:
        if os.path.lexists(part):
            shutil.move(part, folder / part.name)
    return f"the ledger cannot be used and lies in {folder} now; {KEPT} ({_line(reason)})"


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="tunesmith-ledger-"))


def _line(text: str) -> str:
    return text.splitlines()[0].rstrip(".")
