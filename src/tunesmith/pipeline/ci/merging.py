"""Results that two jobs have written, brought together if that loses nothing."""

import posixpath

from tunesmith.errors import UsageError
from tunesmith.ledger.portable import KIND, HistoryError, read_history
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.takeover import goes_on
from tunesmith.pipeline.dvc.document import LOCK
from tunesmith.pipeline.dvc.lock_merge import merge_locks


def merged(path: str, base: str | None, ours: str | None, theirs: str | None) -> str | None:
    """A file that both sides have changed, as it is with the work of both.

    Args:
        path: of the file, relative to the repository.
        base: the text that both come from; ``None`` if there was no file.
        ours: of this side.
        theirs: of the other side; ``None`` if it has removed the file.

    Returns:
        The text; ``None`` if a person has to decide.
    """
    if ours is None or theirs is None:
        return None
    try:
        if posixpath.basename(path) == LOCK:
            return merge_locks(base or "", ours, theirs)
        if all(is_history(text) for text in (ours, theirs)):
            return merge_histories(ours, theirs)
    except UsageError:
        pass
    return None


def is_history(text: str) -> bool:
    """Whether a text begins as the history of a study does."""
    return text.startswith(f'{{"kind": "{KIND}"')


def merge_histories(ours: str, theirs: str) -> str:
    """Take every study as far as either side has evaluated it.

    Raises:
        HistoryError: the sides tell of other trials of one study, or cannot be read.
    """
    parts = [_sections(text) for text in (ours, theirs)]
    records = [read_history(text) for text in (ours, theirs)]
    names = dict.fromkeys([*records[1], *records[0]])
    return "".join(parts[_longer(name, *records)][name] for name in names)


def _longer(name: str, ours: dict[str, StudyRecord], theirs: dict[str, StudyRecord]) -> int:
    """Whose trials of a study hold the other side's: 0 ours, 1 theirs."""
    if name not in ours or name not in theirs:
        return 0 if name in ours else 1
    one, other = ours[name], theirs[name]
    if one.head.identity != other.head.identity:
        raise HistoryError(f"the sides have run other series of study `{name}`")
    if goes_on(list(one.history.told), other.history):
        return 1
    if goes_on(list(other.history.told), one.history):
        return 0
    raise HistoryError(f"the sides tell of other trials of study `{name}`")


def _sections(text: str) -> dict[str, str]:
    """The lines of each study."""
    found: dict[str, str] = {}
    for line in text.splitlines(keepends=True):
        if is_history(line):
            (name,) = read_history(line)
            found[name] = ""
        found[name] += line if line.endswith("\n") else f"{line}\n"
    return found
