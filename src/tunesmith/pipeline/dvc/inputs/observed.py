"""Files that runs of a program were seen to read: the tuning stage depends on them, too."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from tunesmith.ledger.ledger import Ledger
from tunesmith.objective.program.observing.states import EVERYTHING, TOP, is_data
from tunesmith.pipeline.dvc.inputs.dependencies import is_within

MANY = 4
"""From so many files of a folder on, the folder stands for them."""


def observed(
    reading: Mapping[str, str], root: Path, known: Sequence[str], written: Sequence[str]
) -> list[str]:
    """Files and folders of the project that the study's runs have read, and that are there.

    Args:
        reading: of the newest series of the study.
        root: the project folder, absolute.
        known: what the stage depends on anyway.
        written: what the study, its stage and later stages write.

    Returns:
        Paths, in order; none if no run was watched yet.
    """
    if EVERYTHING in reading:
        return []
    names = [
        name
        for name, states in reading.items()
        if _is_of_project(name, root)
        and is_data(states)
        and not any(is_within(name, other) for other in known)
        and not any(is_within(name, out) or is_within(out, name) for out in written)
    ]
    return _by_folder(names, written)


def reading_of(location: str | Path, study: str) -> Mapping[str, str]:
    """Files that the programs of a study have read, by its newest series in a ledger."""
    if isinstance(location, Path) and not location.is_file():
        return {}
    with Ledger.open(location, create=False) as ledger:
        head = ledger.previous(study)
    return (head.reading if head is not None else None) or {}


def _is_of_project(name: str, root: Path) -> bool:
    return name != TOP and not name.startswith(("../", "/")) and (root / name).exists()


def _by_folder(names: Sequence[str], written: Sequence[str]) -> list[str]:
    n_of = Counter(str(PurePosixPath(name).parent) for name in names)
    folders = {folder for folder, n in n_of.items() if n >= MANY and folder != "."}
    # To DVC a stage that depends on a folder and writes into it is a circle.
    folders = {f for f in folders if not any(is_within(out, f) for out in written)} | {*names}
    whole = (next((f for f in _around(n) if f in folders), n) for n in sorted(names))
    return list(dict.fromkeys(whole))


def _around(name: str) -> list[str]:
    """The folders around a path, from the outside in."""
    return [str(parent) for parent in reversed(PurePosixPath(name).parents)]
