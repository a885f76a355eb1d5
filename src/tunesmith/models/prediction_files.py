"""Files of out-of-fold predictions: CSV or Parquet, written fold by fold."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tunesmith.errors import DataError, UsageError
from tunesmith.system.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd

PLACE = ("trial", "row", "fold")
"""First columns of a table."""
EVALUATION = "evaluation"
"""Column with a digest of the trial and its scores: it tells which results the rows belong to."""
MARK = b"tunesmith_predictions"
"""Key in the metadata of a Parquet file, which stand at its end."""
HEAD = ",".join(PLACE) + ","
"""Beginning of a CSV file."""
PARQUET = ".parquet"
MAX_ROWS = 10_000_000
"""Most rows of a file."""
NEEDS_PYARROW = "needs pyarrow: pip install 'tunesmith[parquet]', or name a file that ends in .csv"


def check_form(path: Path) -> None:
    """Refuse a file that could not be written.

    Raises:
        UsageError: it is a Parquet file, and pyarrow is not installed.
    """
    from importlib.util import find_spec

    if path.suffix == PARQUET and find_spec("pyarrow") is None:
        raise UsageError(f"outputs.predictions: writing {path.name} {NEEDS_PYARROW}.")


# -- writing -------------------------------------------------------------------------------------


def write_predictions(parts: "Iterable[pd.DataFrame]", path: Path) -> bool:
    """Write parts of a table, one below the other; return false if the file was like that already.

    One part is in memory at a time, and the finished file once.

    Args:
        parts: at least one; columns that some of them lack are empty there.
        path: of the file, ``.csv`` or ``.parquet``.

    Raises:
        StorageError: the file cannot be written.
        UsageError: there is no part, or there are too many rows.
    """
    with TemporaryDirectory(prefix="tunesmith-") as folder:
        spooled, head = _spool(parts, Path(folder))
        made = Path(folder, f"table{path.suffix}")
        frames = (_like(head, _read_spooled(file)) for file in spooled)
        (_write_parquet if path.suffix == PARQUET else _write_csv)(frames, head, made)
        return write_atomic(path, made.read_bytes())


def _spool(parts: "Iterable[pd.DataFrame]", folder: Path) -> "tuple[list[Path], pd.DataFrame]":
    """Put parts aside; return their files, and a table of all columns without rows."""
    import pandas as pd

    files: list[Path] = []
    heads: list[pd.DataFrame] = []
    n_rows = 0
    for number, part in enumerate(parts):
        n_rows += len(part)
        if n_rows > MAX_ROWS:
            raise UsageError(
                f"there are more than {MAX_ROWS:,} rows; take fewer `trials` or repeats of folds"
            )
        file = folder / str(number)
        part.to_pickle(file)
        files.append(file)
        heads.append(part.iloc[:1])
    if not heads:
        raise UsageError("no trial has a score on every fold")
    # The columns of all parts, each of the type that holds the values of all.
    together = pd.concat(heads, ignore_index=True)
    order = [name for name in together.columns if name != EVALUATION]
    return files, together[[*order, EVALUATION]].iloc[:0]


def _read_spooled(file: Path) -> "pd.DataFrame":
    import pandas as pd

    # Written by this process a moment ago, into a folder that is readable for the user alone.
    frame: pd.DataFrame = pd.read_pickle(file)  # noqa: S301
    return frame


def _like(head: "pd.DataFrame", part: "pd.DataFrame") -> "pd.DataFrame":
    """Return a part with all columns, in their types."""
    whole = part.reindex(columns=head.columns).astype(head.dtypes.to_dict())
    for name in whole.columns:
        # A file has one type a column: words and numbers side by side are words.
        if whole[name].dtype.kind == "O":
            whole[name] = whole[name].map(str, na_action="ignore")
    return whole


def _write_csv(frames: "Iterable[pd.DataFrame]", head: "pd.DataFrame", path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        head.to_csv(file, index=False, lineterminator="\n")
        for frame in frames:
            frame.to_csv(file, index=False, header=False, lineterminator="\n")


def _write_parquet(frames: "Iterable[pd.DataFrame]", head: "pd.DataFrame", path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.Schema.from_pandas(_like(head, head), preserve_index=False)
    fields = [_field(field, head[field.name].dtype) for field in schema]
    schema = pa.schema(fields, metadata={MARK: b"1"})
    with parquet.ParquetWriter(path, schema) as writer:
        for frame in frames:
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))


def _field(field: Any, dtype: Any) -> Any:
    import pyarrow as pa

    # An empty column of words says nothing of its type.
    is_words = (
        dtype.kind == "O" or pa.types.is_null(field.type) or pa.types.is_large_string(field.type)
    )
    return pa.field(field.name, pa.string() if is_words else field.type)


# -- reading -------------------------------------------------------------------------------------


def is_prediction_file(path: Path) -> bool:
    """Tell whether Tunesmith wrote a file of predictions, by its head or end; it is not read."""
    if path.suffix != PARQUET:
        with path.open("rb") as file:
            head = file.readline(65_536)
        return head.startswith(HEAD.encode()) and EVALUATION.encode() in head
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little")
        # The metadata end just before their own length.
        file.seek(max(0, size - 8 - length))
        return MARK in file.read(min(length, size))


def read_predictions(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Read a table of out-of-fold predictions.

    Args:
        path: of the file that a run has written.
        columns: those to read; all by default.

    Raises:
        DataError: it cannot be read.
        UsageError: pyarrow is needed, and not installed.
    """
    import pandas as pd

    wanted = None if columns is None else list(columns)
    try:
        if path.suffix == PARQUET:
            return pd.read_parquet(path, columns=wanted)
        # A class may be called `NA`, and digests may look like numbers.
        return pd.read_csv(
            path,
            usecols=wanted,
            dtype={EVALUATION: str},
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            **_exact_numbers(),
        )
    except ImportError:
        raise UsageError(f"{path.name}: reading it {NEEDS_PYARROW}.") from None
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path.name} cannot be read as a table of predictions: {error}") from None


def _exact_numbers() -> dict[str, str]:
    """Return options that make pandas read numbers as they were written, to the last bit."""
    import pandas as pd

    # Since 3.1 it always does, and warns of the option.
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    return {} if version >= (3, 1) else {"float_precision": "round_trip"}
