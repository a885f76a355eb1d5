"""Columns of numbers with a few words among them: notes on their treatment and the remedy."""

from collections.abc import Iterable, Iterator

import pandas as pd

MAX_SHARE = 0.2
"""Largest share of words; with more, a column holds texts, some of which look like numbers."""
SHOWN = 3


def words_among_numbers(frame: pd.DataFrame, first_row: int = 1) -> Iterator[str]:
    """Write a sentence for every column of numbers that holds a few words.

    Args:
        frame: features, as they were read.
        first_row: the number of the first row of the frame; its index counts on from there.
    """
    for name in frame.columns:
        words = _words(frame[name])
        if words is None:
            continue
        n, n_words = int(frame[name].notna().sum()), len(words)
        shown = ", ".join(
            f"{value!r} in row {row + first_row}" for row, value in list(words.items())[:SHOWN]
        )
        more = ", …" if n_words > SHOWN else ""
        yield (
            f"the column `{name}` holds {n - n_words:,} numbers and {n_words:,} other"
            f" value{'s' if n_words > 1 else ''} ({shown}{more})"
        )


def taken_for_text(sentences: Iterable[str]) -> list[str]:
    """Describe the treatment of such columns, and the remedy."""
    return [
        f"{sentence}, so that it is taken for text: each number in it is a category of its own."
        " Leave these cells empty to learn from the numbers."
        for sentence in sentences
    ]


def _words(column: pd.Series) -> pd.Series | None:
    """Values that are no numbers, if nearly all others are; else ``None``."""
    if pd.api.types.is_numeric_dtype(column.dtype) or isinstance(
        column.dtype, pd.CategoricalDtype | pd.DatetimeTZDtype
    ):
        return None
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return None
    present = column.dropna()
    # Each different value is looked at once: of half a million texts, few are different.
    places, distinct = pd.factorize(present)
    numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
    words = present[numbers.isna().to_numpy()[places]]
    is_few = 0 < len(words) <= max(1, MAX_SHARE * len(present)) and len(words) < len(present) - 1
    return words if is_few else None
