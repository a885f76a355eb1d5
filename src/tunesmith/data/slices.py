"""Rows of each fold, cut once per process and shared by all its fits."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tunesmith.history import FURTHER, HOLDOUT

if TYPE_CHECKING:
    # Workers do not need the code that reads a configuration, and should not wait for its import.
    from tunesmith.data.folds import Split
    from tunesmith.data.further import FurtherSplits
    from tunesmith.data.table import Table

CACHE_BYTES = 256 * 1024**2
"""Bytes that sliced folds may take in each process."""


@dataclass(frozen=True, eq=False)
class Slices:
    """The rows of one fold."""

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``fit``, such as the sample weights of the training rows."""

    @property
    def n_bytes(self) -> int:
        """Bytes that the slices take, as far as is known."""
        parts = (self.X_train, self.X_test, self.y_train, self.y_test, *self.fit_params.values())
        return sum(map(size_of, parts))


class SliceCache:
    """Cuts folds, and keeps those that fit into memory.

    Args:
        cut: fold -> rows that no other code holds.
    """

    def __init__(self, cut: Callable[[int], Slices]) -> None:
        self.fresh = cut
        """Cuts the rows of a fold as scikit-learn would for a single fit."""
        self._kept: OrderedDict[int, Slices] = OrderedDict()
        self._n_bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": OrderedDict(), "_n_bytes": 0}

    def for_fit(self, fold: int) -> Slices:
        """Return the rows of a fold for one fit, which may change them.

        Features are shared if nobody can write to them, and cut anew otherwise. Targets and weights
        are copies. So no fit sees the changes of another one.
        """
        kept = self.shared(fold)
        if not (is_read_only(kept.X_train) and is_read_only(kept.X_test)):
            return self.fresh(fold)
        return Slices(
            shallow(kept.X_train),
            own(kept.y_train),
            shallow(kept.X_test),
            # Each process cuts its own: the table is mapped, while slices would be sent as copies.
            own(kept.y_test),
            {name: own(value) for name, value in kept.fit_params.items()},
        )

    def shared(self, fold: int) -> Slices:
        """Return the rows of a fold for reading; those of plain numbers are read-only."""
        if fold in self._kept:
            self._kept.move_to_end(fold)
            return self._kept[fold]
        # Before the next one is cut, or both would be in memory: folds are about equally large.
        self._drop_for(max((kept.n_bytes for kept in self._kept.values()), default=0))
        # The training rows of a fold are a part of the table, so that they were copied.
        made = _read_only(self.fresh(fold), is_own=fold >= 0)
        # Not if larger than the whole cache: keeping it would only drop the others.
        if made.n_bytes <= CACHE_BYTES:
            self._kept[fold] = made
            self._n_bytes += made.n_bytes
        self._drop_for(0)
        return made

    def _drop_for(self, n_bytes: int) -> None:
        """Drop the least recently used folds, so that so many further bytes have room."""
        while self._kept and self._n_bytes + n_bytes > CACHE_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._n_bytes -= oldest.n_bytes


def cut(
    table: "Table", splits: "Sequence[Split]", further: "FurtherSplits | None", fold: int
) -> Slices:
    """Cut the rows of one fold of a table, or of a further split."""
    rows = table.rows
    if fold <= FURTHER and further is not None:
        splits, fold = [further[fold]], 0
    train = np.arange(len(rows)) if fold == HOLDOUT else splits[fold].train
    fit_params = {} if rows.weights is None else {"sample_weight": rows.weights[train]}
    if fold == HOLDOUT and table.holdout is not None:
        X_test, y_test = table.holdout.X, table.holdout.y
    else:
        test = splits[fold].test
        X_test, y_test = _taken(rows.X, test), rows.y[test]
    return Slices(_taken(rows.X, train), rows.y[train], X_test, y_test, fit_params)


