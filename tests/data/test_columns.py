"""Columns of every type that a file can hold, beside their plain equivalents.

Each type is written by Arrow, pandas or polars, read from the file, and preprocessed in folds, as
is a column of plain numbers, text or dates with the same values: the matrices must be equal.
"""

import datetime as dt
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from tunesmith.config.objective import DataSection
from tunesmith.data.columns import (
    extreme_values,
    meant_column,
    obstacle,
    odd_values,
    plain_column,
)
from tunesmith.data.preprocess import auto_preprocessor
from tunesmith.data.table import load_table
from tunesmith.errors import DataError

N, N_TRAIN = 48, 32
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
Values = list[Any]
Type = tuple[Callable[[int], Any], Callable[[int], Any], Any]


def date(k: int) -> dt.date:
    return dt.date(2024, 1, 1) + 30 * k * DAY


def moment(k: int) -> dt.datetime:
    return dt.datetime(2024, 1, 1) + 30 * k * HOUR


def same(k: int) -> int:
    return k


def text(k: int) -> str:
    return f"c{k}"


def seconds(k: int) -> float:
    return 3600.0 * k


def is_odd(k: int) -> bool:
    return bool(k % 2)


ARROW: dict[str, Type] = {
    **{f"int{n}": (same, same, getattr(pa, f"int{n}")()) for n in (8, 16, 32, 64)},
    **{f"uint{n}": (same, same, getattr(pa, f"uint{n}")()) for n in (8, 16, 32, 64)},
    "half": (np.float16, np.float32, pa.float16()),
    "float": (float, np.float32, pa.float32()),
    "double": (float, float, pa.float64()),
    "decimal": (lambda k: Decimal(k) / 4, lambda k: k / 4, pa.decimal128(12, 2)),
    "decimal256": (Decimal, float, pa.decimal256(50, 0)),
    "bool": (is_odd, is_odd, pa.bool_()),
    "string": (text, text, pa.string()),
    "large_string": (text, text, pa.large_string()),
    "string_view": (text, text, pa.string_view()),
    "binary": (lambda k: text(k).encode(), text, pa.binary()),
    "large_binary": (lambda k: text(k).encode(), text, pa.large_binary()),
    "dictionary": (text, text, pa.dictionary(pa.int8(), pa.string())),
    "date32": (date, date, pa.date32()),
    "date64": (date, date, pa.date64()),
    "timestamp[s]": (moment, moment, pa.timestamp("s")),
    "timestamp[ns]": (moment, moment, pa.timestamp("ns")),
    "timestamp with zone": (moment, moment, pa.timestamp("us", "Asia/Tokyo")),
    "time32": (dt.time, seconds, pa.time32("s")),
    "time64": (dt.time, seconds, pa.time64("us")),
    "duration": (lambda k: k * HOUR, seconds, pa.duration("ms")),
}
PANDAS: dict[str, Type] = {
    **{name: (same, same, name) for name in ("Int8", "UInt16", "Int64", "int32[pyarrow]")},
    "Float32": (float, np.float32, "Float32"),
    "Float64": (float, float, "Float64"),
    "double[pyarrow]": (float, float, "double[pyarrow]"),
    "boolean": (is_odd, is_odd, "boolean"),
    "bool[pyarrow]": (is_odd, is_odd, "bool[pyarrow]"),
    "string": (text, text, "string"),
    "object": (text, text, object),
    "string[pyarrow]": (text, text, pd.ArrowDtype(pa.string())),
    "category": (text, text, "category"),
    "datetime64[ms]": (moment, moment, "datetime64[ms]"),
    "datetime64[ns, UTC]": (lambda k: pd.Timestamp(moment(k), tz="UTC"), moment, None),
    "period": (lambda k: pd.Period(date(k), "D"), date, None),
    "timedelta64": (lambda k: k * HOUR, seconds, "timedelta64[us]"),
    "date32[pyarrow]": (date, date, pd.ArrowDtype(pa.date32())),
    "timestamp[pyarrow]": (moment, moment, pd.ArrowDtype(pa.timestamp("us"))),
    "duration[pyarrow]": (lambda k: k * HOUR, seconds, pd.ArrowDtype(pa.duration("s"))),
    "decimal[pyarrow]": (Decimal, float, pd.ArrowDtype(pa.decimal128(9, 1))),
}


def varied(rng: np.random.Generator) -> Values:
    return [int(k) for k in rng.integers(0, 7, N)]


def with_gaps(rng: np.random.Generator) -> Values:
    return [None if rng.random() < 0.3 else k for k in varied(rng)]


def constant(rng: np.random.Generator) -> Values:
    return [3] * N


def constant_with_gaps(rng: np.random.Generator) -> Values:
    return [None if rng.random() < 0.3 else 3 for _ in range(N)]


def all_missing(rng: np.random.Generator) -> Values:
    return [None] * N


