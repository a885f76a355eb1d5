"""Reading of data files into one frame; errors name the place in the file."""

import csv
import lzma
import re
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from tunesmith.data.kept_tables import kept
from tunesmith.errors import DataError, UsageError

ARROW = {".parquet": pd.read_parquet, ".pq": pd.read_parquet}
ARROW |= {".feather": pd.read_feather, ".arrow": pd.read_feather}


def read_files(
    paths: Sequence[str], root: Path, separator: str, *, keeps: bool = False
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read and append files that have the same columns.

    Args:
        paths: of the files.
        root: the folder that they are relative to.
        separator: between columns of CSV files.
        keeps: keep what is read of a large file in the private folder of the project, and use it.

    Returns:
        The frame, its index counting the rows from 0, and notes.

    Raises:
        DataError: a file is missing, cannot be read, or has other columns than the first.
    """
    keeper = root if keeps else None
    frames = [_read(root / path, path, separator, keeper) for path in paths]
    first = frames[0]
    problems = [
        _other_columns(paths[0], first, path, frame)
        for path, frame in zip(paths[1:], frames[1:], strict=True)
        if set(frame.columns) != set(first.columns)
    ]
    if problems:
        raise DataError("\n".join(problems))
    if len(frames) == 1:
        return first, ()
    whole = pd.concat([frame[list(first.columns)] for frame in frames], ignore_index=True)
    return whole, _repeated_files(paths)


def _repeated_files(paths: Sequence[str]) -> tuple[str, ...]:
    repeated = sorted({path for path in paths if paths.count(path) > 1})
    return tuple(f"data.path: {path} is listed twice: its rows count twice" for path in repeated)


def _other_columns(first_path: str, first: pd.DataFrame, path: str, frame: pd.DataFrame) -> str:
    parts = []
    if missing := [str(name) for name in first.columns if name not in frame.columns]:
        parts.append(f"lacks {', '.join(missing)}")
    if more := [str(name) for name in frame.columns if name not in first.columns]:
        parts.append(f"has {', '.join(more)} besides")
    return f"data.path: {path} has other columns than {first_path}: it {' and '.join(parts)}"


def _read(path: Path, name: str, separator: str, keeper: Path | None) -> pd.DataFrame:
    if path.is_dir():
        raise DataError(f"data.path: {name} is a folder; name a CSV, Parquet or Feather file")
    if not path.exists():
        raise DataError(f"data.path: {name} does not exist{_neighbour(path)}")
    if not path.is_file():
        raise DataError(f"data.path: {name} is a device or a pipe; name a CSV or Parquet file")
    if (suffix := path.suffix.lower()) in SPREADSHEETS:
        raise DataError(f"data.path: {name} is a spreadsheet ({suffix}). Export it as CSV.")
    if suffix in NO_TEXT:
        raise DataError(
            f"data.path: {name} is of a kind that is not read ({suffix}). Export it as CSV, Parquet"
            " or Feather."
        )
    try:
        reader = ARROW.get(path.suffix.lower())
        if reader is not None:
            read = partial(_read_arrow, reader, path, name)
        else:
            read = partial(_read_csv, path, name, separator)
        frame = read() if keeper is None else kept(path, keeper, separator, read)
    except OSError as error:
        raise DataError(f"data.path: {name} cannot be read: {error.strerror or error}") from None
    frame.columns = [str(column) for column in frame.columns]
    return frame.reset_index(drop=True)


SPREADSHEETS = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers")
NO_TEXT = frozenset(
    (
        *(".pkl", ".pickle", ".joblib", ".npy", ".npz", ".json", ".jsonl", ".ndjson", ".h5"),
        *(".hdf5", ".orc", ".avro", ".sqlite", ".db", ".mat", ".rds", ".rdata", ".sav", ".dta"),
        *(".sas7bdat", ".xpt", ".arff", ".xml", ".html", ".yaml", ".yml", ".pdf"),
    )
)
"""Ends of names of tables in other formats, which would be taken for text in columns."""
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError, re.error)
"""Errors that readers of compressed files raise."""


def _neighbour(path: Path) -> str:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return f" (nor does its folder {path.parent.name}/)"
    near = get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    return f". Did you mean `{near[0]}`?" if near else ""


def _read_arrow(reader: Any, path: Path, name: str) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = reader(path)
    except ImportError:
        raise UsageError(
            f"data.path: reading {name} needs pyarrow: pip install 'tunesmith[parquet]'"
        ) from None
    except (ValueError, NotImplementedError, KeyError, EOFError) as error:  # Arrow's among them
        raise DataError(f"data.path: {name} cannot be read: {_first_line(error)}") from None
    _refuse_duplicates(name, [str(column) for column in frame.columns])
    return frame


def _read_csv(path: Path, name: str, separator: str) -> pd.DataFrame:
    sep = "\t" if separator == "," and ".tsv" in path.suffixes else separator
    # pandas would choose the same for a regular expression, and print a warning.
    engine: Any = "c" if len(sep) == 1 or sep == r"\s+" else "python"
    try:
        # The names as they are in the file, since pandas renames repeated ones.
        header = pd.read_csv(
            path, sep=sep, header=None, nrows=1, dtype=str, encoding="utf-8-sig", engine=engine
        ).iloc[0]
        frame = _parsed(path, sep, engine)
    except UnicodeDecodeError as error:
        raise DataError(_undecodable(path, name, error)) from None
    except pd.errors.EmptyDataError:
        raise DataError(f"data.path: {name} is empty") from None
    except pd.errors.ParserError as error:
        raise DataError(f"data.path: {name}: {_first_line(error)}{_hint(sep)}") from None
    except ImportError as error:
        raise DataError(f"data.path: {name} cannot be read: {_first_line(error)}") from None
    except (ValueError, EOFError, csv.Error, OverflowError, *DAMAGED) as error:
        raise DataError(f"data.path: {name} cannot be read: {_first_line(error)}") from None
    _refuse_duplicates(name, [str(column) for column in header.dropna()])
    # If lines have more fields than the header, pandas takes the first ones for an index.
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(
            f"data.path: {name}: line 2 has more fields than the header, which names"
            f" {frame.shape[1]} columns"
        )
    _refuse_short_lines(path, name, sep, frame)
    return frame


def _parsed(path: Path, sep: str, engine: Any) -> pd.DataFrame:
    """Parse a CSV file; in parts if the result is the same, which takes half the memory."""
    if engine == "python":
        return pd.read_csv(path, sep=sep, encoding="utf-8-sig", engine=engine)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.DtypeWarning)
        try:
            frame = pd.read_csv(path, sep=sep, encoding="utf-8-sig", engine=engine)
        except pd.errors.DtypeWarning:
            frame = None
    # Of its parts, pandas may give the values of one column several types, of which it warns; and
    # whole numbers of some parts are rounded otherwise, if they are too long for a float.
    if frame is None or _has_long_numbers(frame):
        return pd.read_csv(path, sep=sep, encoding="utf-8-sig", engine=engine, low_memory=False)
    return frame


def _has_long_numbers(frame: pd.DataFrame) -> bool:
    floats = frame.select_dtypes("floating")
    return any(bool((floats[name].abs() >= 2**53).any()) for name in floats.columns)


def _hint(separator: str) -> str:
    return f". Fields are separated by {separator!r}; a field that holds it needs quotes."


def _first_line(error: Exception) -> str:
    text = str(error).replace("Error tokenizing data. C error: ", "").strip()
    return text.splitlines()[0] if text else type(error).__name__


def _undecodable(path: Path, name: str, error: UnicodeDecodeError) -> str:
    line = 0
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        with path.open("rb") as file:
            line = next((i for i, text in enumerate(file, 1) if not _is_utf8(text)), 0)
    place = f":{line}" if line else ""
    byte = error.object[error.start]
    return (
        f"data.path: {name}{place}: the byte 0x{byte:02x} is not UTF-8 text."
        " Save the file as UTF-8."
    )


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_duplicates(name: str, columns: Sequence[str]) -> None:
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        listed = ", ".join(f"`{column}`" for column in repeated)
        raise DataError(f"data.path: {name} names a column twice: {listed}. Rename one of them.")


def _refuse_short_lines(path: Path, name: str, separator: str, frame: pd.DataFrame) -> None:
    """Refuse lines that end too early, which pandas would fill with empty values."""
    is_text = path.suffix.lower() in (".csv", ".tsv", ".txt") and len(separator) == 1
    # A short line leaves its last field empty, so most files need no second reading.
    if not is_text or frame.shape[1] < 2 or not frame.iloc[:, -1].isna().any():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        for fields in reader:
            if fields and len(fields) < frame.shape[1]:
                raise DataError(
                    f"data.path: {name}:{reader.line_num}: {len(fields)} fields where the header"
                    f" has {frame.shape[1]}"
                )