def _taken(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    # scikit-learn's own slicing: the memory order of a slice decides the last bits of sums.
    from sklearn.utils import _safe_indexing

    taken: pd.DataFrame = _safe_indexing(frame, rows)
    return taken


def _read_only(rows: Slices, *, is_own: bool) -> Slices:
    return Slices(
        frozen(rows.X_train, is_own=is_own),
        frozen(rows.y_train),
        frozen(rows.X_test),
        frozen(rows.y_test),
        {name: frozen(value) for name, value in rows.fit_params.items()},
    )


def frozen(part: Any, *, is_own: bool = False) -> Any:
    """Make rows read-only, if they are of a kind that can be.

    These are arrays, and frames with one type of columns, of anything but objects.

    Args:
        part: the rows.
        is_own: no other code holds the values of a frame, so that they need not be copied.
    """
    if type(part) is pd.DataFrame:
        return _frozen_frame(part, is_own=is_own)
    return _frozen_array(part) if type(part) is np.ndarray else part


def _frozen_array(array: np.ndarray) -> np.ndarray:
    """Copy an array into the same memory order, with a flag that cannot be turned back.

    An array over a read-only buffer stays read-only; a view of another array may be made writable.
    """
    if array.dtype.hasobject or not array.size:
        return array
    # "K" keeps the order of the axes in memory, on which the last bits of sums depend.
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = np.array(array, order="K", copy=True)
    is_turned = not array.flags.c_contiguous
    straight = array.T if is_turned else array
    if not straight.flags.c_contiguous:
        return array
    content = straight.reshape(-1).view(np.uint8).data.toreadonly()
    frozen = np.frombuffer(content, dtype=array.dtype).reshape(straight.shape)
    return frozen.T if is_turned else frozen


def _frozen_frame(frame: pd.DataFrame, *, is_own: bool) -> pd.DataFrame:
    """Copy a frame over a read-only array, in the same memory order."""
    types = set(frame.dtypes)
    if len(types) != 1 or not isinstance(kind := next(iter(types)), np.dtype) or kind.hasobject:
        return frame
    values = frame.to_numpy()
    values = _frozen_array(values if is_own else np.array(values, order="K", copy=True))
    made = pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)
    # With what users have attached to it (`attrs`), which their scorers may read.
    return made.__finalize__(frame)


def is_read_only(part: Any) -> bool:
    """True if nobody can write to the rows: they are made by ``frozen``."""
    if type(part) is pd.DataFrame:
        types = set(part.dtypes)
        kind = next(iter(types), None)
        if len(types) != 1 or not isinstance(kind, np.dtype) or kind.hasobject:
            return False
        part = part.to_numpy()
    if type(part) is not np.ndarray or part.flags.writeable:
        return False
    while isinstance(part.base, np.ndarray):
        part = part.base
    return isinstance(part.base, memoryview)


def own(part: Any) -> Any:
    """Copy rows, so that no other code holds them."""
    # `copy()` of an array has order "C"; scikit-learn's sums need the order as it was.
    if type(part) is np.ndarray:
        return np.array(part, order="K", copy=True)
    if isinstance(part, np.ndarray) or hasattr(part, "tocsr") or _is_pandas(part):
        return part.copy()
    return deepcopy(part)


def _is_pandas(part: Any) -> bool:
    # A read-only flag alone is no proof: only over a read-only buffer can it not be turned back.
    return isinstance(part, pd.DataFrame | pd.Series | pd.Index | pd.api.extensions.ExtensionArray)


def shallow(X: Any) -> Any:
    """Share the rows with a fit: changes to its frame, such as new columns, stay in it."""
    # A shallow copy of a frame costs microseconds.
    return X.copy(deep=False) if isinstance(X, pd.DataFrame) else X


def for_one(X: Any) -> Any:
    """Return the rows for one fit: the same ones if they are read-only, else a copy."""
    return shallow(X) if is_read_only(X) else own(X)


def size_of(part: Any) -> int:
    """Bytes that rows take; 0 if that is not known."""
    if isinstance(part, pd.DataFrame):
        return int(part.memory_usage(index=True).sum())
    return int(getattr(part, "nbytes", 0) or getattr(getattr(part, "data", None), "nbytes", 0))
