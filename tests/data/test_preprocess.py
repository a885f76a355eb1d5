import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from tunesmith.data.preprocess import auto_preprocessor, columns_by_branch, days
from tunesmith.data.table import Rows, Table, kind_of


def table(**columns: object) -> Table:
    frame = pd.DataFrame(columns)
    rows = Rows(frame, np.arange(len(frame)) % 2)
    return Table(rows, {str(name): kind_of(frame[name]) for name in frame.columns})


def test_columns_go_by_their_kind() -> None:
    found = columns_by_branch(
        table(
            n=np.arange(30.0),
            c=["x", "y", None] * 10,
            many=[f"v{i}" for i in range(30)],
            b=[True, False] * 15,
            d=pd.date_range("2024-01-01", periods=30).strftime("%Y-%m-%d"),
        )
    )
    assert found == {
        "numbers": ["n"],
        "categories": ["c"],
        "many_categories": ["many"],
        "booleans": ["b"],
        "dates": ["d"],
    }


def test_everything_becomes_finite_numbers(mixed: pd.DataFrame) -> None:
    frame = mixed.drop(columns="y").assign(empty=np.nan)
    frame["maybe"] = [True, None, False] * 40
    whole = Table(
        Rows(frame, mixed["y"].to_numpy()), {name: kind_of(frame[name]) for name in frame.columns}
    )
    made = clone(auto_preprocessor(whole))
    values = made.fit_transform(frame)
    assert values.dtype == float
    assert np.isfinite(values).all()
    assert values.shape == (len(frame), 5 + 1 + 3 + 1 + 2 + 1)  # numbers, empty, cities, …
    assert "categories__city_Oslo" in made.get_feature_names_out().tolist()


def test_what_training_never_saw_is_no_error() -> None:
    train = table(
        c=["x", "y"] * 15, many=[f"v{i}" for i in range(29)] + [None], b=[True, False] * 15
    )
    made = auto_preprocessor(train).fit(train.rows.X)
    new = pd.DataFrame({"c": ["z", None], "many": ["new", None], "b": [True, False]})
    # x, y, rank, boolean: nothing known, unknown rank; the frequent one, a gap.
    assert made.transform(new)[0].tolist() == [0.0, 0.0, -1.0, 1.0]
    assert made.transform(new)[1].tolist() == [1.0, 0.0, -2.0, 0.0]


def test_numbers_are_scaled_by_training_rows_alone() -> None:
    train = table(a=[0.0, 2.0, np.nan])
    made = auto_preprocessor(train).fit(train.rows.X)
    assert made.transform(pd.DataFrame({"a": [1.0]})).tolist() == [[0.0]]


@pytest.mark.parametrize("as_text", [True, False])
def test_dates_are_days(*, as_text: bool) -> None:
    moments = pd.to_datetime(
        pd.Series(["1970-01-01", "1970-01-02 12:00:00", None]), format="ISO8601"
    )
    column = pd.Series(["1970-01-01", "1970-01-02 12:00:00", None]) if as_text else moments
    found = days(pd.DataFrame({"d": column}))["d"].tolist()
    assert found[:2] == [0.0, 1.5]
    assert np.isnan(found[2])
