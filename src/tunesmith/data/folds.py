"""Splits of rows into folds, with scikit-learn's splitters."""

import inspect
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.config.objective import CrossValidation
from tunesmith.data.table import Rows
from tunesmith.errors import DataError, UsageError
from tunesmith.system.fingerprint import array_digest
from tunesmith.system.importing import load

ONE_SERIES = ("time_series", "leave_one_group_out", "predefined")
RANDOM = ("shuffle_split", "stratified_shuffle_split")
WITH_CLASSES = {
    "kfold": "stratified",
    "group": "stratified_group",
    "shuffle_split": "stratified_shuffle_split",
}
WITH_GROUPS = {
    "kfold": "group",
    "stratified": "stratified_group",
    "shuffle_split": "group_shuffle_split",
}
NEED_GROUPS = ("group", "stratified_group", "leave_one_group_out")
IGNORE_GROUPS = ("time_series", "stratified_shuffle_split")


@dataclass(frozen=True, eq=False)
class Split:
    """Numbers of the rows to train on and to test on."""

    train: np.ndarray
    test: np.ndarray

    def __post_init__(self) -> None:
        # All fits share the splits, so none may change them.
        self.train.flags.writeable = False
        self.test.flags.writeable = False

    @cached_property
    def digest(self) -> str:
        """Digest of the two index arrays."""
        # One type on all machines, since the digest is part of every key.
        return array_digest(self.train.astype("<i8"), self.test.astype("<i8"))


def make_splits(cv: CrossValidation, rows: Rows, *, is_classifier: bool) -> list[Split]:
    """Split the rows as the section describes; ``cv: 5`` gives what scikit-learn's ``cv=5`` gives.

    Groups are always kept whole: a method that ignores them is replaced by the related one that
    knows them, or refused.

    Raises:
        UsageError: the keys of the section contradict each other.
        DataError: the rows do not suffice, or the splits would leak.
    """
    method = choose_method(cv, rows, is_classifier=is_classifier)
    _check_keys(cv, method)
    _check_counts(cv, method, rows)
    try:
        pairs = [
            pair for splitter in _splitters(cv, method, rows) for pair in _split(splitter, rows)
        ]
    except ValueError as error:
        raise DataError(f"cv: {method} cannot split these {len(rows)} rows: {error}") from None
    splits = [Split(_indices(train), _indices(test)) for train, test in pairs]
    _check_splits(splits, rows)
    return splits


def n_folds_of(cv: CrossValidation, rows: Rows) -> int | None:
    """Number of splits; ``None`` if code of the project makes them.

    Raises:
        UsageError: keys contradict each other.
        DataError: there are too few rows.
    """
    if cv.splitter is not None:
        return None
    # Keeping classes together changes the rows of a fold, but not the number of folds.
    return len(make_splits(cv.model_copy(update={"stratify": None}), rows, is_classifier=False))


# -- which method --------------------------------------------------------------------------------


def choose_method(cv: CrossValidation, rows: Rows, *, is_classifier: bool) -> str:
    """Choose the splitting method from ``auto``, ``stratify`` and the groups."""
    if cv.splitter is not None:
        return "splitter"
    method: str = "predefined" if cv.method == "auto" and cv.column else cv.method
    if method == "auto":
        by_class = cv.stratify is None and is_classifier and _has_classes(rows.y)
        method = "stratified" if by_class or cv.stratify else "kfold"
    elif cv.stratify:
        method = WITH_CLASSES.get(method, method)
    if rows.groups is None:
        return method
    if method in IGNORE_GROUPS:
        raise UsageError(
            f"cv.method: {method} does not keep the rows of a group together, as data.groups asks"
        )
    return WITH_GROUPS.get(method, method)


def _has_classes(y: np.ndarray) -> bool:
    from sklearn.utils.multiclass import type_of_target

    return type_of_target(y) in ("binary", "multiclass")


def _check_keys(cv: CrossValidation, method: str) -> None:
    problems = []
    if cv.repeats > 1 and method in (*ONE_SERIES, *RANDOM, "group_shuffle_split", "splitter"):
        problems.append(f"cv.repeats: {method} cannot be repeated; only k-fold can")
    if cv.stratify is False and method.startswith("stratified"):
        problems.append(f"cv.stratify: false contradicts the method {method}")
    if cv.stratify and method in ONE_SERIES:
        problems.append(f"cv.stratify: {method} cannot keep class shares")
    if method == "predefined" and cv.column is None:
        problems.append("cv.column: predefined folds need the column that holds their numbers")
    if problems:
        raise UsageError("\n".join(problems))


# -- whether the rows suffice --------------------------------------------------------------------


def _check_counts(cv: CrossValidation, method: str, rows: Rows) -> None:
    if method in NEED_GROUPS:
        _check_groups(cv, method, rows)
    if method.startswith("stratified"):
        _check_classes(cv, method, rows)
    if method in ("kfold", "time_series") and cv.folds > len(rows):
        raise DataError(f"cv.folds: {cv.folds} folds of {len(rows)} rows cannot be made")


def _check_groups(cv: CrossValidation, method: str, rows: Rows) -> None:
    if rows.groups is None:
        raise DataError(f"cv.method: {method} needs groups: name their column as data.groups")
    n_groups = len(set(rows.groups.tolist()))
    needed = 2 if method == "leave_one_group_out" else cv.folds
    if n_groups < needed:
        raise DataError(
            f"cv.folds: {needed} folds need as many groups; there are {n_groups}."
            f" {_at_most(n_groups)}"
        )