def missing_in_training(rng: np.random.Generator) -> Values:
    return [None] * N_TRAIN + varied(rng)[N_TRAIN:]


def new_in_test(rng: np.random.Generator) -> Values:
    return [k % 3 if row < N_TRAIN else k + 3 for row, k in enumerate(varied(rng))]


def many(rng: np.random.Generator) -> Values:
    return [k % 23 for k in range(N)]


PATTERNS = (
    varied,
    with_gaps,
    constant,
    constant_with_gaps,
    all_missing,
    missing_in_training,
    new_in_test,
    many,
)


def mapped(values: Values, convert: Callable[[int], Any]) -> Values:
    return [None if value is None else convert(value) for value in values]


def plain_frame(columns: dict[str, tuple[Values, Callable[[int], Any]]]) -> pd.DataFrame:
    """The same values as NumPy's numbers, objects or dates."""
    made = {}
    for name, (values, convert) in columns.items():
        items = mapped(values, convert)
        present = [item for item in items if item is not None]
        column: Any = pd.Series(items, dtype=object)
        if not present:
            column = pd.Series(np.nan, range(N))
        elif isinstance(present[0], dt.date):
            column = pd.Series(pd.to_datetime(column))
        elif isinstance(present[0], int | float | np.number) and not isinstance(present[0], bool):
            is_small = isinstance(present[0], np.float32)
            column = column.astype(np.float32 if is_small else float)
        made[name] = column.where(column.notna(), np.nan) if column.dtype == object else column
    return pd.DataFrame(made)


def loaded(folder: Path, name: str) -> Any:
    section = DataSection(path=(name,), target="y")
    return load_table(section, folder, is_auto=True)


