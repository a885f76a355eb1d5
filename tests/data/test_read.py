"""Files of a table: formats, dialects, rows by a condition, and what a file must not be."""

from pathlib import Path

import pandas as pd
import pytest
from tests.data.test_table import GOOD, load, refused

from tunesmith.config.objective import DataSection
from tunesmith.data.table import load_table
from tunesmith.errors import DataError, UsageError


def test_features_are_all_other_columns(tmp_path: Path) -> None:
    table = load(
        tmp_path, "id,a,g,w,b,y\n1,1,p,1,x,0\n2,2,q,2,z,1\n", groups="g", weights="w", drop=["id"]
    )
    rows = table.rows
    assert list(rows.X.columns) == ["a", "b"]
    assert rows.y.tolist() == [0, 1]
    assert rows.groups is not None
    assert rows.groups.tolist() == ["p", "q"]
    assert rows.weights is not None
    assert rows.weights.tolist() == [1.0, 2.0]


def test_features_keep_the_order_of_their_list(tmp_path: Path) -> None:
    assert list(load(tmp_path, features=["b", "a"]).rows.X.columns) == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    [GOOD, "\ufeff" + GOOD, GOOD.replace(",", ";"), GOOD.replace("\n", "\r\n"), GOOD.rstrip("\n")],
)
def test_csv_dialects(tmp_path: Path, text: str) -> None:
    table = load(tmp_path, text, separator=";" if ";" in text else ",")
    assert table.rows.X["a"].tolist() == [1, 2, 3, 4]
    assert table.digest == load(tmp_path).digest


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_arrow_files(tmp_path: Path, suffix: str) -> None:
    from io import StringIO

    frame = pd.read_csv(StringIO(GOOD))
    getattr(frame, f"to_{suffix}")(tmp_path / f"t.{suffix}")
    table = load_table(DataSection(path=(f"t.{suffix}",), target="y"), tmp_path)
    assert table.digest == load(tmp_path).digest


def test_a_missing_pyarrow_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith.data import read

    def lacking(_path: Path) -> pd.DataFrame:
        raise ImportError("no pyarrow")

    monkeypatch.setitem(read.ARROW, ".parquet", lacking)
    (tmp_path / "t.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match=r"pip install 'tunesmith\[parquet\]'"):
        load_table(DataSection(path=("t.parquet",), target="y"), tmp_path)


def test_a_broken_arrow_file(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"data\.path: t\.parquet cannot be read"):
        load_table(DataSection(path=("t.parquet",), target="y"), tmp_path)


def test_several_files_are_appended(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("y,b,a\n1,q,9\n")
    table = load(tmp_path, path=["t.csv", "more.csv"])
    assert table.rows.X["a"].tolist() == [1, 2, 3, 4, 9]
    assert table.rows.y.tolist() == [0, 1, 0, 1, 1]


def test_files_with_other_columns(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("a,c,y\n1,q,9\n")
    text = refused(tmp_path, path=["t.csv", "more.csv"])
    assert text == (
        "data.path: more.csv has other columns than t.csv: it lacks b and has c besides"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "data.path: t.csv is empty"),
        ("a,b,y\n", "data: the table has no rows; a search needs at least two"),
        ("a,b,y\n1,2,3\n", "data: the table has one row; a search needs at least two"),
        ("a,b,y\n1,2,3\n1,2,3,4\n", "Expected 3 fields in line 3, saw 4"),
        ("a,b,y\n1,2,3,4\n1,2,3,4\n", "line 2 has more fields than the header, which names 3"),
        ("a,b,y\n1,2,0\n1,2\n1,2,1\n", "t.csv:3: 2 fields where the header has 3"),
        (b"a,b,y\n1,x,0\n2,\xe9,1\n", "t.csv:3: the byte 0xe9 is not UTF-8 text"),
        ("a,a,y\n1,2,0\n1,2,1\n", "t.csv names a column twice: `a`. Rename one of them."),
        ("a,b,y\n1,2,0\n1,2,0\n", "all 2 rows of `y` have the one value 0"),
        ("a,b,y\n1,2,0\n1,2,\n3,3,1\n", "data.target: `y` is empty in 1 of 3 rows (row 2)."),
    ],
)
def test_what_a_file_must_not_be(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert expected in refused(tmp_path, content)


def test_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(GOOD)
    text = refused(tmp_path, path="tabel.csv")
    assert text == "data.path: tabel.csv does not exist. Did you mean `table.csv`?"


def test_a_missing_folder(tmp_path: Path) -> None:
    assert "nor does its folder nowhere/" in refused(tmp_path, path="nowhere/t.csv")


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert refused(tmp_path, path="d").startswith("data.path: d is a folder")


def test_rows_are_kept_by_a_condition(tmp_path: Path) -> None:
    assert load(tmp_path, rows="a >= 2 and b == 'x'").rows.X["a"].tolist() == [3, 4]


def test_a_condition_that_keeps_nothing(tmp_path: Path) -> None:
    assert refused(tmp_path, rows="a > 9") == "data.rows: `a > 9` keeps none of the 4 rows"


def test_a_condition_that_cannot_be_computed(tmp_path: Path) -> None:
    text = refused(tmp_path, rows="b > 3")
    assert text.startswith("data.rows: `b > 3` cannot be computed")
    assert text.endswith("(row 1)")


def test_a_condition_that_is_code(tmp_path: Path) -> None:
    assert "not allowed" in refused(tmp_path, rows="__import__('os')")
