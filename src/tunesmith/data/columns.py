"""Columns of any type as plain ones: the same values in the types of NumPy, text and categories.

Files of pandas, polars and Arrow hold one value in many types. ``plain_column`` removes what only
tells how values are stored; ``meant_column`` also turns values that estimators cannot take, such as
durations and decimals, into numbers, for ``preprocess: auto``.
"""

import datetime
import decimal
import numbers
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

EXAMPLES = 2
SHOWN = 5
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?")


def plain_column(column: pd.Series) -> pd.Series:
    """Return a column with the same values in a type of NumPy's, as text, or as categories.

    Missing values become NaN or NaT. A column of objects stays one.
    """
    dtype = column.dtype
    if not isinstance(dtype, pd.api.extensions.ExtensionDtype):
        # Ranges of half precision are too small for sums.
        return column.astype(np.float32) if dtype == np.float16 else column
    if isinstance(dtype, pd.SparseDtype):
        return plain_column(column.sparse.to_dense())
    if isinstance(dtype, pd.CategoricalDtype | pd.DatetimeTZDtype) or _is_text(dtype):
        return column
    if isinstance(dtype, pd.PeriodDtype):
        return column.dt.to_timestamp()
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(column)
    if pd.api.types.is_bool_dtype(dtype):
        return _objects(column) if column.isna().any() else column.astype(bool)
    if pd.api.types.is_numeric_dtype(dtype):
        return pd.Series(_numbers(column), column.index, name=column.name)
    return _objects(column)


def _is_text(dtype: Any) -> bool:
    """True for the text type that pandas itself reads; others have a missing value of their own."""
    return isinstance(dtype, pd.StringDtype) and dtype.na_value is not pd.NA


def _from_arrow(column: pd.Series) -> pd.Series:
    kind = column.dtype.kind
    if kind == "M":
        timezone = getattr(column.dtype.pyarrow_dtype, "tz", None)
        return column.astype(f"datetime64[us, {timezone}]" if timezone else "datetime64[us]")
    if kind == "m":
        return column.astype("timedelta64[us]")
    if kind == "b":
        return _objects(column) if column.isna().any() else column.astype(bool)
    # Decimals count as numbers for pandas, but have no type of NumPy's.
    if kind in "iuf":
        return pd.Series(_numbers(column), column.index, name=column.name)
    return _objects(column)


def _numbers(column: pd.Series) -> np.ndarray:
    dtype = column.dtype.numpy_dtype
    if column.isna().any() and dtype.kind != "f":
        dtype = np.dtype(float)
    missing = {"na_value": np.nan} if dtype.kind == "f" else {}
    found: np.ndarray = column.to_numpy(dtype=dtype, **missing)
    return found.astype(np.float32) if dtype == np.float16 else found


def _objects(column: pd.Series) -> pd.Series:
    made = column.astype(object)
    return made.where(column.notna(), np.nan)


# -- what is meant -------------------------------------------------------------------------------


