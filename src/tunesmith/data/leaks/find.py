"""All signs of a leak in a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tunesmith.data.folds import Split
from tunesmith.data.identities import is_identity
from tunesmith.data.leaks.alone import telling_features
from tunesmith.data.leaks.rows import torn_groups, twins
from tunesmith.data.leaks.sign import Sign
from tunesmith.data.table import Table

MAX_TELLING = 5
"""Features that are named."""


def signs_of_leaks(
    table: Table, splits: Sequence[Split], *, is_classification: bool | None = None
) -> tuple[Sign, ...]:
    """Return signs of a leak; they are hints, not proofs.

    Samples bound the time: about a second for a table of any size.

    Args:
        table: of the study.
        splits: into folds; without any, only features are looked at.
        is_classification: true if the target's values are classes; by default, few whole values or
            words are.
    """
    rows = table.rows
    y = np.asarray(rows.y)
    if y.ndim != 1:
        return ()
    is_classes = _has_classes(y) if is_classification is None else is_classification
    signs = telling_features(rows.X, y, is_classification=is_classes)[:MAX_TELLING]
    if splits:
        signs += filter(None, [twins(rows.X, y, splits)])
    if splits and rows.groups is None:
        # Columns that are dropped as well: who drops an identity may forget that it makes groups.
        every = [rows.X, *([] if rows.left_out is None else [rows.left_out])]
        # Nothing but identities is copied, since tables are large.
        columns = pd.concat([part[_identities(part)] for part in every], axis=1)
        signs += torn_groups(columns, y, splits, is_classification=is_classes)
    return tuple(signs)


def _identities(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if is_identity(str(name))]


def _has_classes(y: np.ndarray) -> bool:
    from sklearn.utils.multiclass import type_of_target

    return y.dtype == object or type_of_target(y) in ("binary", "multiclass")
