"""Large tables as they were read, in a form that takes no parsing.

A CSV file of 400 MB takes seconds to parse, and the texts of a Parquet file a second to make; the
numbers of a kept table are mapped in an instant. It lies in the private folder of the project,
readable by its owner alone, and may be removed at any time. Columns come back with the very types
and values that the reader gave; a table with any other kind of column is not kept.
"""

import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tunesmith.data.file_identity import identity_of, state_folder
from tunesmith.system.files import STATE

FORMAT = 2
"""Version of the form; raised if the reading of files changes."""
ALIGNMENT = 64
MAX_TEXTS = 100_000
"""Most different texts of a column that is kept."""


def kept(path: Path, root: Path, separator: str, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a table as it was read before, or read it, and keep it if the file is large.

    Args:
        path: of the file.
        root: the project folder.
        separator: between the columns of a CSV file.
        read: reads the file.
    """
    identity = identity_of(path)
    if identity is None:
        return read()
    settings = {"format": FORMAT, "pandas": pd.__version__, "separator": separator}
    key = {"path": str(path.absolute()), "identity": identity, **settings}
    name = hashlib.blake2b(key["path"].encode(), digest_size=16).hexdigest()
    place = root / STATE / "tables" / f"{name}.table"
    found = _loaded(place, key)
    if found is not None:
        return found
    frame = read()
    # The same before and after: it was not written to while it was read.
    if identity_of(path) == identity:
        with suppress(OSError):
            state_folder(root)
            _store(place, key, frame)
    return frame


def _store(place: Path, key: dict[str, Any], frame: pd.DataFrame) -> None:
    columns = [_parts(frame[name]) for name in frame.columns]
    if any(column is None for column in columns):
        return
    parts = [column for column in columns if column is not None]
    arrays = [np.ascontiguousarray(array) for _, array in parts]
    hasher = hashlib.blake2b(digest_size=16)
    for array in arrays:
        hasher.update(array.view(np.uint8).data)
    named = [
        {"name": str(name), **about} for name, (about, _) in zip(frame.columns, parts, strict=True)
    ]
    header = {"key": key, "columns": named, "n_rows": len(frame), "digest": hasher.hexdigest()}
    place.parent.mkdir(exist_ok=True)
    # A private file by a name of its own, renamed when it is whole.
    handle, temporary = tempfile.mkstemp(dir=place.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            for array in arrays:
                file.write(b"\0" * (-file.tell() % ALIGNMENT))
                file.write(array.view(np.uint8).data)
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _parts(column: pd.Series) -> tuple[dict[str, Any], np.ndarray] | None:
    """Description and numbers of a column; ``None`` if it has other than numbers and text."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufbmM":
        return {"dtype": column.dtype.str, "texts": None}, column.to_numpy()
    if column.dtype != pd.Series(["a"]).dtype:
        return None
    codes, distinct = pd.factorize(column)
    texts = distinct.tolist()
    if len(texts) > MAX_TEXTS or not all(type(text) is str for text in texts):
        return None
    # Files of Arrow may have another missing value among objects.
    if not all(type(value) is float for value in column.array[codes < 0]):
        return None
    return {"dtype": "<i8", "texts": texts}, codes.astype("<i8")


def _loaded(place: Path, key: dict[str, Any]) -> pd.DataFrame | None:
    try:
        with place.open("rb") as file:
            header = json.loads(file.readline())
            if header["key"] != key:
                return None
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            return _frame(header, view, file.tell())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # Nothing was kept, or it is damaged: the file itself is read.
        return None


def _frame(header: dict[str, Any], view: memoryview, position: int) -> pd.DataFrame | None:
    hasher, columns = hashlib.blake2b(digest_size=16), {}
    for column in header["columns"]:
        dtype = np.dtype(column["dtype"])
        position += -position % ALIGNMENT
        size = dtype.itemsize * header["n_rows"]
        part = view[position : position + size]
        hasher.update(part)
        columns[column["name"]] = _column(np.frombuffer(part, dtype), column["texts"])
        position += size
    if hasher.hexdigest() != header["digest"]:
        return None
    return pd.DataFrame(columns, copy=False)


def _column(numbers: np.ndarray, texts: list[str] | None) -> Any:
    if texts is None:
        return numbers
    # The type that pandas gives to text, with its own missing value for the code -1.
    values = pd.Series([*texts, np.nan]) if texts else pd.Series([np.nan], dtype=object)
    return values.array.take(numbers)
