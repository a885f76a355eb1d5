"""Access of reading commands to a study: configuration -> ledger, or history -> record."""

from pathlib import Path

from tunesmith.cli.common.ledger_file import is_ledger, open_ledger
from tunesmith.cli.common.options import find_config, shown
from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord


def open_record(config: Path | None) -> tuple[Definition, StudyRecord]:
    """Return the definition and the record of its study.

    Raises:
        UsageError: nothing has been run yet.
    """
    definition, record, _ = open_records(config)
    return definition, record


def open_records(
    config: Path | None,
) -> tuple[Definition, StudyRecord, tuple[StudyRecord, ...]]:
    """Return the same, with the searches of its nested cross-validation.

    Raises:
        UsageError: nothing has been run yet.
    """
    path = find_config(config)
    if is_ledger(path):
        definition, record = open_ledger(path)
        return definition, record, ()
    definition = load_definition(path)
    location, has_history = definition.ledger, definition.file.outputs.history is not None
    if has_history:
        from tunesmith.pipeline.latest_record import RecordSources
    if isinstance(location, Path) and not location.is_file():
        # A clone in which nothing was left to do has no ledger.
        found = RecordSources(definition).in_history() if has_history else None
        if found is None:
            raise _not_run(definition.file.study, location)
        return definition, found.record, found.nested
    # A command that only reads must not leave an empty ledger behind.
    with Ledger.open(location, create=False) as ledger:
        record = ledger.load(definition.file.study, like=definition.as_json(), is_whole=False)
        other = RecordSources(definition).history_instead_of(record) if has_history else None
        if other is not None:
            return definition, other.record, other.nested
        record = RecordSources(definition).with_notes(record) if has_history else record
        if definition.file.outer_folds is None:
            return definition, record, ()
        from tunesmith.runs.factory import outer_records

        return definition, record, outer_records(ledger, definition, record)


def _not_run(study: str, ledger: Path) -> UsageError:
    return UsageError(
        f"study `{study}` has not been run yet: there is no ledger {shown(ledger)}.\n"
        "  Begin with `tunesmith run`."
    )