def _check_classes(cv: CrossValidation, method: str, rows: Rows) -> None:
    label, count = min(Counter(rows.y.tolist()).items(), key=lambda item: item[1])
    needed = 2 if method in RANDOM else cv.folds
    if count < needed:
        raise DataError(
            f"cv.folds: {cv.folds} stratified folds need at least {needed} rows of every class;"
            f" class {label!r} has {count} of {len(rows)}. {_at_most(count)}"
            " Or set stratify: false."
        )


def _at_most(count: int) -> str:
    return f"Use at most {count} folds." if count > 1 else "Add data."


# -- splitters -----------------------------------------------------------------------------------


def _splitters(cv: CrossValidation, method: str, rows: Rows) -> Iterable[Any]:
    if method == "splitter":
        return [_own_splitter(cv)]
    if method in MAKERS:
        return [MAKERS[method](cv, rows)]
    return _k_fold(cv, method)


def _k_fold(cv: CrossValidation, method: str) -> list[Any]:
    """Split into K folds, once or repeatedly with other shuffles."""
    from sklearn import model_selection as ms

    if method in ("kfold", "stratified") and cv.repeats > 1:
        # scikit-learn's own repetition, so that the splits are those that its users get.
        repeated = ms.RepeatedKFold if method == "kfold" else ms.RepeatedStratifiedKFold
        return [repeated(n_splits=cv.folds, n_repeats=cv.repeats, random_state=cv.seed)]
    maker = {
        "kfold": ms.KFold,
        "stratified": ms.StratifiedKFold,
        "group": ms.GroupKFold,
        "stratified_group": ms.StratifiedGroupKFold,
    }[method]
    if not cv.shuffle and cv.repeats == 1:
        return [maker(n_splits=cv.folds)]
    return [
        # Of splits by groups, scikit-learn has no repeated form: each repeat has a seed of its own.
        maker(n_splits=cv.folds, shuffle=True, random_state=cv.seed + repeat)
        for repeat in range(cv.repeats)
    ]


def _random(name: str) -> Callable[[CrossValidation, Rows], Any]:
    def make(cv: CrossValidation, _rows: Rows) -> Any:
        from sklearn import model_selection

        maker = getattr(model_selection, name)
        return maker(n_splits=cv.folds, test_size=cv.test_fraction, random_state=cv.seed)

    return make


def _time_series(cv: CrossValidation, rows: Rows) -> Any:
    from sklearn.model_selection import TimeSeriesSplit

    size = None if cv.test_fraction is None else max(1, round(cv.test_fraction * len(rows)))
    return TimeSeriesSplit(n_splits=cv.folds, gap=cv.gap, test_size=size)


def _leave_one_group_out(_cv: CrossValidation, _rows: Rows) -> Any:
    from sklearn.model_selection import LeaveOneGroupOut

    return LeaveOneGroupOut()


def _predefined(_cv: CrossValidation, rows: Rows) -> Any:
    from sklearn.model_selection import PredefinedSplit

    return PredefinedSplit(rows.folds)


MAKERS: dict[str, Callable[[CrossValidation, Rows], Any]] = {
    "shuffle_split": _random("ShuffleSplit"),
    "stratified_shuffle_split": _random("StratifiedShuffleSplit"),
    "group_shuffle_split": _random("GroupShuffleSplit"),
    "time_series": _time_series,
    "leave_one_group_out": _leave_one_group_out,
    "predefined": _predefined,
}


def _own_splitter(cv: CrossValidation) -> Any:
    splitter = load("cv.splitter", cv.splitter or "")
    if not hasattr(splitter, "split"):
        raise UsageError(f"cv.splitter: `{cv.splitter}` has no method `split(X, y, groups)`")
    if not inspect.isclass(splitter):
        return splitter
    try:
        return splitter(**cv.params)
    except TypeError as error:
        raise UsageError(f"cv.params: {splitter.__name__} does not accept them: {error}") from None


def _split(splitter: Any, rows: Rows) -> list[tuple[Any, Any]]:
    with warnings.catch_warnings():
        # Groups that a splitter ignores are checked on its splits.
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        return list(splitter.split(rows.X, rows.y, rows.groups))


def _indices(rows: Any) -> np.ndarray:
    # A copy: the splitter may keep its arrays, and those of a `Split` are made read-only.
    indices = np.array(rows)
    if indices.dtype == bool:
        return np.flatnonzero(indices)
    if indices.size and indices.dtype.kind not in "iu":
        raise DataError(f"cv: row numbers must be whole numbers (found {indices.dtype})")
    return indices.astype(np.intp)


# -- no leaks ------------------------------------------------------------------------------------


def _check_splits(splits: Sequence[Split], rows: Rows) -> None:
    if not splits:
        raise DataError("cv: there is not one split")
    for fold, split in enumerate(splits):
        problem = _split_problem(split, rows)
        if problem:
            raise DataError(f"cv: fold {fold} {problem}")


def _split_problem(split: Split, rows: Rows) -> str:
    if not len(split.train) or not len(split.test):
        part = "train on" if not len(split.train) else "test on"
        return f"has no rows to {part}"
    both = np.concatenate([split.train, split.test])
    if both.min() < 0 or both.max() >= len(rows):
        return f"names row {both.max()} of {len(rows)} rows (counted from 0)"
    # A mask, because sorting the numbers of a large table takes seconds.
    trains = np.zeros(len(rows), dtype=bool)
    trains[split.train] = True
    shared = np.unique(split.test[trains[split.test]])
    if len(shared):
        return f"trains and tests on the same {len(shared)} rows (row {shared[0]} among them)"
    if rows.groups is None:
        return ""
    torn = set(rows.groups[split.train].tolist()) & set(rows.groups[split.test].tolist())
    if torn:
        return f"tears {len(torn)} groups apart ({min(map(str, torn))} among them)"
    return ""