def matrices(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Preprocessed training and test rows of a file, column by column."""
    table = loaded(folder, name)
    transformer = auto_preprocessor(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train = transformer.fit_transform(table.rows.X[:N_TRAIN])
        return train, transformer.transform(table.rows.X[N_TRAIN:])


def assert_equal(folder: Path, name: str, plain: pd.DataFrame) -> None:
    plain.assign(y=range(N)).to_parquet(folder / "plain.parquet")
    expected = matrices(folder, "plain.parquet")
    for found, wanted in zip(matrices(folder, name), expected, strict=True):
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, wanted)


def frames(
    types: dict[str, Type], seed: int
) -> dict[str, tuple[Values, Callable[[int], Any], Callable[[int], Any], Any]]:
    """A column of each type with each pattern."""
    rng = np.random.default_rng(seed)
    return {
        f"{name} {pattern.__name__}": (pattern(rng), *types[name])
        for name, pattern in product(types, PATTERNS)
    }


def equivalent(made: Any) -> pd.DataFrame:
    return plain_frame({name: (values, plain) for name, (values, _, plain, _) in made.items()})


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_every_type_of_arrow_is_like_a_plain_column(tmp_path: Path, form: str) -> None:
    made = frames(ARROW, seed=1)
    arrays = {
        name: pa.array(mapped(values, convert), kind)
        for name, (values, convert, _, kind) in made.items()
    }
    table = pa.table({**arrays, "y": pa.array(range(N))})
    if form == "parquet":
        parquet.write_table(table, tmp_path / "t.parquet")
    else:
        feather.write_feather(table, tmp_path / "t.feather")
    assert_equal(tmp_path, f"t.{form}", equivalent(made))


def test_every_type_of_pandas_is_like_a_plain_column(tmp_path: Path) -> None:
    made = frames(PANDAS, seed=2)
    # A period needs its frequency, which a column without values does not tell.
    made.pop("period all_missing")
    columns = {
        name: pd.Series(mapped(values, convert), dtype=kind)
        for name, (values, convert, _, kind) in made.items()
    }
    pd.DataFrame({**columns, "y": range(N)}).to_parquet(tmp_path / "t.parquet")
    assert_equal(tmp_path, "t.parquet", equivalent(made))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_every_type_of_polars_is_like_a_plain_column(tmp_path: Path, form: str) -> None:
    pl = pytest.importorskip("polars")
    types: dict[str, Type] = {
        **{name: (same, same, getattr(pl, name)) for name in ("Int8", "UInt32", "Int64")},
        "Float32": (float, np.float32, pl.Float32),
        "Float64": (float, float, pl.Float64),
        "Decimal": (Decimal, float, pl.Decimal(12, 2)),
        "Boolean": (is_odd, is_odd, pl.Boolean),
        "String": (text, text, pl.String),
        "Binary": (lambda k: text(k).encode(), text, pl.Binary),
        "Categorical": (text, text, pl.Categorical),
        "Enum": (text, text, pl.Enum([text(k) for k in range(23)])),
        "Date": (date, date, pl.Date),
        "Datetime": (moment, moment, pl.Datetime("us")),
        "Duration": (lambda k: k * HOUR, seconds, pl.Duration("ms")),
        "Time": (dt.time, seconds, pl.Time),
    }
    made = frames(types, seed=3)
    columns = [
        pl.Series(name, mapped(values, convert), dtype=kind)
        for name, (values, convert, _, kind) in made.items()
    ]
    frame = pl.DataFrame([*columns, pl.Series("y", range(N))])
    write = frame.write_parquet if form == "parquet" else frame.write_ipc
    write(tmp_path / f"t.{form}")
    assert_equal(tmp_path, f"t.{form}", equivalent(made))


# -- what cannot be used -------------------------------------------------------------------------


def refused(folder: Path, column: Sequence[Any], kind: Any = None) -> str:
    table = pa.table({"x": pa.array(column, kind), "y": pa.array(range(len(column)))})
    parquet.write_table(table, folder / "t.parquet")
    with pytest.raises(DataError) as caught:
        loaded(folder, "t.parquet")
    return str(caught.value)


def test_what_nothing_can_be_learned_from_is_named(tmp_path: Path) -> None:
    lists = refused(tmp_path, [[1], [2, 3], None])
    assert lists == (
        "data: the column `x` holds lists or records (array([1])), of which no estimator can"
        " learn. Clean it, or drop it."
    )
    assert "lists or records ({'a': 1})" in refused(tmp_path, [{"a": 1}, {"a": 2}])
    infinite = refused(tmp_path, [1.0, np.inf, 2.0, -np.inf])
    assert "`x` is infinite in rows 2, 4. Clean it" in infinite
    day = refused(tmp_path, ["2024-01-31", "2024-13-01"])
    assert "`x` holds `2024-13-01`, which is no date, in row 2." in day


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1, "a", None], "mixes text with other values (1, 'a')"),
        ([True, 2.5], "mixes values of several types (True, 2.5)"),
        ([dt.time(1), DAY], "mixes values of several types"),
        ([1j, 2j], "holds complex numbers"),
        ([(1,), (2,)], "holds lists or records"),
        ([Decimal(1), 2, 2.5, np.int8(3), np.nan], ""),
        ([None, None], ""),
    ],
)
def test_obstacles(values: list[Any], reason: str) -> None:
    assert obstacle(pd.Series(values, dtype=object)).startswith(reason)
    assert bool(obstacle(pd.Series(values, dtype=object))) == bool(reason)


def test_complex_numbers_are_an_obstacle() -> None:
    assert obstacle(pd.Series([1j, 2.0])) == "holds complex numbers"


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2]),
        pd.Series([0.5, np.nan]),
        pd.Series(["a", None]),
        pd.Series([True, False]),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series(pd.to_datetime(["2024-01-01"])),
    ],
)
def test_plain_columns_stay_the_very_same(column: pd.Series) -> None:
    # A new type would change the digest of tables that studies have been run on.
    assert plain_column(column) is column
    assert meant_column(column) is column or column.dtype == object
    assert odd_values(column) == ""


def test_sparse_columns_are_made_dense() -> None:
    column = pd.Series(pd.arrays.SparseArray([0.0, 1.0, 0.0]))
    assert plain_column(column).tolist() == [0.0, 1.0, 0.0]
    assert plain_column(column).dtype == float


def test_categories_that_are_no_text_are_text() -> None:
    column = pd.Series(pd.cut([1, 5, 9], 3))
    made = meant_column(plain_column(column))
    assert all(isinstance(value, str) for value in made.cat.categories)


def test_dates_beyond_nanoseconds() -> None:
    far = pd.Series([dt.date(9999, 12, 31), None], dtype=object)
    made = meant_column(far)
    assert made.iloc[0].year == 9999
    assert made.isna().tolist() == [False, True]


@pytest.mark.parametrize("target", [[Decimal("1.5"), Decimal(2)], pd.array([1, 2], dtype="Int8")])
def test_targets_are_plain(tmp_path: Path, target: Any) -> None:
    pd.DataFrame({"x": [1, 2], "y": target}).to_parquet(tmp_path / "t.parquet")
    rows = load_table(DataSection(path=("t.parquet",), target="y"), tmp_path).rows
    assert rows.y.dtype.kind in "if"
    assert rows.y.tolist() == [float(value) for value in target]


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 1e200, 1e155])
@pytest.mark.parametrize("column", ["a", "b"])
def test_numbers_whose_squares_are_infinite_are_named(value: float, column: str) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.5, np.nan, 1e100]})
    assert not any(odd_values(frame[name]) for name in frame)
    frame.loc[1, column] = value
    reasons = {name: odd_values(frame[name]) for name in frame}
    assert f"{value:g} in row 2" in reasons[column]
    assert not reasons["b" if column == "a" else "a"]


def test_infinite_numbers_are_told_before_huge_ones() -> None:
    values = pd.Series([1e200, np.inf, -np.inf])
    assert extreme_values(values, 1e100, "too large") == "is infinite in rows 2, 3"
    assert not extreme_values(pd.Series([1, 2, 3]), 3.0, "too large")
