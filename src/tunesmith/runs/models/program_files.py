"""Predictions that training programs write themselves, one file a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.errors import DataError, UsageError
from tunesmith.history import FoldResult
from tunesmith.models.prediction_files import PARQUET
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.types import Params

if TYPE_CHECKING:
    import pandas as pd

ANSWERS = ("target", "prediction", "probability", "decision")
"""First words of the columns that are taken over."""


@dataclass
class ProgramPredictions:
    """Files of predictions that the runs of a program left.

    Args:
        objective: of the study.
        columns: of the program's files, beside the predictions.
    """

    objective: ProgramObjective
    columns: Sequence[str] = ()
    n_fits: int = 0
    """Number of runs that it made itself: none, since the study repeats them."""

    def has(self, params: Params, fold: int) -> bool:
        """True if the run of a fold has left its file."""
        return self._file(params, fold) is not None

    def take_in(self, result: FoldResult) -> None:
        """Do nothing: the runner keeps the files of programs itself."""

    def parts(self, number: int, params: Params) -> "Iterator[pd.DataFrame]":
        """Yield the table of a trial fold by fold.

        Raises:
            UsageError: a file lacks a column, or rows could not be told apart.
            DataError: a file cannot be read.
        """
        for fold in range(self.objective.n_folds):
            file = self._file(params, fold)
            if file is None:
                raise UsageError(f"the run of fold {fold} of trial {number} left no file")
            yield self._part(read(file), file.name, number, fold)

    def _file(self, params: Params, fold: int) -> Path | None:
        return self.objective.runner.predictions_of(self.objective.key(params, fold))

    def _part(self, table: "pd.DataFrame", name: str, number: int, fold: int) -> "pd.DataFrame":
        lacking = [one for one in ("prediction", *self.columns) if one not in table.columns]
        if lacking:
            listed = ", ".join(map(str, table.columns))
            raise UsageError(f"{name} has no column `{lacking[0]}`; it has {listed}")
        answers = [one for one in table.columns if one.split("_")[0] in ANSWERS]
        chosen = table[[*self.columns, *(one for one in answers if one not in self.columns)]].copy()
        chosen.insert(0, "trial", number)
        chosen.insert(1, "row", self._rows(table, name, fold))
        chosen.insert(2, "fold", fold)
        return chosen

    def _rows(self, table: "pd.DataFrame", name: str, fold: int) -> np.ndarray:
        """Return the place of each row among those of the data, from 0."""
        if "row" in table.columns:
            return np.asarray(table["row"])
        test = self.objective.folds[fold].test
        # Without a table of ours each seed is tested on the program's own rows.
        if test is None:
            return np.arange(len(table))
        places = np.loadtxt(test, dtype=int, ndmin=1) if test.suffix == ".txt" else None
        if places is None or len(places) != len(table):
            raise UsageError(
                f"{name} has no column `row`, so that it is not known which rows its {len(table):,}"
                " lines are of: let the program write the row's number in the data, from 0"
            )
        return places


def read(file: Path) -> "pd.DataFrame":
    """Read a file of predictions that a program has written.

    Raises:
        DataError: it cannot be read.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(file) if file.suffix == PARQUET else pd.read_csv(file)
    except ImportError:
        raise UsageError(
            f"reading {file.name} needs pyarrow: pip install 'tunesmith[parquet]'"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file.name} cannot be read: {error}") from None
    table.columns = table.columns.map(str)
    return table
