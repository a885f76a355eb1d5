"""Rows on both sides of a split: equal ones, and rows of one group."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tunesmith.data.folds import Split
from tunesmith.data.identities import is_identity
from tunesmith.data.leaks.sign import Sign

N_ROWS = 20_000
"""First rows that are compared; later ones are left out."""
N_COLUMNS = 100
"""Columns in which neighbours may differ."""
MANY = 0.1
"""Share of the test rows with a twin among the training rows that is worth a warning."""
BY_CHANCE = 0.5
"""Largest part of it that chance may explain."""
MIN_IDENTITIES = 10
ALIKE = 0.2
"""Part of the target's variance within a group's rows that chance would not take away."""


def twins(X: pd.DataFrame, y: np.ndarray, splits: Sequence[Split]) -> Sign | None:
    """Return the sign that many test rows also stand among the training rows, if they do.

    Rows of few values are often equal, so the number of twins is compared with that of independent
    columns. Of rounded values, even more rows are equal but for one column, and copies of a row
    have no such neighbours, so it is also compared with theirs.

    Args:
        X: features.
        y: target.
        splits: of the rows.
    """
    n = min(len(y), N_ROWS)
    cells = _cells(X.iloc[:n], y[:n])
    if cells is None:
        return None
    marks = cells.sum(axis=1, dtype=np.uint64)
    shares = [_share_known(split, marks) for split in splits[:3]]
    share = float(np.mean(shares)) if shares else 0.0
    by_chance = max(_expected_twins(cells), _share_of_neighbours(cells, marks))
    if share < MANY or by_chance > BY_CHANCE * share:
        return None
    return Sign("twins", share=share)


def _cells(X: pd.DataFrame, y: np.ndarray) -> np.ndarray | None:
    """``(n_rows, n_columns)`` digests of cells, the target among them.

    ``None`` if the first columns tell all rows apart, since no row then has a twin.
    """
    columns = [X.iloc[:, place] for place in range(X.shape[1])]
    digests, marks = [], np.zeros(len(X), dtype=np.uint64)
    for place, column in enumerate([*columns, pd.Series(y)]):
        values, distinct = pd.factorize(column, use_na_sentinel=False)
        # Of the place as well: the same value in two columns is not the same.
        rng = np.random.default_rng(place)
        digests.append(rng.integers(2**63, size=len(distinct), dtype=np.uint64)[values])
        marks += digests[-1]
        # One column of measurements is often enough.
        if len(np.unique(marks)) == len(marks):
            return None
    return np.column_stack(digests)


def _share_known(split: Split, marks: np.ndarray) -> float:
    train, test = (part[part < len(marks)] for part in (split.train, split.test))
    return float(np.isin(marks[test], marks[train]).mean()) if len(test) else 0.0


def _expected_twins(cells: np.ndarray) -> float:
    """Expected twins of a row if its columns had nothing to do with each other."""
    counts = [np.unique(column, return_counts=True)[1] for column in cells.T]
    logs = [np.log(((count / len(cells)) ** 2).sum()) for count in counts]
    return float(np.exp(np.sum(logs)) * (len(cells) - 1))


def _share_of_neighbours(cells: np.ndarray, marks: np.ndarray) -> float:
    """Share of the rows that are equal to another row but for one column."""
    has_neighbour = np.zeros(len(marks), dtype=bool)
    for column in range(min(cells.shape[1] - 1, N_COLUMNS)):
        rest = marks - cells[:, column]
        order = np.lexsort((marks, rest))
        is_next = rest[order][1:] == rest[order][:-1]
        is_other = marks[order][1:] != marks[order][:-1]
        is_pair = is_next & is_other
        has_neighbour[order[1:][is_pair]] = has_neighbour[order[:-1][is_pair]] = True
    return float(has_neighbour.mean())


def torn_groups(
    columns: pd.DataFrame, y: np.ndarray, splits: Sequence[Split], *, is_classification: bool
) -> list[Sign]:
    """Return a sign for each column whose groups are torn apart by the folds and matter.

    Args:
        columns: those that may tell whose row it is, features or not.
        y: target.
        splits: of the rows.
        is_classification: true if the target's values are classes.
    """
    signs = []
    for name, column in columns.items():
        if not is_identity(str(name)):
            continue
        marks, groups = pd.factorize(column)
        if not MIN_IDENTITIES <= len(groups) <= len(y) / 2:
            continue
        torn = _share_torn(splits, marks)
        if torn > 0.5 and likeness(marks, y, is_classification=is_classification) >= ALIKE:
            signs.append(Sign("groups", str(name), torn))
    return signs


def _share_torn(splits: Sequence[Split], marks: np.ndarray) -> float:
    shares = [np.isin(np.unique(marks[s.test]), marks[s.train]).mean() for s in splits[:3]]
    return float(np.mean(shares)) if shares else 0.0


def likeness(marks: np.ndarray, y: np.ndarray, *, is_classification: bool) -> float:
    """Return how alike the targets of a group's rows are: 0 as by chance, 1 if they are the same.

    Args:
        marks: number of the group of each row; -1 for none.
        y: target.
        is_classification: true if its values are classes.
    """
    from scipy.stats import rankdata

    is_known = marks >= 0
    if not is_known.any():
        return 0.0
    marks, known = marks[is_known], y[is_known]
    parts = pd.get_dummies(pd.Series(known)).to_numpy(dtype=float)
    values = parts if is_classification else rankdata(known.astype(float))[:, None]
    total = float(((values - values.mean(axis=0)) ** 2).sum())
    n, n_groups = len(marks), int(marks.max(initial=-1)) + 1
    if not total or n <= n_groups:
        return 0.0
    means = pd.DataFrame(values).groupby(marks).transform("mean").to_numpy()
    within = float(((values - means) ** 2).sum())
    # As an adjusted R²: groups of few rows are alike by chance.
    return 1 - (within / (n - n_groups)) / (total / (n - 1))
