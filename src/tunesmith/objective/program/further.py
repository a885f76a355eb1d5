"""Further splits for programs: the files of their rows are written when a run needs them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.history import FURTHER
from tunesmith.objective.program.folds import ProgramFold, write_splits

if TYPE_CHECKING:
    import pandas as pd

    from tunesmith.data.folds import Split
    from tunesmith.data.further import FurtherSplits


@dataclass(frozen=True, eq=False, kw_only=True)
class FurtherFolds:
    """Folds of a program by number: ``FURTHER`` and below.

    Args:
        splits: of the rows that the search saw.
        numbers: numbers of these rows in the files.
        folder: for the folders of the splits; named after the content of the table.
        form: ``rows``, ``csv`` or ``parquet``.
        seed: of every run.
        table: reads the table.
    """

    splits: "FurtherSplits"
    numbers: np.ndarray
    folder: Path
    form: str
    seed: int
    table: Callable[[], "pd.DataFrame"]
    _known: "dict[int, Split]" = field(default_factory=dict, repr=False)

    @property
    def n_folds(self) -> int:
        """Number of folds of a repeat."""
        return self.splits.n_folds

    @property
    def blocker(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""
        return self.splits.blocker

    def digest(self, fold: int) -> str:
        """Digest of a fold's rows."""
        return self._in_file(fold).digest

    def __getitem__(self, fold: int) -> ProgramFold:
        """Return a fold; its files are written if they are missing."""
        split = self._in_file(fold)
        # Counted on behind the folds of the search, which the program may use in names of files.
        number = self.n_folds + FURTHER - fold
        # One folder a split, named after its rows, so that files that are there are right.
        folder = self.folder / split.digest
        files = write_splits({number: split}, folder, self.form, self.table)
        return ProgramFold(self.seed, number, *files[number], split.digest)

    def _in_file(self, fold: int) -> "Split":
        from tunesmith.data.folds import Split

        if fold not in self._known:
            split = self.splits[fold]
            self._known[fold] = Split(self.numbers[split.train], self.numbers[split.test])
        return self._known[fold]