def meant_column(column: pd.Series) -> pd.Series:
    """Return a plain column as numbers, booleans, text, categories or dates.

    Durations and times of day become seconds, decimals become numbers, bytes become text, and a
    column without any value becomes numbers.
    """
    if not column.notna().any():
        return pd.Series(np.nan, column.index, float, name=column.name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = column.cat.categories
        is_usual = pd.api.types.is_numeric_dtype(values.dtype) and values.dtype != bool
        is_usual |= all(isinstance(value, str) for value in values)
        return column if is_usual else column.cat.rename_categories(str)
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return column.dt.total_seconds()
    if column.dtype != object:
        return column
    family = _family_of(column)
    make = MEANINGS.get(family)
    if make is None:
        return _objects(column)
    return make(_objects(column))


def obstacle(column: pd.Series) -> str:
    """Reason why nothing can be learned from a plain column; empty if there is none."""
    if pd.api.types.is_complex_dtype(column.dtype):
        return "holds complex numbers"
    if column.dtype != object:
        return ""
    families = {family(value) for value in _kinds(column).values()}
    if "nested" in families:
        return f"holds lists or records ({_shown(column)}), of which no estimator can learn"
    if "complex" in families:
        return "holds complex numbers"
    if len(families) > 1:
        other = "text with other values" if "text" in families else "values of several types"
        return f"mixes {other} ({_shown(column)})"
    return ""


def odd_values(column: pd.Series) -> str:
    """Reason why ``preprocess: auto`` cannot use some values of a meant column; empty if it can."""
    if column.dtype.kind == "f":
        # Scaling sums the squares of a column.
        most = np.sqrt(np.finfo(float).max / max(len(column), 1))
        return extreme_values(column, most, "their squares are beyond what a computer holds")
    if not _is_dates(column):
        return ""
    moments = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    at = np.flatnonzero((moments.isna() & column.notna()).to_numpy())
    if not len(at):
        return ""
    return f"holds `{column.iloc[at[0]]}`, which is no date, in {_rows(column, at[:1])}"


def extreme_values(column: pd.Series, most: float, why: str) -> str:
    """Name infinite or too large numbers of a column; empty if it has none.

    Args:
        column: of numbers.
        most: the largest size of a number.
        why: consequence of a larger one, for the sentence.
    """
    sizes = np.abs(column.to_numpy(dtype=float))
    if len(at := np.flatnonzero(np.isinf(sizes))):
        return f"is infinite in {_rows(column, at)}"
    at = np.flatnonzero(sizes > most)
    if not len(at):
        return ""
    return f"holds numbers such as {column.iloc[at[0]]:g} in {_rows(column, at)}: {why}"


def _is_dates(column: pd.Series) -> bool:
    """True for text of which each value looks like a date."""
    is_text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
    present = column[column.notna()] if is_text else ()
    return len(present) > 0 and all(map(ISO_DATE.fullmatch, map(str, present)))


def _rows(column: pd.Series, at: np.ndarray) -> str:
    shown = ", ".join(str(int(column.index[i]) + 1) for i in at[:SHOWN])
    return f"row{'s' if len(at) > 1 else ''} {shown}{', …' if len(at) > SHOWN else ''}"


def is_decimal(column: pd.Series) -> bool:
    """True for objects that are all numbers, such as decimals."""
    return {family(value) for value in _kinds(column).values()} == {"number"}


def family(value: Any) -> str:
    """Family of a value: values of one family can be ordered and compared.

    >>> family(True), family(1), family("a"), family([1])
    ('boolean', 'number', 'text', 'nested')
    """
    for name, types in FAMILIES:
        if isinstance(value, types):
            return name
    return "other"


FAMILIES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("boolean", (bool, np.bool_)),
    ("text", (str,)),
    ("bytes", (bytes, bytearray)),
    ("number", (numbers.Real, decimal.Decimal)),
    ("complex", (numbers.Complex,)),
    ("date", (datetime.date, np.datetime64)),
    ("time", (datetime.time,)),
    ("duration", (datetime.timedelta, np.timedelta64)),
    ("nested", (list, tuple, dict, set, frozenset, np.ndarray)),
)
"""Families in the order in which they are looked for: a boolean is a number, too."""


def _kinds(column: pd.Series) -> dict[type, Any]:
    """Map each type of the values that are there to the first one of it."""
    first: dict[type, Any] = {}
    for value in column[column.notna()].tolist():
        first.setdefault(type(value), value)
    return first


def _family_of(column: pd.Series) -> str:
    return next(iter({family(value) for value in _kinds(column).values()}))


def _shown(column: pd.Series) -> str:
    firsts: dict[str, Any] = {}
    for value in _kinds(column).values():
        firsts.setdefault(family(value), value)
    return ", ".join(repr(value)[:60] for value in list(firsts.values())[:EXAMPLES])


def _each(convert: Callable[[Any], Any], dtype: Any = float) -> Callable[[pd.Series], pd.Series]:
    def made(column: pd.Series) -> pd.Series:
        is_there = column.notna()
        values = [
            convert(v) if there else np.nan for v, there in zip(column, is_there, strict=True)
        ]
        return pd.Series(values, column.index, dtype, name=column.name)

    return made


def _dates(column: pd.Series) -> pd.Series:
    # Not in nanoseconds, in which the year 9999 of some tables has no place.
    moments = [_moment(v) for v in column]
    return pd.Series(np.array(moments, "datetime64[us]"), column.index, name=column.name)


def _moment(value: Any) -> Any:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64("NaT") if pd.isna(value) else np.datetime64(value, "us")


def _of_day(time: datetime.time) -> float:
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


MEANINGS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "number": _each(float),
    "time": _each(_of_day),
    "duration": _each(lambda value: pd.Timedelta(value).total_seconds()),
    "bytes": _each(lambda value: bytes(value).decode("utf-8", "backslashreplace"), object),
    "date": _dates,
    "other": _each(str, object),
}
"""Conversion of objects of a family; booleans and text stay as they are."""
