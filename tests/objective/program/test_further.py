"""Further splits as files for programs."""

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tunesmith.config.objective import CrossValidation
from tunesmith.data.further import FurtherSplits
from tunesmith.data.table import Rows
from tunesmith.history import FURTHER, further_folds
from tunesmith.objective.program.further import FurtherFolds

NUMBERS = np.arange(3, 33)
"""The rows that the search sees are not the first ones of the file."""


def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(40)})


def further(folder: Path, form: str, seed: int = 0) -> FurtherFolds:
    rows = Rows(pd.DataFrame({"a": NUMBERS}), NUMBERS % 2, numbers=NUMBERS)
    return FurtherFolds(
        splits=FurtherSplits(CrossValidation(folds=3, seed=seed), rows, is_classifier=False),
        numbers=NUMBERS,
        folder=folder,
        form=form,
        seed=7,
        table=partial(frame),
    )


def rows_in(path: Path) -> list[int]:
    lines = path.read_text().split()
    return [int(line) for line in lines if line.isdigit()]


@pytest.mark.parametrize("form", ["rows", "csv"])
def test_a_repeat_tests_every_row_once(tmp_path: Path, form: str) -> None:
    folds = further(tmp_path, form)
    made = [folds[fold] for fold in further_folds(1, 3)]
    tested = [row for fold in made if fold.test for row in rows_in(fold.test)]
    assert sorted(tested) == NUMBERS.tolist()
    for fold in made:
        assert fold.train is not None
        assert fold.test is not None
        assert not set(rows_in(fold.train)) & set(rows_in(fold.test))
    # The folds of the search are 0 to 2, those of the first repeat 3 to 5.
    assert [fold.values["fold"] for fold in made] == ["6", "7", "8"]
    assert {fold.values["seed"] for fold in made} == {"7"}


def test_any_process_finds_the_same_files(tmp_path: Path) -> None:
    folds = further(tmp_path, "rows")
    other: FurtherFolds = pickle.loads(pickle.dumps(folds))
    assert other[FURTHER] == folds[FURTHER]
    assert folds.digest(FURTHER) == folds[FURTHER].digest
    # Another seed makes other rows, and so other files.
    assert further(tmp_path, "rows", seed=1)[FURTHER].test != folds[FURTHER].test
