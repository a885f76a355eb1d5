"""Notice of commands about best parameters that were edited by hand."""

from typing import TYPE_CHECKING

from tunesmith.cli.common.options import shown
from tunesmith.cli.common.streams import say

if TYPE_CHECKING:
    from tunesmith.analysis.summary import Summary
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.parameters.best_file import BestFile


def say_kept(best: "BestFile", record: "StudyRecord", summary: "Summary") -> bool:
    """Say on stderr that an edit was left unchanged, and how to use the winner.

    Args:
        best: the best-parameters file.
        record: of the study.
        summary: of the record.

    Returns:
        True if there was one.
    """
    from tunesmith.parameters.publish import kept_edit

    edit = kept_edit(summary, best, record)
    if edit is None:
        return False
    place = shown(best.path)
    say(f"{place} is kept: {edit.words}. `tunesmith adopt` takes the winner over.")
    return True
