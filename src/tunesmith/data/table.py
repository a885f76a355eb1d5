"""The table of a study: read, checked, and cut down to the columns and rows that it learns from."""

from collections.abc import Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tunesmith.config.objective import DataSection, HoldoutSection
from tunesmith.data.columns import (
    ISO_DATE,
    extreme_values,
    is_decimal,
    meant_column,
    obstacle,
    odd_values,
    plain_column,
)
from tunesmith.data.identities import is_identity
from tunesmith.data.mixed_columns import taken_for_text, words_among_numbers
from tunesmith.data.read import read_files
from tunesmith.data.table_facts import TableFacts
from tunesmith.errors import DataError
from tunesmith.space.expression import Expression, ExpressionError
from tunesmith.system.fingerprint import array_digest, digest

Kind = Literal["number", "boolean", "category", "date"]
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to learn from: features, target and what goes with them, in file order."""

    X: pd.DataFrame
    """``(n_rows, n_features)``, column types as pandas reads them."""
    y: np.ndarray
    """``(n_rows,)`` target."""
    _: KW_ONLY
    groups: np.ndarray | None = None
    """``(n_rows,)`` labels; equal ones stay in one fold."""
    weights: np.ndarray | None = None
    """``(n_rows,)`` sample weights."""
    folds: np.ndarray | None = None
    """``(n_rows,)`` fold numbers of a predefined split."""
    numbers: np.ndarray | None = None
    """``(n_rows,)`` places of the rows in the files, from 0."""
    left_out: pd.DataFrame | None = None
    """Columns that are not learnt from and say whose row it is; changes no score."""
    known_digest: str = ""
    """Digest of the content, if it is known already."""

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: np.ndarray) -> "Rows":
        """Some of the rows, in the order given."""
        every = {
            "groups": self.groups,
            "weights": self.weights,
            "folds": self.folds,
            "numbers": self.numbers,
        }
        beside: dict[str, Any] = {n: None if a is None else a[rows] for n, a in every.items()}
        if self.left_out is not None:
            beside["left_out"] = self.left_out.take(rows).reset_index(drop=True)
        return Rows(self.X.take(rows).reset_index(drop=True), self.y[rows], **beside)

    @cached_property
    def digest(self) -> str:
        """Digest of the content: column names, types, values and their order."""
        if self.known_digest:
            return self.known_digest
        columns = [[str(name), column_digest(self.X[name])] for name in self.X.columns]
        beside = [
            None if a is None else column_digest(pd.Series(a))
            for a in (self.y, self.groups, self.weights, self.folds)
        ]
        return digest([columns, beside])


@dataclass(frozen=True, eq=False)
class Table:
    """The rows that the search sees, and the held-out rows."""

    rows: Rows
    kinds: dict[str, Kind]
    """Feature -> kind of its values."""
    holdout: Rows | None = None
    notes: tuple[str, ...] = field(default=())
    """Sentences that a user should read; none of them is an error."""
    facts: TableFacts = field(default_factory=TableFacts)
    """Remembered facts about all of it."""

    @property
    def digest(self) -> str:
        """Digest of the rows that the search sees."""
        return self.rows.digest


def load_table(
    data: DataSection,
    root: Path,
    *,
    fold_column: str | None = None,
    in_time: bool = False,
    is_auto: bool = False,
) -> Table:
    """Read a study's table.

    Args:
        data: the configuration's section.
        root: the folder that paths are relative to.
        fold_column: a further column, of fold numbers; not a feature.
        in_time: the rows are in order of time, so that the last ones are held out.
        is_auto: the features are for ``preprocess: auto``.

    Raises:
        DataError: the table cannot be used; all reasons at once, unless one hides another.
    """
    asked = {"fold_column": fold_column, "in_time": in_time, "is_auto": is_auto}
    facts = TableFacts.of(root, data.path, {**asked, "data": data.model_dump(mode="json")})
    frame, notes = read_files(data.path, root, data.separator, keeps=True)
    # A file that was written to since the facts were looked up has none.
    facts.check()
    frame, dropped = without_row_numbers(frame, data)
    _check_columns(frame, data, fold_column)
    frame = _plain_types(frame, data, fold_column)
    # Filtered before values are checked: rows that are left out may have gaps.
    whole = _filtered(frame, data.rows)
    _check_values(whole, data, fold_column)
    features = _features(whole, data, fold_column, facts if is_auto else None)
    kinds: dict[str, Kind] = facts.get(
        "kinds", lambda: {name: kind_of(features[name]) for name in features.columns}
    )
    texts = [name for name, kind in kinds.items() if kind == "category"]
    mixed = facts.get("mixed", lambda: taken_for_text(words_among_numbers(features[texts])))
    rows = _rows_of(whole, features, data, fold_column)
    seen, unseen = split_off(rows, data.holdout, in_time=in_time)
    if facts.is_remembered:
        seen = replace(seen, known_digest=facts.get("digest", lambda: seen.digest))
    return Table(seen, kinds, unseen, (*notes, *dropped, *mixed), facts)


def _rows_of(
    whole: pd.DataFrame, features: pd.DataFrame, data: DataSection, fold_column: str | None
) -> Rows:
    return Rows(
        features.reset_index(drop=True),
        plain(_target(whole[data.target])),
        groups=plain(whole[data.groups]) if data.groups else None,
        weights=whole[data.weights].to_numpy(dtype=float) if data.weights else None,
        folds=whole[fold_column].to_numpy(dtype=int) if fold_column else None,
        numbers=whole.index.to_numpy(),
        left_out=_identities(whole, {*features.columns, data.target, data.groups, data.weights}),
    )


def _identities(frame: pd.DataFrame, used: Collection[str | None]) -> pd.DataFrame | None:
    names = [name for name in frame.columns if name not in used and is_identity(str(name))]
    return frame[names].reset_index(drop=True) if names else None


# -- columns -------------------------------------------------------------------------------------


def without_row_numbers(frame: pd.DataFrame, data: DataSection) -> tuple[pd.DataFrame, list[str]]:
    """Leave out a nameless first column that only counts the rows, unless it was named."""
    first = str(frame.columns[0])
    wanted = {data.target, data.groups, data.weights, *(data.features or ()), *data.drop}
    if not first.startswith("Unnamed: ") or first in wanted or not counts_rows(frame[first]):
        return frame, []
    note = (
        "the first column has no name and counts the rows: it is taken for an index and left out."
        f" To learn from it, list `{first}` under `features`."
    )
    return frame.drop(columns=first), [note]


def counts_rows(column: pd.Series) -> bool:
    """True if a column is 0, 1, 2, … or 1, 2, 3, …

    >>> counts_rows(pd.Series([1, 2, 3]))
    True
    """
    if not pd.api.types.is_integer_dtype(column.dtype) or column.empty:
        return False
    steps = column.to_numpy() - np.arange(len(column))
    return bool((steps == steps[0]).all() and steps[0] in (0, 1))


def _check_columns(frame: pd.DataFrame, data: DataSection, fold_column: str | None) -> None:
    known = [str(name) for name in frame.columns]
    named = [(key, name) for key, name in _roles(data, fold_column).items() if name]
    named += [(key, name) for key, names in _lists(data).items() for name in names]
    problems = [_unknown(key, name, known) for key, name in named if name not in known]
    condition = _parsed(data.rows)
    if condition is not None:
        problems += [_unknown("data.rows", n, known) for n in sorted(condition.names - set(known))]
    problems += _clashes(data, fold_column)
    if not problems and not feature_names(known, data, fold_column):
        problems.append("data: no column is left to learn from")
    _refuse(problems)


def _roles(data: DataSection, fold_column: str | None) -> dict[str, str | None]:
    """Map each key of the configuration to the one column that it names."""
    roles = {"target": data.target, "groups": data.groups, "weights": data.weights}
    return {f"data.{key}": name for key, name in roles.items()} | {"cv.column": fold_column}


def _lists(data: DataSection) -> dict[str, Sequence[str]]:
    lists = {"features": data.features or (), "drop": data.drop, "categorical": data.categorical}
    return {f"data.{key}": names for key, names in lists.items()}


def _unknown(key: str, name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"Did you mean `{near[0]}`? " if near else ""
    shown = ", ".join(known[:30]) + (", …" if len(known) > 30 else "")
    return f"{key}: there is no column `{name}`. {hint}Columns: {shown}."


def _clashes(data: DataSection, fold_column: str | None) -> list[str]:
    roles = _roles(data, fold_column)
    problems = [
        f"{key}: `{name}` is {role} already; it cannot be listed here as well."
        for key, names in _lists(data).items()
        for role, name in roles.items()
        if name in names
    ]
    problems += [
        f"{key}: `{name}` is listed {list(names).count(name)} times; once is enough."
        for key, names in _lists(data).items()
        for name in dict.fromkeys(names)
        if list(names).count(name) > 1
    ]
    both = sorted(set(data.features or ()) & set(data.drop))
    problems += [f"data.drop: `{name}` is listed under `data.features` as well." for name in both]
    used = [name for name in roles.values() if name]
    twice = sorted({name for name in used if used.count(name) > 1})
    return problems + [f"data: `{name}` cannot have two roles at a time." for name in twice]


def feature_names(known: Sequence[str], data: DataSection, fold_column: str | None) -> list[str]:
    """Columns to learn from, in the order of the list, or of the file."""
    if data.features is not None:
        return list(data.features)
    used = {data.target, data.groups, data.weights, fold_column, *data.drop}
    return [name for name in known if name not in used]


def _plain_types(frame: pd.DataFrame, data: DataSection, fold_column: str | None) -> pd.DataFrame:
    """Give columns the types of NumPy; refuse those that nothing can be learned from."""
    made = {name: plain_column(frame[name]) for name in frame.columns}
    changed = {name: column for name, column in made.items() if column is not frame[name]}
    frame = frame.assign(**changed) if changed else frame
    roles = [name for name in _roles(data, fold_column).values() if name]
    used = [*roles, *feature_names([str(name) for name in frame.columns], data, fold_column)]
    reasons = {name: obstacle(frame[name]) for name in used}
    _refuse([_unusable(name, reason) for name, reason in reasons.items() if reason])
    return frame


def _unusable(name: str, reason: str) -> str:
    return f"data: the column `{name}` {reason}. Clean it, or drop it."


def _target(column: pd.Series) -> pd.Series:
    """Decimals are numbers; any other target stays as it is."""
    return meant_column(column) if column.dtype == object and is_decimal(column) else column


def _features(
    frame: pd.DataFrame, data: DataSection, fold_column: str | None, facts: TableFacts | None
) -> pd.DataFrame:
    """Columns to learn from; with facts, as numbers, text or categories."""
    names = feature_names([str(name) for name in frame.columns], data, fold_column)
    chosen = frame[names].copy()
    for name in data.categorical:
        chosen[name] = chosen[name].astype("category")
    if facts is None:
        return chosen
    changed: dict[str, pd.Series] = {}

    def odd() -> list[str]:
        made = {name: meant_column(chosen[name]) for name in names}
        changed.update({n: column for n, column in made.items() if column is not chosen[n]})
        _refuse([_unusable(n, why) for n, column in made.items() if (why := odd_values(column))])
        return list(changed)

    # Most columns are as they are meant, and need no second look.
    for name in facts.get("odd", odd):
        changed.setdefault(name, meant_column(chosen[name]))
    return chosen.assign(**changed) if changed else chosen


def is_numeric(column: pd.Series) -> bool:
    """True if the values are numbers or booleans."""
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def plain(column: pd.Series) -> np.ndarray:
    """Convert a column to a NumPy array: number types become NumPy's, missing values NaN."""
    dtype: Any = None
    if isinstance(column.dtype, pd.api.extensions.ExtensionDtype) and is_numeric(column):
        # Otherwise pandas' own types would become objects.
        dtype = float if column.isna().any() else column.dtype.numpy_dtype
    return np.asarray(column.to_numpy(dtype=dtype) if dtype else column)


