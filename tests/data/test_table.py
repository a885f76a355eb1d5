"""Tables: kinds of columns, rows that are held out, and the digest of what counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tunesmith.config.objective import DataSection
from tunesmith.data.table import Rows, Table, kind_of, load_table
from tunesmith.errors import DataError

GOOD = "a,b,y\n1,x,0\n2,z,1\n3,x,0\n4,x,1\n"


def load(folder: Path, content: str | bytes = GOOD, **data: Any) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    (folder / "t.csv").write_bytes(raw)
    options = {key: data.pop(key) for key in ("fold_column", "in_time") if key in data}
    section = DataSection.model_validate({"path": "t.csv", "target": "y", **data})
    return load_table(section, folder, **options)


def refused(folder: Path, content: str | bytes = GOOD, **data: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, content, **data)
    return str(caught.value)


def test_every_unknown_column_at_once(tmp_path: Path) -> None:
    text = refused(
        tmp_path,
        "age,city,label\n1,x,0\n",
        target="lable",
        groups="g",
        drop=["cty"],
        rows="agee > 1",
    )
    assert text.splitlines() == [
        "data.target: there is no column `lable`. Did you mean `label`? Columns: age, city, label.",
        "data.groups: there is no column `g`. Columns: age, city, label.",
        "data.drop: there is no column `cty`. Did you mean `city`? Columns: age, city, label.",
        "data.rows: there is no column `agee`. Did you mean `age`? Columns: age, city, label.",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"features": ["y"]}, "data.features: `y` is data.target already"),
        ({"drop": ["y"]}, "data.drop: `y` is data.target already"),
        ({"features": ["a"], "drop": ["a"]}, "`a` is listed under `data.features` as well"),
        ({"groups": "y"}, "`y` cannot have two roles at a time"),
        ({"drop": ["a", "b"]}, "no column is left to learn from"),
    ],
)
def test_clashes(tmp_path: Path, data: dict[str, Any], expected: str) -> None:
    assert expected in refused(tmp_path, **data)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("1,2,", "data.weights: `w` is empty in 1 of 3 rows (row 3)"),
        ("1,-2,3", "data.weights: `w` is negative or infinite in 1 rows (row 2)"),
        ("1,inf,3", "data.weights: `w` is negative or infinite in 1 rows (row 2)"),
        ("0,0,0", "data.weights: all values of `w` are zero"),
        ("u,v,w", "data.weights: `w` is not numeric"),
    ],
)
def test_weights(tmp_path: Path, column: str, expected: str) -> None:
    lines = [f"{i},{w},{i}" for i, w in enumerate(column.split(","))]
    assert expected in refused(tmp_path, "\n".join(["a,w,y", *lines]), weights="w")


def test_empty_groups_and_targets_are_told_together(tmp_path: Path) -> None:
    text = refused(tmp_path, "a,g,y\n1,,0\n2,p,\n3,q,1\n", groups="g")
    assert len(text.splitlines()) == 2


def test_only_the_first_rows_are_listed(tmp_path: Path) -> None:
    lines = "\n".join(f"{i}," for i in range(9))
    text = refused(tmp_path, f"a,y\n{lines}\n8,1\n")
    assert "empty in 9 of 10 rows (rows 1, 2, 3, 4, 5, …)" in text


# -- row filter ----------------------------------------------------------------------------------


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    assert "(row 4)" in refused(tmp_path, "a,y\n1,0\n2,1\n3,1\n4,\n", rows="a > 1")


# -- columns -------------------------------------------------------------------------------------


def test_an_index_column_is_left_out_with_a_note(tmp_path: Path) -> None:
    table = load(tmp_path, ",a,y\n0,5,0\n1,6,1\n")
    assert list(table.rows.X.columns) == ["a"]
    assert "counts the rows" in table.notes[0]


def test_an_index_column_that_is_asked_for_stays(tmp_path: Path) -> None:
    table = load(tmp_path, ",a,y\n0,5,0\n1,6,1\n", features=["Unnamed: 0"])
    assert list(table.rows.X.columns) == ["Unnamed: 0"]
    assert not table.notes


def test_a_nameless_column_that_counts_nothing_stays(tmp_path: Path) -> None:
    assert load(tmp_path, ",a,y\n7,5,0\n3,6,1\n").rows.X.shape == (2, 2)


def test_mixed_types(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,y\n1,0\n2,1\n")
    (tmp_path / "two.csv").write_text("a,y\nx,0\ny,1\n")
    text = refused(tmp_path, path=["one.csv", "two.csv"])
    assert "the column `a` mixes text with other values" in text


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "number"),
        ([1.5, None], "number"),
        ([None, None], "number"),
        ([True, False], "boolean"),
        ([True, None], "boolean"),
        (["x", None], "category"),
        (["2024-01-31", "2024-02-01 10:00:00", None], "date"),
        (["2024-01-31", "later"], "category"),
        ([pd.Timestamp("2024-01-31"), pd.NaT], "date"),
        (pd.Categorical([1, 2]), "category"),
        (pd.array([True, None], dtype="boolean"), "boolean"),
        (pd.array([1, None], dtype="Int64"), "number"),
    ],
)
def test_kinds(values: Any, kind: str) -> None:
    assert kind_of(pd.Series(values)) == kind


def test_numbers_may_be_declared_categories(tmp_path: Path) -> None:
    table = load(tmp_path, categorical="a")
    assert isinstance(table.rows.X["a"].dtype, pd.CategoricalDtype)
    assert table.kinds == {"a": "category", "b": "category"}


def test_nullable_numbers_become_numpys(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "a": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([1, 2, 3], dtype="Int32"),
            "y": pd.array([0, 1, 0], dtype="Int64"),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    rows = load_table(DataSection(path=("t.parquet",), target="y"), tmp_path).rows
    assert rows.X["a"].dtype == float
    assert np.isnan(rows.X["a"].iloc[1])
    assert rows.X["b"].dtype == np.int32
    assert rows.y.tolist() == [0, 1, 0]
    assert rows.y.dtype == np.int64


# -- hold-out ------------------------------------------------------------------------------------


@pytest.fixture
def long(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    lines = [f"{i},{rng.integers(12)},{int(i % 5 == 0)}" for i in range(100)]
    return "\n".join(["a,g,y", *lines])


def test_the_holdout_is_apart_and_in_order(tmp_path: Path, long: str) -> None:
    table = load(tmp_path, long, holdout={"fraction": 0.2})
    assert table.holdout is not None
    seen, unseen = table.rows.X["a"].tolist(), table.holdout.X["a"].tolist()
    assert len(unseen) == 20
    assert seen == sorted(seen)
    assert sorted(seen + unseen) == list(range(100))
    assert table.rows.X.index.tolist() == list(range(80))


def test_the_holdout_depends_on_its_seed_alone(tmp_path: Path, long: str) -> None:
    one = load(tmp_path, long, holdout={"fraction": 0.2})
    assert one.digest == load(tmp_path, long, holdout={"fraction": 0.2}).digest
    assert one.digest != load(tmp_path, long, holdout={"fraction": 0.2, "seed": 1}).digest


def test_a_stratified_holdout_keeps_shares(tmp_path: Path, long: str) -> None:
    table = load(tmp_path, long, holdout={"fraction": 0.2, "stratify": True})
    assert table.holdout is not None
    assert table.holdout.y.sum() == 4


@pytest.mark.parametrize("stratify", [False, True])
def test_a_holdout_keeps_groups_whole(tmp_path: Path, long: str, *, stratify: bool) -> None:
    table = load(tmp_path, long, groups="g", holdout={"fraction": 0.25, "stratify": stratify})
    assert table.holdout is not None
    assert table.holdout.groups is not None
    assert table.rows.groups is not None
    assert not set(table.rows.groups) & set(table.holdout.groups)


def test_a_holdout_in_time_is_the_end(tmp_path: Path, long: str) -> None:
    table = load(tmp_path, long, holdout={"fraction": 0.2}, in_time=True)
    assert table.holdout is not None
    assert table.holdout.X["a"].tolist() == list(range(80, 100))


def test_a_holdout_that_leaves_nothing(tmp_path: Path) -> None:
    assert "data.holdout" in refused(tmp_path, holdout={"fraction": 0.99})


# -- digest --------------------------------------------------------------------------------------


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    import os

    before = load(tmp_path).digest
    os.utime(tmp_path / "t.csv", (1, 1))
    assert load(tmp_path).digest == before
    for changed in ("2,z", "2,zz"), ("b,y", "c,y"), ("4,x,1", "4,x,0"), ("1,x", "1.5,x"):
        assert load(tmp_path, GOOD.replace(*changed)).digest != before


def test_unused_columns_do_not_count(tmp_path: Path) -> None:
    before = load(tmp_path, drop=["b"]).digest
    assert load(tmp_path, GOOD.replace("z", "w"), drop=["b"]).digest == before


def test_the_order_of_rows_counts() -> None:
    X, y = pd.DataFrame({"a": [1.0, 2.0]}), np.array([0, 1])
    assert Rows(X, y).digest != Rows(X[::-1].reset_index(drop=True), y[::-1]).digest


def test_groups_and_weights_count() -> None:
    X, y = pd.DataFrame({"a": [1.0, 2.0]}), np.array([0, 1])
    digests = {
        Rows(X, y).digest,
        Rows(X, y, groups=y).digest,
        Rows(X, y, weights=y.astype(float)).digest,
        Rows(X, y, folds=y).digest,
    }
    assert len(digests) == 4


def test_text_is_told_from_numbers_and_gaps() -> None:
    y = np.array([0, 1])
    frames = [["1", "2"], ["1", None], ["1", "None"], ["1", "nan"], [1, 2], ["2", "1"]]
    digests = {Rows(pd.DataFrame({"a": values}), y).digest for values in frames}
    assert len(digests) == len(frames)
