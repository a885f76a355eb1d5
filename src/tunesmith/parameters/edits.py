"""Detection of hand edits of a best-parameters file.

A file that a run has written holds the digest of its parameters. Comments and the order of its keys
may change freely; a file without a digest was written by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.analysis.chosen import chosen_trial
from tunesmith.analysis.compare import differences
from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.content import content_of
from tunesmith.parameters.shape import is_origin
from tunesmith.system import git
from tunesmith.system.fingerprint import digest


@dataclass(frozen=True)
class Edit:
    """A hand edit of a best-parameters file."""

    params: Mapping[str, Any]
    trial: int | None
    """The trial whose parameters were there before; ``None`` if no run wrote the file."""
    changes: tuple[str, ...]
    """``name: old -> new``, by name; empty if the earlier parameters are not known."""
    is_adopted: bool = False
    """True if it is another trial than the winner, adopted as it is."""

    @property
    def words(self) -> str:
        """
        >>> Edit({}, 41, ("learning_rate: 0.01 -> 0.005",)).words
        'edited by hand since trial 41 (learning_rate: 0.01 -> 0.005)'
        """
        if self.is_adopted:
            return f"trial {self.trial} was adopted"
        listed = f" ({', '.join(self.changes)})" if self.changes else ""
        if self.trial is None:
            return f"written by hand{listed}"
        return f"edited by hand since trial {self.trial}{listed}"


def edit_of(best: BestFile, record: StudyRecord | None = None) -> Edit | None:
    """Return the hand edit of a file; ``None`` if the file is missing or as it was written.

    Args:
        best: the best-parameters file.
        record: of the study that wrote it, with its trials.

    Raises:
        UsageError: it cannot be read.
    """
    if not best.path.is_file():
        return None
    params, meta = best.read()
    if not is_origin(meta):
        return _edit_without_meta(best, params, record)
    assert meta is not None  # noqa: S101 - it is an origin
    if meta.get("digest") == digest(params):
        return Edit(params, meta.get("trial"), (), is_adopted=True) if meta.get("adopted") else None
    number = meta.get("trial")
    # The ledger may have begun a new series since the file was written; Git may know the old one.
    before = _params_of(record, meta, number) or _committed(best, meta)
    return Edit(params, number, () if before is None else tuple(differences(before, params)))


def _edit_without_meta(
    best: BestFile, params: Mapping[str, Any], record: StudyRecord | None
) -> Edit | None:
    """Return the same for a file that does not name the origin of its parameters.

    The last run's parameters tell whether they are a run's: ``outputs: {tuned: …}`` if the
    configuration names one, the record's own choice otherwise.
    """
    tuned = best.tuned_params
    if tuned is None and record is not None and best.outputs.tuned is None:
        chosen = chosen_trial(record.history, record.head.recorded, record.metrics)
        tuned = None if chosen is None else dict(chosen.params)
    if tuned is not None and digest(dict(tuned)) == digest(dict(params)):
        return None
    number = _number_of(params, record)
    if number is not None:
        # Without an origin a file cannot say that a trial was adopted: that it equals one tells.
        return Edit(params, number, (), is_adopted=True)
    return Edit(params, None, () if tuned is None else tuple(differences(tuned, params)))


def _number_of(params: Mapping[str, Any], record: StudyRecord | None) -> int | None:
    """The complete trial that has these parameters."""
    trials = () if record is None else record.history.successful
    wanted = digest(dict(params))
    return next((t.number for t in trials if digest(dict(t.params)) == wanted), None)


def _params_of(
    record: StudyRecord | None, meta: Mapping[str, Any] | None, number: object
) -> Mapping[str, Any] | None:
    """Parameters of the trial that the file comes from, if it is one of the present series."""
    if record is None or meta is None or not isinstance(number, int):
        return None
    if meta.get("study") != record.head.name or not 0 <= number < record.history.n_completed:
        return None
    # The same number in another series is another trial: the digest tells.
    params = dict(record.history[number].params)
    return params if digest(params) == meta.get("digest") else None


def _committed(best: BestFile, meta: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Parameters in the commit that is checked out, if the file had them before the edit."""
    path = best.path
    commit = None if meta is None else git.commit(path.parent, "HEAD")
    text = None if commit is None else git.content(path.parent, commit, path.name)
    if meta is None or text is None:
        return None
    try:
        params, _ = best.shape.read(content_of(text, path), str(path))
    except UsageError:
        return None
    return params if digest(params) == meta.get("digest") else None
