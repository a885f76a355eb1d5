"""Folders for a program's state, so that a promoted trial need not start from scratch.

A trial with a larger budget begins with a copy of the state that the same params left at the
smaller one. A state counts only if its run ended well. The remains of a crash are removed, and so
are states of other versions of the code.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.objective.program.folds import ProgramFold
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params

DONE = ".done"


@dataclass(frozen=True)
class Checkpoints:
    """The states of all trials of a study."""

    folder: Path
    parameter: str
    """Parameter that holds the budget."""
    context: str
    """Digest of everything that all scores depend on."""

    @contextmanager
    def of(self, params: Params, fold: ProgramFold) -> Iterator[Path]:
        """Provide the folder for one run; it is kept if the block ends without an exception."""
        own, before = self.own(params, fold), self.before(params, fold)
        self.discard(own)
        if before is None:
            own.mkdir(parents=True)
        else:
            shutil.copytree(before, own, symlinks=True)
        try:
            yield own
        except BaseException:
            shutil.rmtree(own, ignore_errors=True)
            raise
        self.keep(own, before)

    def all_of(self, params: Params, fold: ProgramFold) -> Path:
        """Return the folder of the states that params left at any budget."""
        rest = {name: value for name, value in params.items() if name != self.parameter}
        return self.folder / self.context / digest([rest, fold.seed, fold.split, fold.digest])

    def own(self, params: Params, fold: ProgramFold) -> Path:
        """Return the folder of the state that params leave at their budget."""
        return self.all_of(params, fold) / str(params[self.parameter])

    def before(self, params: Params, fold: ProgramFold) -> Path | None:
        """Return the state to continue from: that of the next smaller budget, if there is any."""
        base, budget = self.all_of(params, fold), params[self.parameter]
        assert isinstance(budget, int)  # noqa: S101 - budgets are whole numbers
        done = [int(mark.stem) for mark in base.glob(f"*{DONE}")]
        smaller = [number for number in done if number < budget and (base / str(number)).is_dir()]
        return base / str(max(smaller)) if smaller else None

    def discard(self, own: Path) -> None:
        """Remove a state, if it is there."""
        # The mark goes first: a kill after this line must not leave a half-made state that counts.
        own.with_suffix(DONE).unlink(missing_ok=True)
        shutil.rmtree(own, ignore_errors=True)

    def is_kept(self, own: Path) -> bool:
        """True if a state is there, and counts."""
        return own.is_dir() and own.with_suffix(DONE).exists()

    def keep(self, own: Path, before: Path | None) -> None:
        """Let a state count that is complete, in the place of the one before.

        Args:
            own: its folder.
            before: folder of the state that it has continued, if any.
        """
        own.with_suffix(DONE).touch()
        # Only after the new state counts, so that a kill in between loses nothing.
        if before is not None:
            before.with_suffix(DONE).unlink(missing_ok=True)
            shutil.rmtree(before, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Remove states that no run can continue from; call it when no run is active."""
        for folder in self.folder.glob("*"):
            if folder.name != self.context:
                shutil.rmtree(folder, ignore_errors=True)
        for state in self.folder.glob(f"{self.context}/*/*"):
            if state.suffix != DONE and not state.with_suffix(DONE).exists():
                shutil.rmtree(state, ignore_errors=True)
