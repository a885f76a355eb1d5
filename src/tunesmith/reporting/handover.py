"""What the best-parameters file is to hold, and when it is left alone.

Where ``outputs: {tuned: …}`` is named, the file belongs to people: a run writes it only while
nobody has edited it. Otherwise it is a run's own, and an edit is undone. A gate may hold the winner
back.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.config.model import Outputs
from tunesmith.files import inside
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.edits import Edit, edit_of
from tunesmith.reporting.parameters import (
    best_parameters,
    is_as_written,
    meta,
    read_parameters,
)
from tunesmith.reporting.ranking import Ranked
from tunesmith.reporting.summary import Summary
from tunesmith.space.parameter import canonical_json


def handed_over(summary: Summary, root: Path, outputs: Outputs) -> str | None:
    """The new content of the best-parameters file; ``None`` where it is left alone.

    Raises:
        UsageError: the file cannot be read, or TOML cannot hold the winner.
    """
    path, trial = inside(root, outputs.best.path), _trial(summary, inside(root, outputs.best.path))
    if trial is None:
        return None
    if outputs.tuned is not None and path.is_file():
        if _is_kept(edit_of(path), trial):
            return None
        params, found = read_parameters(path)
        if found == meta(summary, trial) and _same(params, trial.params):
            return None  # people's comments stay
    return best_parameters(summary, path.suffix, trial)


def kept_edit(
    summary: Summary, root: Path, outputs: Outputs, record: StudyRecord | None = None
) -> Edit | None:
    """What somebody has edited, where a run leaves it alone for that reason.

    Args:
        summary: of the study.
        root: the project folder.
        outputs: of the configuration.
        record: of the study, which knows what stood there before.

    Raises:
        UsageError: the file cannot be read.
    """
    path = inside(root, outputs.best.path)
    trial = None if outputs.tuned is None else _trial(summary, path)
    edit = None if trial is None else edit_of(path, record)
    return edit if trial is not None and _is_kept(edit, trial) else None


def _is_kept(edit: Edit | None, trial: Ranked) -> bool:
    return edit is not None and not _same(edit.params, trial.params)


def _trial(summary: Summary, path: Path) -> Ranked | None:
    """Whose parameters belong into the file."""
    if summary.gate is None or not summary.gate.holds_back:
        return summary.chosen
    # What an earlier run had adopted is put back, unless somebody edited it.
    number = summary.gate.reference
    kept = next((trial for trial in summary.ranking if trial.number == number), None)
    if kept is None or not path.is_file() or not is_as_written(path, summary.study):
        return None
    return None if _same(read_parameters(path)[0], kept.params) else kept


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return canonical_json(dict(one)) == canonical_json(dict(other))
