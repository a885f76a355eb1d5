"""Files that belong to evaluations: logs and artifacts, checkpoints, kept models.

A file goes with its evaluation. A checkpoint belongs to no single one: it goes with its study, or
by its age, and costs no more than a fit from the beginning.
"""

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.models.store import ModelStore
from tunesmith.objective.program.checkpoints import DONE
from tunesmith.objective.program.trial_logs import folder_name, runs_folder
from tunesmith.system.files import STATE

MODELS, ANSWERS = "models", "answers"


@dataclass(frozen=True)
class Leftover:
    """A file or folder that nothing needs any more."""

    kind: str
    path: Path

    @property
    def n_bytes(self) -> int:
        """Bytes of all its files."""
        files = [self.path] if self.path.is_file() else self.path.rglob("*")
        return sum(one.stat().st_size for one in files if one.is_file() and not one.is_symlink())

    def remove(self) -> None:
        """Remove it; what is gone already is no error."""
        # A link is removed, never what it leads to.
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)


def leftovers(
    project: Definition,
    studies: Sequence[str],
    gone: Sequence[str],
    keys: Collection[str],
    before: str | None,
) -> list[Leftover]:
    """Find the files of evaluations that are not in the ledger any more.

    Args:
        project: definition of any of its studies; their ledger is the one that was looked through.
        studies: names of the studies that were chosen.
        gone: those of them of which no series of trials is left.
        keys: of all evaluations that stay.
        before: checkpoints that were written before this moment go, too (UTC, ISO 8601).
    """
    found = []
    for name in studies:
        # Folders are named after the study and the ledger that the configuration says.
        file = project.file.model_copy(update={"study": name})
        logs = _entries(runs_folder(project.root, file))
        found += [Leftover("logs", path) for path in logs if path.name not in keys]
        states = project.root.resolve() / STATE / "checkpoints" / folder_name(file)
        found += [Leftover("checkpoints", p) for p in _checkpoints(states, name in gone, before)]
        place = project.ledger
        state = place.parent if isinstance(place, Path) else project.root / STATE
        folders = [state / part / name for part in (MODELS, ANSWERS)]
        found += [Leftover(MODELS, path) for folder in folders for path in _unused(folder, keys)]
    return found


def _unused(folder: Path, keys: Collection[str]) -> list[Path]:
    """Files of models, or of their answers, of which none belongs to one of these evaluations."""
    # Only heads are read, which needs no secret.
    heads = ModelStore(folder, b"", 0).heads().values()
    return [head.path for head in heads if not any(key in keys for key in head.keys)]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _checkpoints(folder: Path, is_gone: bool, before: str | None) -> Iterator[Path]:
    if is_gone and folder.is_dir():
        yield folder
    elif before is not None:
        moment = datetime.fromisoformat(before).timestamp()
        for state in sorted(folder.glob("*/*/*")):
            if state.suffix != DONE and _written(state) < moment:
                # The mark goes first: what has none is removed by the next run.
                yield from (p for p in (state.with_suffix(DONE), state) if p.exists())


def _written(state: Path) -> float:
    # Programs may change files in the folder without touching its own time.
    mark = state.with_suffix(DONE)
    return (mark if mark.exists() else state).stat().st_mtime