def kind_of(column: pd.Series) -> Kind:
    """Tell the kind of a feature's values.

    >>> kind_of(pd.Series(["2024-01-31", "2024-02-29"]))
    'date'
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "date"
    present = column.dropna()
    # With gaps, pandas makes a column of objects, though its values are booleans.
    if pd.api.types.is_bool_dtype(column.dtype) or _all_bool(present):
        return "boolean"
    if is_numeric(column) or present.empty:
        return "number"
    if all(ISO_DATE.fullmatch(str(value)) for value in present):
        return "date"
    return "category"


def _all_bool(present: pd.Series) -> bool:
    return present.dtype == object and len(present) > 0 and set(map(type, present)) == {bool}


# -- rows ----------------------------------------------------------------------------------------


def _parsed(condition: str | None) -> Expression | None:
    try:
        return None if condition is None else Expression(condition)
    except ExpressionError as error:
        raise DataError(f"data.rows: {error}") from None


def _filtered(frame: pd.DataFrame, condition: str | None) -> pd.DataFrame:
    """Rows that meet the condition; the index still counts the rows of the files."""
    expression = _parsed(condition)
    if expression is None:
        return frame
    names = sorted(expression.names)
    values = zip(*(frame[name].tolist() for name in names), strict=True) if names else ()
    keep = np.ones(len(frame), dtype=bool)
    for row, items in enumerate(values):
        try:
            keep[row] = expression.holds(dict(zip(names, items, strict=True)))
        except ExpressionError as error:
            raise DataError(f"data.rows: {error} (row {row + 1})") from None
    if not keep.any():
        raise DataError(f"data.rows: `{condition}` keeps none of the {len(frame)} rows")
    return frame[keep]


def _check_values(frame: pd.DataFrame, data: DataSection, fold_column: str | None) -> None:
    if len(frame) < 2:
        raise DataError(f"data: the table has {_rows(len(frame))}; a search needs at least two")
    problems = _missing("data.target", frame[data.target])
    problems += (
        _infinite(frame[data.target]) or _one_value(frame[data.target]) if not problems else []
    )
    if data.groups:
        problems += _missing("data.groups", frame[data.groups])
    if data.weights:
        problems += _missing("data.weights", frame[data.weights]) or _bad_weights(
            frame[data.weights]
        )
    if fold_column:
        column = frame[fold_column]
        problems += _missing("cv.column", column) or _bad_folds(column)
    _refuse(problems)


def _rows(count: int) -> str:
    return "one row" if count == 1 else f"{count} rows" if count else "no rows"


def _missing(key: str, column: pd.Series) -> list[str]:
    at = np.flatnonzero(column.isna().to_numpy())
    if not len(at):
        return []
    where = row_list([int(column.index[i]) + 1 for i in at])
    finding = f"`{column.name}` is empty in {len(at)} of {len(column)} rows ({where})"
    return [f"{key}: {finding}. Fill or remove them, or keep only complete rows with `rows`."]


def row_list(rows: Sequence[int]) -> str:
    """Name the first rows of many; 1 is the first row of data.

    >>> row_list([2, 9])
    'rows 2, 9'
    """
    shown = ", ".join(str(row) for row in rows[:SHOWN])
    word = "row" if len(rows) == 1 else "rows"
    return f"{word} {shown}{', …' if len(rows) > SHOWN else ''}"


def _infinite(column: pd.Series) -> list[str]:
    if column.dtype.kind != "f":
        return []
    text = extreme_values(column, np.inf, "")
    return (
        [f"data.target: `{column.name}` {text}. Clean these rows, or leave them out with `rows`."]
        if text
        else []
    )


def _one_value(column: pd.Series) -> list[str]:
    values = column.unique()
    if len(values) > 1:
        return []
    finding = f"all {len(column)} rows of `{column.name}` have the one value {values[0]!s}"
    return [f"data.target: {finding}; there is nothing to learn."]


def _bad_weights(column: pd.Series) -> list[str]:
    if not is_numeric(column):
        return [f"data.weights: `{column.name}` is not numeric."]
    values = column.to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        where = row_list([int(column.index[i]) + 1 for i in bad])
        return [
            f"data.weights: `{column.name}` is negative or infinite in {len(bad)} rows ({where})."
        ]
    return [] if values.sum() > 0 else [f"data.weights: all values of `{column.name}` are zero."]


def _bad_folds(column: pd.Series) -> list[str]:
    whole = is_numeric(column) and bool((column.astype(float) % 1 == 0).all())
    if not whole or bool((column < -1).any()):
        return [f"cv.column: `{column.name}` must hold whole numbers: folds from 0, or -1."]
    return []


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise DataError("\n".join(problems))


# -- hold-out ------------------------------------------------------------------------------------


def split_off(
    rows: Rows, holdout: HoldoutSection | None, *, in_time: bool
) -> tuple[Rows, Rows | None]:
    """Split the rows into those that the search sees and those that are held out.

    Raises:
        DataError: one of the two parts would be too small.
    """
    if holdout is None:
        return rows, None
    try:
        kept, held = _holdout_indices(rows, holdout, in_time=in_time)
    except ValueError as error:
        raise DataError(f"data.holdout: {error}") from None
    if len(kept) < 2 or not len(held):
        raise DataError(
            f"data.holdout: a fraction of {holdout.fraction} of {len(rows)} rows leaves"
            f" {_rows(len(kept))} to search on and {_rows(len(held))} held out"
        )
    # In file order, so that folds that do not shuffle see the rows as they were.
    if not holdout.shuffle:
        kept, held = np.sort(kept), np.sort(held)
    return rows.take(kept), rows.take(held)


def _holdout_indices(
    rows: Rows, holdout: HoldoutSection, *, in_time: bool
) -> tuple[np.ndarray, np.ndarray]:
    if holdout.shuffle and (in_time or rows.groups is not None):
        what = "rows in order of time" if in_time else "groups"
        raise ValueError(f"`shuffle` does not go with {what}; leave it out")
    if in_time:
        n_held = round(len(rows) * holdout.fraction)
        order = np.arange(len(rows))
        return order[: len(rows) - n_held], order[len(rows) - n_held :]
    splitter = _holdout_splitter(rows, holdout)
    kept, held = next(iter(splitter.split(rows.X, rows.y, rows.groups)))
    return kept, held


def _holdout_splitter(rows: Rows, holdout: HoldoutSection) -> Any:
    from sklearn.model_selection import (
        GroupShuffleSplit,
        ShuffleSplit,
        StratifiedGroupKFold,
        StratifiedShuffleSplit,
    )

    if rows.groups is not None and holdout.stratify:
        n_splits = max(2, round(1 / holdout.fraction))
        return StratifiedGroupKFold(n_splits, shuffle=True, random_state=holdout.seed)
    if rows.groups is not None:
        method = GroupShuffleSplit
    else:
        method = StratifiedShuffleSplit if holdout.stratify else ShuffleSplit
    return method(n_splits=1, test_size=holdout.fraction, random_state=holdout.seed)


# -- digest --------------------------------------------------------------------------------------


def column_digest(column: pd.Series) -> str:
    """Digest of a column's type and values; text is digested by its distinct values."""
    values = column.to_numpy() if not isinstance(column.dtype, pd.CategoricalDtype) else None
    if values is not None and not values.dtype.hasobject:
        return array_digest(np.ascontiguousarray(values))
    codes, distinct = pd.factorize(column)
    # With their types, since a number and its text are different values.
    names = [[type(value).__name__, str(value)] for value in distinct]
    return digest([str(column.dtype), names, array_digest(codes)])
