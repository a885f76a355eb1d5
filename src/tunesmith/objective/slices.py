"""The rows of each fold, cut once per process and shared by all its fits."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.history import HOLDOUT
from tunesmith.objective.data import Table
from tunesmith.objective.folds import Split

CACHE_BYTES = 512 * 1024**2
"""How much of each process's memory sliced folds may take."""


@dataclass(frozen=True, eq=False)
class Slices:
    """The rows of one fold, read-only, so that no fit can change what the next one sees."""

    X_train: pd.DataFrame
    y_train: np.ndarray
    weights: np.ndarray | None
    X_test: pd.DataFrame
    y_test: np.ndarray

    @property
    def n_bytes(self) -> int:
        """Memory that the slices take."""
        frames = sum(int(f.memory_usage(index=True).sum()) for f in (self.X_train, self.X_test))
        arrays = (self.y_train, self.y_test, self.weights)
        return frames + sum(array.nbytes for array in arrays if array is not None)


class SliceCache:
    """Cuts folds out of a table, and keeps what fits into memory."""

    def __init__(self, table: Table, splits: list[Split]) -> None:
        self._table, self._splits = table, splits
        self._kept: OrderedDict[int, Slices] = OrderedDict()
        self._n_bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": OrderedDict(), "_n_bytes": 0}

    def shared(self, fold: int) -> Slices:
        """The read-only rows of a fold."""
        if fold in self._kept:
            self._kept.move_to_end(fold)
            return self._kept[fold]
        made = _read_only(self.fresh(fold))
        if made.n_bytes <= CACHE_BYTES:
            self._kept[fold] = made
            self._n_bytes += made.n_bytes
        while self._n_bytes > CACHE_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._n_bytes -= oldest.n_bytes
        return made

    def fresh(self, fold: int) -> Slices:
        """The rows of a fold, as scikit-learn would cut them for a single fit."""
        rows = self._table.rows
        train = np.arange(len(rows)) if fold == HOLDOUT else self._splits[fold].train
        weights = None if rows.weights is None else rows.weights[train]
        if fold == HOLDOUT and self._table.holdout is not None:
            X_test, y_test = self._table.holdout.X, self._table.holdout.y
        else:
            test = self._splits[fold].test
            X_test, y_test = _taken(rows.X, test), rows.y[test]
        return Slices(_taken(rows.X, train), rows.y[train], weights, X_test, y_test)


def _taken(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    # scikit-learn's own slicing: the memory order of a slice decides the last bits of sums.
    from sklearn.utils import _safe_indexing

    taken: pd.DataFrame = _safe_indexing(frame, rows)
    return taken


def _read_only(rows: Slices) -> Slices:
    return Slices(
        _frozen_frame(rows.X_train),
        _frozen(rows.y_train),
        None if rows.weights is None else _frozen(rows.weights),
        _frozen_frame(rows.X_test),
        _frozen(rows.y_test),
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _frozen_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame over a read-only array, in the same memory order.

    Columns of several types need no freezing: whoever wants an array of them gets a copy.
    """
    types = set(frame.dtypes)
    if len(types) != 1 or not isinstance(next(iter(types)), np.dtype):
        return frame
    values = np.array(frame.to_numpy(), order="K", copy=True)
    values.flags.writeable = False
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)
