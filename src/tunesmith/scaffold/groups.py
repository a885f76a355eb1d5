"""Columns that look like groups: rows that belong together although they are rows of their own."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

WORDS = re.compile(
    r"(?:^|[_\s.-])(?:id|ids|uid|uuid|key|group|groups|patient|subject|person|user|customer|client"
    r"|member|household|family|session|visit|device|machine|sensor|station|site|store|shop|school"
    r"|hospital|batch|lot|cluster|plot|run|trip|account|player|speaker|author)"
    r"(?:[_\s.-]?(?:id|no|nr|num|number|key|code))?$",
    re.IGNORECASE,
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MIN_ROWS = 20


@dataclass(frozen=True)
class Identifiers:
    """Columns that identify the subject of a row."""

    groups: tuple[str, ...] = ()
    """Values repeat: rows with the same value may leak from training into testing."""
    keys: tuple[str, ...] = ()
    """Every row has another value: nothing can be learned from it."""


def identifiers(frame: "pd.DataFrame", target: str) -> Identifiers:
    """Find columns whose name says that they identify something.

    Args:
        frame: the table.
        target: the column to predict, which is none of them.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"patientId": [1, 1, 2, 2, 3] * 8, "age": range(40), "y": [0, 1] * 20})
    >>> identifiers(frame, "y").groups
    ('patientId',)
    """
    groups, keys = [], []
    for name in map(str, frame.columns):
        if name == target or not WORDS.search(CAMEL.sub("_", name)) or len(frame) < MIN_ROWS:
            continue
        column = frame[name].dropna()
        # Whole numbers with gaps are floats to pandas; fractions identify nothing.
        if column.dtype.kind == "f" and not (column == column.round()).all():
            continue
        n_values = column.nunique()
        if n_values == len(frame):
            keys.append(name)
        # Two values make a flag, and a value for nearly every row holds no rows together.
        elif 2 < n_values <= len(frame) * 0.9 and n_values < len(column):
            groups.append(name)
    return Identifiers(tuple(groups), tuple(keys))
