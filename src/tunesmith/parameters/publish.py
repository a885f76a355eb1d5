"""New content of the best-parameters file, or the decision to leave it unchanged.

If ``outputs: {tuned: …}`` is set, the file is user-owned: a run writes it only while nobody has
edited it. Otherwise it is managed: the next run reverts an edit. A gate may hold the winner back.
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.analysis.ranking import Ranked, find_ranked, keys_of
from tunesmith.analysis.summary import Summary
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import Edit, edit_of
from tunesmith.parameters.shape import is_origin
from tunesmith.parameters.texts import meta_of
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest


def published_text(summary: Summary, best: BestFile, *, is_forced: bool = False) -> str | None:
    """Return the new content of the best-parameters file; ``None`` if it is left unchanged.

    Args:
        summary: of the study.
        best: the file.
        is_forced: write a new file in any case.

    Raises:
        UsageError: the file cannot be read, holds something else, or TOML cannot hold the winner.
    """
    trial = _trial(summary, best)
    if trial is None:
        return None
    if best.outputs.tuned is not None and best.path.is_file() and not is_forced:
        if _is_kept(edit_of(best), trial):
            return None
        params, meta = best.read()
        if meta == meta_of(summary, trial) and _same(params, trial.params):
            return None  # comments that somebody wrote stay
    return best.text(summary, trial, is_forced=is_forced)


def kept_edit(summary: Summary, best: BestFile, record: StudyRecord | None = None) -> Edit | None:
    """Return the hand edit for which a run leaves the file unchanged; ``None`` if there is none.

    Args:
        summary: of the study.
        best: the file.
        record: of the study, with its trials.

    Raises:
        UsageError: the file cannot be read.
    """
    trial = None if best.outputs.tuned is None else _trial(summary, best)
    edit = None if trial is None else edit_of(best, record)
    return edit if trial is not None and _is_kept(edit, trial) else None


def _is_kept(edit: Edit | None, trial: Ranked) -> bool:
    # An edit that equals the winner is not kept: the file gets its origin back.
    return edit is not None and not _same(edit.params, trial.params)


def _trial(summary: Summary, best: BestFile) -> Ranked | None:
    """Trial whose parameters belong into the file."""
    # Nothing here has shown that they are good.
    if summary.recorded.taken_from:
        return None
    if summary.gate is None or not summary.gate.holds_back:
        return summary.chosen
    # A trial that somebody adopted earlier is written again, unless the file was edited since.
    number = summary.gate.reference
    kept = find_ranked(summary.ranking, number)
    if kept is None or not best.path.is_file():
        return None
    params, meta = best.read()
    if not _is_as_written(params, meta, summary):
        return None
    return None if _same(params, kept.params) else kept


def _is_as_written(
    params: Mapping[str, Any], meta: Mapping[str, Any] | None, summary: Summary
) -> bool:
    """Tell whether a run of this study wrote these parameters, and nobody edited them."""
    if is_origin(meta) and meta is not None:
        return (meta["study"], meta["digest"]) == (summary.study, digest(dict(params)))
    return canonical_json(dict(params)) in keys_of(summary.ranking)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return canonical_json(dict(one)) == canonical_json(dict(other))
