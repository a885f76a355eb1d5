"""``tunesmith doctor --repair``: a new ledger from a damaged one."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli.common.options import print_json
from tunesmith.cli.common.streams import show
from tunesmith.errors import DamagedError, LockedError, UsageError

if TYPE_CHECKING:
    from tunesmith.ledger.rescue.salvage import Saved

NAMES = {"study": "series of trials", "run": "runs", "evaluation": "evaluations", "trial": "trials"}


def repair_ledger(config: Path, *, as_json: bool) -> None:
    """Repair the ledger of a project, if it is damaged, and say what was saved and lost.

    Raises:
        LockedError: a run is on.
        StorageError: nothing of a ledger is in the file, or it cannot be written.
        UsageError: there is no file.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.ledger.ledger import Ledger, empty
    from tunesmith.ledger.lock import holders
    from tunesmith.ledger.rescue.salvage import salvage

    file = _file_of(load_definition(config).ledger)
    # A run would go on writing into the file that is moved aside.
    for study, holder in holders(file).items():
        raise LockedError(study, holder)
    try:
        # Opening a ledger compares its checksum.
        with Ledger.open(file, create=False, most_bytes=sys.maxsize):
            pass
    except DamagedError:
        saved = salvage(file, empty())
        with Ledger.open(file) as ledger:
            ledger.derive()
        _tell(saved, as_json=as_json)
        return
    if as_json:
        print_json("repair", {"file": str(file), "is_damaged": False})
    else:
        show(f"{file} is not damaged; nothing was changed.")


def _file_of(location: str | Path) -> Path:
    from tunesmith.ledger.dialect import address, file_of

    file = file_of(address(location))
    if file is None:
        raise UsageError("the ledger is on a server; `--repair` is for files.")
    if not file.exists():
        raise UsageError(f"{file}: there is no ledger.")
    return file


def _tell(saved: "Saved", *, as_json: bool) -> None:
    if as_json:
        print_json("repair", {"is_damaged": True, **_content(saved)})
        return
    kept = ", ".join(f"{saved.n_rows[table]:,} {name}" for table, name in NAMES.items())
    show(f"Saved into {saved.file}: {kept}.")
    for line in saved.lost:
        show(f"  lost: {line}.")
    if not saved.lost:
        show("  Nothing is known to be lost.")
    show(f"The damaged file is kept as {saved.aside.name}. `tunesmith run` goes on from here.")


def _content(saved: "Saved") -> Mapping[str, Any]:
    return {
        "file": str(saved.file),
        "kept_as": str(saved.aside),
        "saved": dict(saved.n_rows),
        "lost": saved.lost,
    }
