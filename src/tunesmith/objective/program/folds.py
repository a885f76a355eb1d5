"""Folds and seeds for programs: files with the rows to train and to test on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.history import HOLDOUT
from tunesmith.system.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd

    from tunesmith.data.folds import Split


@dataclass(frozen=True)
class ProgramFold:
    """Data and seed of one evaluation."""

    seed: int
    split: int | None = None
    """Number of the split; ``None`` without a table."""
    train: Path | None = None
    test: Path | None = None
    digest: str = ""
    """Digest of the rows of the split."""

    @property
    def values(self) -> dict[str, str]:
        """Values for the command, by the names in its braces."""
        values = {"seed": str(self.seed)}
        if self.split is not None:
            values |= {"fold": str(self.split), "train": str(self.train), "test": str(self.test)}
        return values


def without_table(n_seeds: int, seed: int) -> dict[int, ProgramFold]:
    """Make one fold per seed."""
    return {number: ProgramFold(seed + number) for number in range(n_seeds)}


def with_table(
    splits: Mapping[int, "Split"], files: Mapping[int, tuple[Path, Path]], n_seeds: int, seed: int
) -> dict[int, ProgramFold]:
    """Make folds of every split with every seed, by split; the hold-out has the first seed only."""
    by_fold: dict[int, ProgramFold] = {}
    for fold, split in splits.items():
        made = [ProgramFold(seed + s, fold, *files[fold], split.digest) for s in range(n_seeds)]
        if fold == HOLDOUT:
            by_fold[HOLDOUT] = made[0]
        else:
            by_fold |= {fold * n_seeds + s: item for s, item in enumerate(made)}
    return by_fold


def write_splits(
    splits: Mapping[int, "Split"], folder: Path, form: str, table: Callable[[], "pd.DataFrame"]
) -> dict[int, tuple[Path, Path]]:
    """Write the missing files of every split; return their places by split.

    Args:
        splits: row numbers of the table's file, by number.
        folder: named after all that the files depend on, so that existing files are right.
        form: ``rows`` for row numbers, ``csv`` or ``parquet`` for the rows themselves.
        table: reads the table.
    """
    suffix = "txt" if form == "rows" else form
    written = {}
    frame = None
    for fold, split in splits.items():
        name = "holdout" if fold == HOLDOUT else str(fold)
        paths = tuple(folder / f"{name}-{part}.{suffix}" for part in ("train", "test"))
        for path, rows in zip(paths, (split.train, split.test), strict=True):
            if path.is_file():
                continue
            if form == "rows":
                write_atomic(path, _lines(rows))
            else:
                frame = table() if frame is None else frame
                write_atomic(path, _content(frame.iloc[rows], form))
        written[fold] = (paths[0], paths[1])
    return written


def _lines(rows: Sequence[int] | np.ndarray) -> str:
    return "".join(f"{row}\n" for row in rows)


def _content(frame: "pd.DataFrame", form: str) -> str | bytes:
    if form == "csv":
        return str(frame.to_csv(index=False))
    content: bytes = frame.to_parquet(index=False)
    return content
