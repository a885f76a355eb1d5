"""Transfer of evaluations from one place to another, and how places are named."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.errors import StorageError, UsageError
from tunesmith.ledger.dialect import address, file_of
from tunesmith.ledger.exchange.packs import FolderPlace
from tunesmith.ledger.exchange.shared import Place
from tunesmith.ledger.exchange.tables import LedgerPlace
from tunesmith.ledger.ledger import Ledger

DATABASES = (".db", ".sqlite", ".sqlite3")
"""Endings of files that become ledgers; any other new name becomes a folder."""


@dataclass(frozen=True)
class Moved:
    """Outcome of a transfer."""

    source: str
    target: str
    n_new: int
    """Number of evaluations that the target lacked."""
    n_known: int
    """Number of evaluations that it had."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Packs of the source that are not as they were written, with the reason."""


def transfer(source: Place, target: Place) -> Moved:
    """Add to one place what another holds and it lacks.

    It may be cut off at any moment: whatever was added is whole, and the next one adds the rest.
    """
    runs = source.runs()
    n_new = n_all = 0
    for batch in source.batches():
        # A run may have begun since, or a pack have come.
        if any(one.uid not in runs for one in batch):
            runs = source.runs()
        n_all += len(batch)
        n_new += target.add(batch, runs, source.readings)
    target.finish()
    # Those that have brought nothing new may have ended since the last transfer.
    target.note(runs)
    damaged = source.damaged if isinstance(source, FolderPlace) else {}
    return Moved(source.name, target.name, n_new, n_all - n_new, dict(damaged))


@contextmanager
def opened(location: str | Path, *, create: bool) -> Iterator[LedgerPlace | FolderPlace]:
    """Open a place for the duration of the block.

    Args:
        location: URL of a database, path of a ledger's file, or of a folder.
        create: make it if it is missing.

    Raises:
        StorageError: it is missing and not to be created, or cannot be opened.
    """
    folder = folder_of(location)
    if folder is None:
        with Ledger.open(location, create=create) as ledger:
            yield LedgerPlace(ledger)
        return
    if not create and not folder.is_dir():
        raise StorageError(f"{folder}: there is no such folder or ledger.")
    yield FolderPlace(folder)


def folder_of(location: str | Path) -> Path | None:
    """Return the folder that a location names; ``None`` for a ledger."""
    if isinstance(location, str) and "://" in location:
        return None
    path = Path(location)
    # What is there decides; only for a new name its ending does.
    is_file = path.is_file() or (not path.is_dir() and path.suffix in DATABASES)
    return None if is_file else path


def check_differs(one: str | Path, other: str | Path) -> None:
    """Check that two locations are not the same place.

    Raises:
        UsageError: they are.
    """
    if _identity(one) == _identity(other):
        raise UsageError("both are the same ledger; name another one.")


def _identity(location: str | Path) -> object:
    folder = folder_of(location)
    if folder is not None:
        return folder.resolve()
    url = address(location)
    file = file_of(url)
    return file.resolve() if file else url
