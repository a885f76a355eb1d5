"""The rows of each fold, cut once per process and shared by all its fits."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tunesmith.history import HOLDOUT

if TYPE_CHECKING:
    # Workers do not need what reads a configuration, and should not wait for its import.
    from tunesmith.objective.data import Table
    from tunesmith.objective.folds import Split

CACHE_BYTES = 512 * 1024**2
"""How much of each process's memory sliced folds may take."""


@dataclass(frozen=True, eq=False)
class Slices:
    """The rows of one fold."""

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    """What ``fit`` takes besides, such as the sample weights of the training rows."""

    @property
    def n_bytes(self) -> int:
        """Memory that the slices take, as far as it is known."""
        parts = (self.X_train, self.X_test, self.y_train, self.y_test, *self.fit_params.values())
        return sum(map(size_of, parts))


class SliceCache:
    """Cuts folds, and keeps what fits into memory.

    Args:
        cut: fold -> rows that nobody else holds.
    """

    def __init__(self, cut: Callable[[int], Slices]) -> None:
        self.fresh = cut
        """The rows of a fold, as scikit-learn would cut them for a single fit."""
        self._kept: OrderedDict[int, Slices] = OrderedDict()
        self._n_bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": OrderedDict(), "_n_bytes": 0}

    def for_fit(self, fold: int) -> Slices:
        """The rows of a fold for one fit, which may do with them as it likes.

        Features are shared where nobody can write to them, and cut anew where somebody could;
        targets and weights are copies. So no fit sees what another one did.
        """
        kept = self.shared(fold)
        if not (is_read_only(kept.X_train) and is_read_only(kept.X_test)):
            return self.fresh(fold)
        return Slices(
            shallow(kept.X_train),
            own(kept.y_train),
            shallow(kept.X_test),
            own(kept.y_test),
            {name: own(value) for name, value in kept.fit_params.items()},
        )

    def shared(self, fold: int) -> Slices:
        """The rows of a fold to look at; those of plain numbers cannot be written to."""
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


def cut(table: "Table", splits: "Sequence[Split]", fold: int) -> Slices:
    """The rows of one fold of a table."""
    rows = table.rows
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


def _read_only(rows: Slices) -> Slices:
    return Slices(
        frozen(rows.X_train),
        frozen(rows.y_train),
        frozen(rows.X_test),
        frozen(rows.y_test),
        {name: frozen(value) for name, value in rows.fit_params.items()},
    )


def frozen(part: Any) -> Any:
    """Rows to which nobody can write, where they are of a kind of which there are such ones.

    Those are arrays, and frames of one type, of anything but objects.
    """
    if type(part) is pd.DataFrame:
        return _frozen_frame(part)
    return _frozen_array(part) if type(part) is np.ndarray else part


def _frozen_array(array: np.ndarray) -> np.ndarray:
    """The same array in the same memory order; its flag cannot be turned back.

    An array over a read-only buffer stays that, while a view of another array may be made writable.
    """
    if array.dtype.hasobject or not array.size:
        return array
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = np.array(array, order="K", copy=True)
    is_turned = not array.flags.c_contiguous
    straight = array.T if is_turned else array
    if not straight.flags.c_contiguous:
        return array
    content = straight.reshape(-1).view(np.uint8).data.toreadonly()
    found = np.frombuffer(content, dtype=array.dtype).reshape(straight.shape)
    return found.T if is_turned else found


def _frozen_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame over a read-only array, in the same memory order."""
    types = set(frame.dtypes)
    if len(types) != 1 or not isinstance(kind := next(iter(types)), np.dtype) or kind.hasobject:
        return frame
    values = _frozen_array(np.array(frame.to_numpy(), order="K", copy=True))
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def is_read_only(part: Any) -> bool:
    """Whether nobody can write to rows: they are what ``frozen`` makes of arrays and frames."""
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
    """A copy of which nobody else knows."""
    if type(part) is np.ndarray:
        return np.array(part, order="K", copy=True)
    if isinstance(part, np.ndarray) or hasattr(part, "tocsr") or _is_pandas(part):
        return part.copy()
    return deepcopy(part)


def _is_pandas(part: Any) -> bool:
    return isinstance(part, pd.DataFrame | pd.Series | pd.Index | pd.api.extensions.ExtensionArray)


def shallow(X: Any) -> Any:
    """The same rows, for a fit: what it does to its frame, such as new columns, stays there."""
    # A shallow copy of a frame costs microseconds.
    return X.copy(deep=False) if isinstance(X, pd.DataFrame) else X


def for_one(X: Any) -> Any:
    """Rows for one fit: the same where nobody can write to them, else a copy."""
    return shallow(X) if is_read_only(X) else own(X)


def size_of(part: Any) -> int:
    """Memory of rows, in bytes; 0 where it is not known."""
    if isinstance(part, pd.DataFrame):
        return int(part.memory_usage(index=True).sum())
    return int(getattr(part, "nbytes", 0) or getattr(getattr(part, "data", None), "nbytes", 0))
