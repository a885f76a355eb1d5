"""Taking a trial's parameters over, over whatever stands in the best-parameters file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.config.model import Outputs
from tunesmith.errors import NoResultError, UsageError
from tunesmith.files import write_atomic
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.best_file import Best
from tunesmith.reporting.compare import differences
from tunesmith.reporting.ranking import Ranked
from tunesmith.reporting.summary import Summary, summarise


@dataclass(frozen=True)
class Adopted:
    """What was taken over."""

    path: Path
    trial: int
    changes: tuple[str, ...]
    """``name: old -> new``."""
    is_written: bool
    is_winner: bool
    """Whether it is the trial that a run writes, too."""


def adopt(
    record: StudyRecord,
    root: Path,
    outputs: Outputs,
    *,
    trial: int | None = None,
    selection: str | None = None,
    dry_run: bool = False,
    is_forced: bool = False,
) -> Adopted:
    """Write a trial's parameters into the best-parameters file.

    Args:
        record: of the study.
        root: the project folder.
        outputs: of the configuration.
        trial: its number; by default the winner.
        selection: ``best``, ``one_se``, ``simplest`` or ``fastest`` instead of a number.
        dry_run: only say what would change.
        is_forced: write the file anew, whatever is there.

    Raises:
        UsageError: there is no such trial, it is not complete, or the file holds something else.
        NoResultError: the study has no complete trial.
    """
    summary = summarise(record, with_effects=False)
    chosen = chosen_by(summary, trial, selection)
    best = Best.of_record(root, outputs, record)
    is_other = chosen != summary.chosen
    text = best.text(summary, chosen, is_adopted=is_other, is_forced=is_forced)
    changes = tuple(differences(_present(best), chosen.params))
    is_written = not dry_run and write_atomic(best.path, text)
    return Adopted(best.path, chosen.number, changes, is_written, not is_other)


def chosen_by(summary: Summary, number: int | None, selection: str | None) -> Ranked:
    """The complete trial that a number or a selection names; by default the winner.

    Raises:
        UsageError: there is no such trial, it is not complete, or both were given.
        NoResultError: the study has no complete trial.
    """
    if number is not None and selection is not None:
        raise UsageError("--trial and --selection: choose one of them.")
    if summary.chosen is None:
        raise NoResultError(f"study `{summary.study}` has no complete trial yet.")
    if selection is not None:
        number = summary.choices[selection]
    if number is None:
        return summary.chosen
    found = next((trial for trial in summary.ranking if trial.number == number), None)
    if found is not None:
        return found
    state = "is not complete" if number < summary.n_trials else "does not exist"
    raise UsageError(
        f"trial {number} of study `{summary.study}` {state}.\n  `tunesmith trials` lists them."
    )


def _present(best: Best) -> Mapping[str, Any]:
    """What the file holds; nothing where it cannot be read, as it is about to be replaced."""
    try:
        return best.read()[0] if best.path.is_file() else {}
    except UsageError:
        return {}
