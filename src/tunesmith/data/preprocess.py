"""``preprocess: auto``: impute, scale and encode each column by its kind, inside every fold."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from tunesmith.data.table import Kind, Rows, Table

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

MAX_ONE_HOT = 20
"""Largest number of distinct values for one-hot encoding; with more, a category becomes a rank."""


def auto_preprocessor(table: Table) -> "ColumnTransformer":
    """Build a transformer that turns every feature into numbers without gaps.

    - number: median, then zero mean and unit variance;
    - category with few values: the most frequent one for gaps, then one column a value;
    - category with many values: its rank, -2 for gaps, -1 for what training never saw;
    - boolean: 0 or 1, the most frequent one for gaps;
    - date: days since 1970, then as a number.

    The kind of a column is decided once, from all rows that the search sees. Everything that is
    learned from values (medians, categories, …) is learned inside the fold.
    """
    from sklearn.compose import ColumnTransformer

    columns = columns_by_branch(table)
    branches = _branches()
    return ColumnTransformer(
        [(name, branches[name], names) for name, names in columns.items() if names],
        # Always dense: the type of a fold's rows must not depend on its share of zeros.
        sparse_threshold=0.0,
    )


def columns_by_branch(table: Table) -> dict[str, list[str]]:
    """Features of every branch of the transformer."""
    columns: dict[str, list[str]] = {
        "numbers": [],
        "categories": [],
        "many_categories": [],
        "booleans": [],
        "dates": [],
    }
    for name, kind in table.kinds.items():
        columns[_branch(table.rows, name, kind)].append(name)
    return columns


def _branch(rows: Rows, name: str, kind: Kind) -> str:
    if kind == "category":
        return "categories" if rows.X[name].nunique() <= MAX_ONE_HOT else "many_categories"
    return {"number": "numbers", "boolean": "booleans", "date": "dates"}[kind]


def _branches() -> dict[str, Any]:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import (
        FunctionTransformer,
        OneHotEncoder,
        OrdinalEncoder,
        StandardScaler,
    )

    def scaled() -> tuple[Any, Any]:
        return SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()

    def frequent() -> Any:
        return SimpleImputer(strategy="most_frequent", keep_empty_features=True)

    gaps_stay = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    return {
        "numbers": make_pipeline(*scaled()),
        "categories": make_pipeline(
            frequent(), OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False)
        ),
        "many_categories": OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
        ),
        "booleans": make_pipeline(gaps_stay, frequent()),
        "dates": make_pipeline(
            FunctionTransformer(days, feature_names_out="one-to-one"), *scaled()
        ),
    }


def days(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert dates to days since 1970, with fractions; NaN if there is none.

    >>> days(pd.DataFrame({"day": ["1970-01-02", None]}))["day"].tolist()
    [1.0, nan]
    """
    return frame.apply(_column_days)


def _column_days(column: pd.Series) -> pd.Series:
    moments = pd.to_datetime(column, format="ISO8601", utc=True)
    return (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
