"""``tunesmith note``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.ledger_file import is_ledger
from tunesmith.cli.common.options import (
    config_option,
    find_config,
    json_option,
    pointing_into,
    print_json,
    shown,
)
from tunesmith.cli.common.reading import open_record, open_records
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.runs.outputs import Written

MAX_CHARACTERS = 2000


@click.command("note")
@click.argument("trial", type=click.IntRange(min=0))
@click.argument("text", required=False)
@click.option("--remove", is_flag=True, help="Remove the notes on this trial.")
@config_option
@json_option
def command(
    trial: int, text: str | None, config: Path | None, *, remove: bool, as_json: bool
) -> None:
    """Write a note on TRIAL, a number; without TEXT, print those that it has.

    Notes are kept in the ledger and in the history, and shown in the report, on its page and by
    `tunesmith trials`. They decide nothing.
    """
    from tunesmith.reporting.escape import terminal

    if remove and text is not None:
        raise UsageError("TEXT and --remove: give one of them.")
    if remove or text is not None:
        record, written = write_note(find_config(config), trial, text)
    else:
        record, written = open_record(config)[1], []
        _check_is_finished(record, trial)
    texts = record.notes.get(trial, ())
    if as_json:
        files = [{"path": str(item.path), "changed": item.changed} for item in written]
        study = record.head.name
        print_json("note", {"study": study, "trial": trial, "notes": list(texts), "files": files})
        return
    for each in texts:
        show(terminal(each))
    if not texts:
        say(f"trial {trial} has no note.")
    for item in written:
        say(f"  {'written' if item.changed else 'unchanged':10} {shown(item.path)}")


def write_note(path: Path, trial: int, text: str | None) -> "tuple[StudyRecord, list[Written]]":
    """Write a further note on a trial, or remove all of its notes.

    Args:
        path: configuration of the study.
        trial: number of a completed trial.
        text: of the note; ``None`` removes.

    Returns:
        The record with its notes, and the outputs that were written again.

    Raises:
        UsageError: the trial is not finished, the text is no note, or the study was run elsewhere.
    """
    definition, record, nested = open_records(path)
    _check_is_finished(record, trial)
    kept = None if text is None else _checked(text)
    record = _changed(definition.ledger, record, trial, kept)
    if is_ledger(path):
        return record, []
    with pointing_into(path):
        return record, _rewritten(definition, record, nested)


def _check_is_finished(record: "StudyRecord", trial: int) -> None:
    n = record.history.n_completed
    if trial >= n:
        last = f"the last one that is: {n - 1}" if n else "none is yet"
        raise UsageError(f"trial {trial} is not finished; {last}.")


def _checked(text: str) -> str:
    """Return the text of a note as it is kept.

    Raises:
        UsageError: it is empty, or too long.
    """
    text = text.strip()
    if not text:
        raise UsageError("a note needs a text. Use --remove to remove the notes on a trial.")
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"a note has at most {MAX_CHARACTERS:,} characters; this has {len(text):,}."
        )
    return text


def _changed(
    location: str | Path, record: "StudyRecord", trial: int, text: str | None
) -> "StudyRecord":
    """Change the notes on a trial in the ledger; return the record with all notes.

    Args:
        location: of the ledger.
        record: the study's record, with the notes that only the history file has.
        trial: number of the trial.
        text: a further note; ``None`` removes those that the trial has.

    Raises:
        UsageError: the ledger does not have this study.
    """
    from tunesmith.ledger.ledger import Ledger

    if not record.head.id:
        raise UsageError(
            f"study `{record.head.name}` was not run here: this is its history, as Git keeps it.\n"
            "  `tunesmith run` reads it into a ledger, which holds the notes; then write the note."
        )
    with Ledger.open(location) as ledger:
        for number, texts in record.notes.items():
            ledger.add_notes(record.head.id, number, texts)
        if text is None:
            ledger.remove_notes(record.head.id, trial)
        else:
            ledger.add_notes(record.head.id, trial, [text])
        return replace(record, notes=ledger.notes(record.head.id))


def _rewritten(
    study: "Definition", record: "StudyRecord", nested: "tuple[StudyRecord, ...]"
) -> "list[Written]":
    """Write the note into the outputs that are there; a run that is on does so at its end."""
    from tunesmith.analysis.choice.policy import Policy
    from tunesmith.ledger.lock import holder
    from tunesmith.runs.models.reading import summary_of
    from tunesmith.runs.outputs import write_again

    if holder(study.ledger, record.head.name) is not None:
        say("A run is on, and writes the note into the report at its end.")
        return []
    summary = summary_of(study, record, Policy.of(study.file), nested)
    return write_again(record, study.root, study.file.outputs, summary, nested)
