"""What is believed of a study that is not run: the ledger, or else the history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.clones import CommittedHistory, committed_history
from tunesmith.config.model import Definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.ledger.takeover import goes_on
from tunesmith.parts import outer_definitions, outer_records

LEDGER, HISTORY = "ledger", "history"


@dataclass(frozen=True)
class Believed:
    """A study's record, and where it comes from."""

    record: StudyRecord
    nested: tuple[StudyRecord, ...]
    """The searches of its nested cross-validation."""
    source: str
    """``ledger`` or ``history``."""


def believed(
    definition: Definition, committed: CommittedHistory | None, identity: str | None
) -> Believed | None:
    """The record that a run would go on from; ``None`` where there is none.

    That is the series with the present identity, of the ledger or of the history, whichever goes
    on where the other one ends. Where both tell of other trials, the ledger is believed.

    Args:
        definition: of the study.
        committed: the history, if one is configured.
        identity: of the present series, where it is known; else the last series counts.
    """
    ours = of_ledger(definition, identity)
    theirs = _of_history(definition, committed)
    if ours is None or theirs is None:
        return ours or theirs
    one, other = ours.record, theirs.record
    if one.head.identity != other.head.identity:
        return theirs if other.head.identity == identity else ours
    is_behind = one.history.n_told < other.history.n_told
    return theirs if is_behind and goes_on(list(one.history.told), other.history) else ours


def of_history(definition: Definition) -> Believed | None:
    """What the history tells; ``None`` where there is none, or it cannot be used.

    A clone in which DVC finds nothing to do never runs the study, and has no ledger.
    """
    return _of_history(definition, committed_history(definition))


def last_heads(definition: Definition, committed: CommittedHistory | None) -> Iterator[StudyHead]:
    """The series that ran last here, and that of the history."""
    name, location = definition.file.study, definition.ledger
    if not isinstance(location, Path) or location.is_file():
        with Ledger.open(location, create=False) as ledger:
            if (head := ledger.previous(name)) is not None:
                yield head
    if committed is not None and name in committed.records:
        yield committed.records[name].head


def of_ledger(definition: Definition, identity: str | None = None) -> Believed | None:
    """What the ledger tells; ``None`` where it has nothing of the study.

    Args:
        definition: of the study.
        identity: of the series, if it is there; else that which ran last.
    """
    location, name = definition.ledger, definition.file.study
    if isinstance(location, Path) and not location.is_file():
        return None
    with Ledger.open(location, create=False) as ledger:
        if ledger.previous(name) is None:
            return None
        head = None if identity is None else ledger.series(name, identity)
        generation = None if head is None else head.generation
        record = ledger.load(name, generation, like=definition.as_json())
        return Believed(record, outer_records(ledger, definition, record), LEDGER)


def _of_history(definition: Definition, committed: CommittedHistory | None) -> Believed | None:
    records: Mapping[str, StudyRecord] = {} if committed is None else committed.records
    record = records.get(definition.file.study)
    if record is None or not record.runs:
        return None
    outer = outer_definitions(definition, record.head.context.get("data", ""))
    names = [one.file.study for one in outer]
    return Believed(record, tuple(records[name] for name in names if name in records), HISTORY)
