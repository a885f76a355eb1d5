"""A study that a ledger alone describes, such as one of objects in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.config.model import Definition, File
from tunesmith.history import Trial
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord

MAGIC = b"SQLite format 3\0"


def is_ledger(path: Path) -> bool:
    """Tell whether a file is a ledger instead of a configuration."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def open_ledger(path: Path) -> tuple[Definition, StudyRecord]:
    """Return the last study of a ledger, defined as it was recorded.

    Args:
        path: of the ledger.

    Raises:
        UsageError: it holds no study.
    """
    # Late: commands that read a configuration need nothing of it.
    from tunesmith.analysis.importance.declared import declared_space

    with Ledger.open(path, create=False) as ledger:
        record = ledger.load(is_whole=False)
    space, _ = declared_space(record.recorded.space, _completed(record))
    file = _file(record, str(path.absolute()))
    return Definition(file=file, space=space, root=Path.cwd(), source=path), record


def _completed(record: StudyRecord) -> Iterator[Trial]:
    # Only read if the space is not recorded.
    yield from record.history.completed


def _file(record: StudyRecord, place: str) -> File:
    # The ledger may have been moved since.
    try:
        return File.model_validate({**record.recorded.sections, "ledger": place})
    except ValidationError:
        # A search of `tunesmith.sklearn` records less.
        return File.model_validate({**_least(record), "ledger": place})


def _least(record: StudyRecord) -> dict[str, Any]:
    return {
        "study": record.head.name,
        "objective": {"metric": [metric.name for metric in record.objectives]},
    }
