"""What commands say of best parameters that people have edited."""

from typing import TYPE_CHECKING

from tunesmith.cli.options import shown
from tunesmith.cli.streams import say
from tunesmith.files import inside

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.reporting.summary import Summary


def say_kept(definition: "Definition", record: "StudyRecord", summary: "Summary") -> bool:
    """Say on stderr that an edit was left alone, and how to take the winner over.

    Returns:
        Whether one was.
    """
    from tunesmith.reporting.handover import kept_edit

    outputs = definition.file.outputs
    edit = kept_edit(summary, definition.root, outputs, record)
    if edit is None:
        return False
    place = shown(inside(definition.root, outputs.best.path))
    say(f"{place} is kept: {edit.words}. `tunesmith adopt` takes the winner over.")
    return True
