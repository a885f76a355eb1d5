"""Staleness of a study: its results compared with the project as it is now."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.config.model import Definition
from tunesmith.errors import TunesmithError
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import Edit, edit_of
from tunesmith.runs.up_to_date import UpToDateCheck
from tunesmith.types import StopKind

if TYPE_CHECKING:
    from tunesmith.runs.factory import Described


@dataclass(frozen=True)
class Staleness:
    """Staleness of a study's results for the project as it is now."""

    is_current: bool | None
    """True if they were found with the present data, code, versions and configuration; ``None``
    if that is not known."""
    reasons: tuple[str, ...]
    """Changes since then, or the reason for which they are not known."""
    left: str | None
    """Reason for which a run would continue, if the study is current and not finished."""
    edit: Edit | None
    """Edit of the best-parameters file, if any."""

    @property
    def words(self) -> str:
        """The staleness in a line.

        >>> Staleness(False, ("the data changed",), None, None).words
        'stale: the data changed'
        """
        if self.is_current is None:
            return f"not known: {', '.join(self.reasons)}"
        if not self.is_current:
            return f"stale: {', '.join(self.reasons)}"
        return f"unfinished: {self.left}" if self.left else "up to date"


def staleness(definition: Definition, record: StudyRecord) -> Staleness:
    """Compare a study with the project as it is now; evaluates nothing.

    Args:
        definition: as it is now.
        record: of the study's last series.
    """
    edit = edit_of(BestFile.of(definition), record)
    if record.recorded.is_in_memory:
        return Staleness(None, ("its data and code were in memory",), None, edit)
    if UpToDateCheck(definition).record(is_read=True) is not None:
        return Staleness(True, (), None, edit)
    # Only a study that is not up to date needs the parts of a run: they take long to import.
    from tunesmith.objective.choose import outline

    try:
        objective = outline(definition, counts_folds=False)
    except TunesmithError as error:
        first = str(error).splitlines()[0]
        return Staleness(None, (first,), None, edit)
    reasons = tuple(stale_reasons(definition, record, objective))
    return Staleness(
        not reasons, reasons, None if reasons else left_to_do(definition, record), edit
    )


def stale_reasons(
    definition: Definition, record: StudyRecord, objective: "Described"
) -> Iterator[str]:
    """Yield the changes since the series of trials began; none if it is the present one.

    Args:
        definition: as it is now.
        record: of the series.
        objective: built from the definition, or its outline.
    """
    from tunesmith.runs.causes import Causes, read_files_changed
    from tunesmith.runs.factory import identity

    if record.head.identity == identity(definition, objective):
        yield from read_files_changed(record.head, objective)
    else:
        yield from Causes(definition, objective).reasons(record.head)


def left_to_do(definition: Definition, record: StudyRecord) -> str | None:
    """Return the reason for which a run would continue; a time limit that was met is an end."""
    if record.outdated:
        return record.outdated
    last = record.runs[-1] if record.runs else None
    if last is None or last.stopped_by is None:
        return "the last run was cut off; `tunesmith run` continues it"
    if last.stopped_by.kind is StopKind.INTERRUPTED:
        return f"{last.stopped_by.text}; `tunesmith run` continues it"
    stop = definition.file.stop
    is_same = last.recorded.section("stop") == stop.model_dump(mode="json")
    is_all = last.stopped_by.kind in (StopKind.ALL_TRIED, StopKind.EXHAUSTED)
    if is_all or is_same:
        return None
    from tunesmith.search.stopping import build as build_criterion

    is_spent = build_criterion(stop, definition.space).is_spent(record.history, 0.0)
    return None if is_spent else "`stop` has changed; `tunesmith run` goes on"
