from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tunesmith.errors import DataError, UsageError
from tunesmith.models import prediction_files
from tunesmith.models.prediction_files import (
    is_prediction_file,
    read_predictions,
    write_predictions,
)
from tunesmith.models.predictions import per_row

FIRST = pd.DataFrame(
    {
        "trial": 0,
        "row": [0, 2],
        "fold": 0,
        "target": ["NA", 'b, "c"'],
        "prediction": ["NA", "NA"],
        "probability_NA": [1 / 3, 0.1 + 0.2],
        "evaluation": "00000000000000e1",
    }
)
SECOND = pd.DataFrame(
    {
        "trial": 3,
        "row": [1, 2],
        "fold": 1,
        "target": ["NA", 'b, "c"'],
        "prediction": ["NA", "NA"],
        "decision": [np.pi, -1.0],
        "evaluation": "00000000000000e1",
    }
)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / "new" / f"oof.{suffix}"
    assert write_predictions([FIRST, SECOND], file)
    table = read_predictions(file)
    expected = pd.concat([FIRST, SECOND], ignore_index=True)[table.columns]
    pd.testing.assert_frame_equal(table, expected, check_exact=True, check_dtype=False)
    # Classes and digests are texts, whatever they look like.
    assert table["prediction"].tolist() == ["NA"] * 4
    assert set(table["evaluation"]) == {"00000000000000e1"}
    assert list(table.columns)[-1] == "evaluation"
    assert is_prediction_file(file)
    before = file.stat().st_mtime_ns
    assert not write_predictions([FIRST, SECOND], file)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_are_averaged_per_row(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"oof.{suffix}"
    parts = [
        pd.DataFrame(
            {"trial": 0, "row": [3, 1], "fold": fold, "prediction": [1.0 + fold, 5.0]}
        ).assign(evaluation="ab")
        for fold in (0, 1)
    ]
    write_predictions(parts, file)
    averaged = per_row(file)
    assert averaged["row"].tolist() == [1, 3]
    assert averaged["prediction"].tolist() == [5.0, 1.5]
    assert per_row(str(file)).equals(averaged)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_of_others_are_told_apart(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"mine.{suffix}"
    frame = FIRST.drop(columns="evaluation")
    frame.to_csv(file, index=False) if suffix == "csv" else frame.to_parquet(file)
    assert not is_prediction_file(file)
    file.write_bytes(b"PAR1")
    assert not is_prediction_file(file)


def test_words_and_numbers_side_by_side_are_words(tmp_path: Path) -> None:
    file = tmp_path / "oof.parquet"
    mixed = FIRST.assign(target=pd.Series([1, "b"], dtype=object))
    write_predictions([mixed], file)
    assert read_predictions(file, ["target"])["target"].tolist() == ["1", "b"]


def test_rows_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_files, "MAX_ROWS", 3)
    with pytest.raises(UsageError, match="more than 3 rows"):
        write_predictions([FIRST, SECOND], tmp_path / "oof.csv")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="no trial"):
        write_predictions([], tmp_path / "oof.csv")


@pytest.mark.parametrize("name", ["oof.csv", "oof.parquet"])
def test_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        read_predictions(file)
    file.write_bytes(b"")
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        read_predictions(file)
