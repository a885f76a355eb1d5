"""Merge of results that two jobs have written, if that loses nothing."""

import posixpath

from tunesmith.errors import UsageError
from tunesmith.ledger.histories.merging import merge
from tunesmith.ledger.histories.portable import KIND
from tunesmith.pipeline.dvc.document import LOCK
from tunesmith.pipeline.dvc.lock_merge import merge_locks


def merged(path: str, base: str | None, ours: str | None, theirs: str | None) -> str | None:
    """Return the merged text of a file that both sides have changed.

    Args:
        path: of the file, relative to the repository.
        base: the text that both come from; ``None`` if there was no file.
        ours: of this side.
        theirs: of the other side; ``None`` if it has removed the file.

    Returns:
        The text; ``None`` if a person has to decide.
    """
    # One side has removed it and the other has changed it: no rule says which was meant.
    if ours is None or theirs is None:
        return None
    try:
        if posixpath.basename(path) == LOCK:
            return merge_locks(base or "", ours, theirs)
        if all(is_history(text) for text in (ours, theirs)):
            # The tip's definition goes first: the list of trials follows it.
            return merge(theirs, ours)
    except UsageError:
        pass
    return None


def is_history(text: str) -> bool:
    """Tell whether a text begins as the history of a study does."""
    return text.startswith(f'{{"kind": "{KIND}"')
