"""Remove evaluations from a ledger, with the files that belong to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.ledger.housekeeping.garbage import Garbage, GarbageChoice, garbage, no_run, remove
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.garbage.files import Leftover, leftovers


@dataclass(frozen=True)
class Collected:
    """Evaluations and files that were removed, or would be."""

    rows: Garbage
    files: Sequence[Leftover] = ()
    n_bytes: int = 0
    """Bytes of the files; the ledger's own are not counted."""
    studies: Sequence[str] = ()
    """Names of the studies that the ledger had."""

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to remove."""
        return not (self.rows.series or self.rows.evaluations or self.files)

    def n_files(self, kind: str) -> int:
        """Number of files or folders of a kind."""
        return sum(one.kind == kind for one in self.files)


def collect(
    location: str | Path, choice: GarbageChoice, project: Definition | None, *, removes: bool
) -> Collected:
    """Remove what is chosen, while no run is on.

    Args:
        location: file or URL of the ledger.
        choice: what may go.
        project: definition of a study of the project with this ledger; ``None`` if only rows go.
        removes: false if it is only to be told what would go.

    Raises:
        LockedError: a run is on.
        StorageError: there is no ledger, or it cannot be changed.
    """
    # A reader first: a removal must not make a ledger that is not there.
    Ledger.open(location, create=False).close()
    with Ledger.open(location, create=removes) as ledger, no_run(location, ledger) as names:
        rows = remove(ledger, choice) if removes else garbage(ledger, choice)
        if project is None:
            return Collected(rows, studies=names)
        chosen = [name for name in names if choice.has_name(name)]
        left = {head.name for head in ledger.studies() if head.id not in rows.series}
        gone = [name for name in chosen if name not in left]
        # Those that go are still there if nothing is removed.
        removed = set(rows.evaluations)
        keys = {key for key, run in ledger.addresses() if (key, run) not in removed}
        files = leftovers(project, chosen, gone, keys, choice.before)
        n_bytes = sum(one.n_bytes for one in files)
        # After the rows: a kill in between leaves files that the next call finds.
        for one in files if removes else ():
            one.remove()
    return Collected(rows, files, n_bytes, names)
