"""The sections of models that a search keeps, and of the predictions of its fold models."""

from typing import Annotated

from pydantic import Field

from tunesmith.config.section import Names, Section, Size

SIZE = 500_000_000
"""Usual number of bytes for models on the disk."""


class ModelsSection(Section):
    """Fold models that are kept in ``.tunesmith`` while a study runs, and afterwards."""

    keep: int = Field(default=20, ge=1, le=1000)
    """Number of best trials whose fold models are kept."""
    size: Size = SIZE
    """Most bytes that they take, such as ``500MB``; models of the worst trials go first."""


TABLE = r"\.(csv|parquet)$"
PredictionsFile = Annotated[str, Field(pattern=TABLE)]
"""A name that ends in .csv or .parquet."""


class PredictionsSection(Section):
    """The table of out-of-fold predictions: one row per trial, fold and test row."""

    path: PredictionsFile
    """CSV or Parquet by its name (Parquet needs ``pip install 'tunesmith[parquet]'``)."""
    trials: int = Field(default=1, ge=1, le=100)
    """Number of trials: the winner, and the next best ones."""
    columns: Names = ()
    """Columns of your data beside the predictions, such as ``sex``; the report compares the groups
    that they make."""
