"""The latest record of a study, without running it: from the ledger, or else from the history."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import TunesmithError
from tunesmith.history import Holds, always
from tunesmith.ledger.histories.import_trials import goes_on
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.runs.factory import build_objective, outer_records
from tunesmith.runs.factory import identity as identity_of
from tunesmith.runs.import_history import CommittedHistory, committed_history
from tunesmith.runs.project_code import project_on_path
from tunesmith.system.files import inside

LEDGER, HISTORY = "ledger", "history"


@dataclass(frozen=True)
class LatestRecord:
    """A study's record with its source."""

    record: StudyRecord
    nested: tuple[StudyRecord, ...]
    """The searches of its nested cross-validation."""
    source: str
    """``ledger`` or ``history``."""


@dataclass(frozen=True)
class RecordSources:
    """The places that may hold a study's record: its ledger, and the history that Git keeps.

    Nothing is run, and each place is read when it is needed.
    """

    definition: Definition

    @cached_property
    def committed(self) -> CommittedHistory | None:
        """The history; ``None`` if none is configured.

        Raises:
            UsageError: its path leads out of the project.
        """
        return committed_history(self.definition.root, self.definition.file.outputs.history)

    def latest(self, identity: str | None, holds: Holds = always) -> LatestRecord | None:
        """Return the record that a run would continue; ``None`` if there is none.

        That is the series of trials with the present identity, from the ledger or from the history,
        whichever continues the other. If the two have different trials, the ledger counts.

        Args:
            identity: of the present series, if it is known; else the last series counts.
            holds: tells whether the files that a series has read are unchanged.
        """
        ours, theirs = self.in_ledger(identity, holds), self.in_history()
        if ours is None or theirs is None:
            return ours or theirs
        one, other = ours.record, theirs.record
        if one.head.identity != other.head.identity:
            return theirs if other.head.identity == identity else ours
        is_behind = one.history.n_completed < other.history.n_completed
        return theirs if is_behind and goes_on(list(one.history.completed), other.history) else ours

    def in_ledger(self, identity: str | None = None, holds: Holds = always) -> LatestRecord | None:
        """Return the record in the ledger; ``None`` if it has nothing of the study.

        Args:
            identity: of the series, if it is there; else the series that ran last.
            holds: tells whether the files that a series has read are unchanged.
        """
        location, name = self.definition.ledger, self.definition.file.study
        if isinstance(location, Path) and not location.is_file():
            return None
        with Ledger.open(location, create=False) as ledger:
            if ledger.previous(name) is None:
                return None
            head = None if identity is None else ledger.series(name, identity, holds)
            generation = None if head is None else head.generation
            record = ledger.load(name, generation, like=self.definition.as_json())
            nested = outer_records(ledger, self.definition, record)
            return LatestRecord(record, nested, LEDGER)

    def in_history(self) -> LatestRecord | None:
        """Return the record in the history; ``None`` if there is none or it cannot be used.

        A clone in which DVC finds nothing to do never runs the study, and has no ledger.
        """
        records = {} if self.committed is None else self.committed.records
        record = records.get(self.definition.file.study)
        if record is None or not record.runs:
            return None
        outer = self.definition.outer_searches(record.head.context.get("data", ""))
        names = [one.file.study for one in outer]
        found = tuple(records[name] for name in names if name in records)
        return LatestRecord(record, found, HISTORY)

    def history_instead_of(self, record: StudyRecord) -> LatestRecord | None:
        """Return the history if it describes the project as it is and the ledger's record does not.

        ``dvc exp apply`` and Git bring the files of runs that were made elsewhere.

        Args:
            record: what the ledger has of the study.

        Returns:
            ``None`` if the record of the ledger counts.
        """
        told = self._head_in_history()
        # Heads and counts are compared before anything else: an objective takes long to build.
        if told is None or told == (record.head.identity, record.history.n_completed):
            return None
        if told[0] == record.head.identity and told[1] < record.history.n_completed:
            return None
        try:
            with project_on_path(self.definition.root):
                mark = identity_of(self.definition, build_objective(self.definition))
        except TunesmithError:
            return None
        found = self.latest(mark)
        return found if found is not None and found.source == HISTORY else None

    def with_notes(self, record: StudyRecord) -> StudyRecord:
        """Add the notes that the history has on trials of this series, and the ledger lacks."""
        name = self.definition.file.outputs.history
        path = None if name is None else inside(self.definition.root, name)
        # Most histories have no note, and are not parsed for it.
        if path is None or not path.is_file() or b'\n{"note": ' not in path.read_bytes():
            return record
        head, committed = record.head, self.committed
        told = None if committed is None else committed.record_of(head.name, head.identity)
        if told is None or told.head.identity != head.identity:
            return record
        return record.with_notes(told.notes)

    def _head_in_history(self) -> tuple[str, int] | None:
        """Identity and number of trials in the history file, without reading all of it."""
        file = self.definition.file
        name = file.outputs.history
        path = None if name is None else inside(self.definition.root, name)
        if path is None or not path.is_file():
            return None
        mark, n, is_ours = "", 0, False
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for line in lines:
                if line.startswith('{"kind"'):
                    head = _object(line)
                    is_ours = head.get("study") == file.study
                    mark = str(head.get("identity")) if is_ours else mark
                n += is_ours and line.startswith('{"trial"')
        return (mark, n) if mark else None

    def last_heads(self) -> Iterator[StudyHead]:
        """The series that ran last here, and that of the history."""
        name, location = self.definition.file.study, self.definition.ledger
        if not isinstance(location, Path) or location.is_file():
            with Ledger.open(location, create=False) as ledger:
                if (head := ledger.previous(name)) is not None:
                    yield head
        if self.committed is not None and name in self.committed.records:
            yield self.committed.records[name].head


def _object(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
