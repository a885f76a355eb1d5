from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tunesmith.data.folds import Split
from tunesmith.history import HOLDOUT
from tunesmith.objective.program.folds import with_table, without_table, write_splits

FRAME = pd.DataFrame({"x": [0.1, 0.2, 0.3, 0.4], "name": ["a", "b", "c,d", 'e"f']})


def splits() -> dict[int, Split]:
    pairs = [((0, 1), (2,)), ((2, 1), (0,))]
    made = {n: Split(np.array(train), np.array(test)) for n, (train, test) in enumerate(pairs)}
    return {**made, HOLDOUT: Split(np.array([0, 1, 2]), np.array([3]))}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows_come_as_they_are_and_in_order(tmp_path: Path, form: str) -> None:
    files = write_splits(splits(), tmp_path, form, lambda: FRAME)
    read = pd.read_csv if form == "csv" else pd.read_parquet
    for number, split in splits().items():
        train, test = (read(path) for path in files[number])
        pd.testing.assert_frame_equal(train, FRAME.iloc[split.train].reset_index(drop=True))
        pd.testing.assert_frame_equal(test, FRAME.iloc[split.test].reset_index(drop=True))
    assert files[HOLDOUT][1].name == f"holdout-test.{form}"


def test_row_numbers_need_no_table_and_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    def never() -> pd.DataFrame:
        raise AssertionError

    files = write_splits(splits(), tmp_path, "rows", never)
    assert files[1][0].read_text() == "2\n1\n"
    times = {path: path.stat().st_mtime_ns for pair in files.values() for path in pair}
    write_splits(splits(), tmp_path, "rows", never)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_every_split_gets_every_seed_and_the_holdout_the_first() -> None:
    files = {n: (Path(f"{n}-train"), Path(f"{n}-test")) for n in splits()}
    found = with_table(splits(), files, 3, 10)
    assert sorted(found) == [HOLDOUT, 0, 1, 2, 3, 4, 5]
    assert [(found[n].split, found[n].seed) for n in range(6)] == [
        *((0, 10), (0, 11), (0, 12)),
        *((1, 10), (1, 11), (1, 12)),
    ]
    assert found[HOLDOUT].seed == 10
    assert found[4].values == {"seed": "11", "fold": "1", "train": "1-train", "test": "1-test"}
    assert {n: fold.seed for n, fold in without_table(2, 5).items()} == {0: 5, 1: 6}
