"""Adoption of a trial's parameters into the best-parameters file, over its present content."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunesmith.analysis.compare import differences
from tunesmith.analysis.ranking import Ranked, find_ranked
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import OutputsSection
from tunesmith.config.program import ParamsFileSection
from tunesmith.errors import NoResultError, UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.objective.program.passing.params_file import Template
from tunesmith.parameters.best_file import BestFile
from tunesmith.system.files import inside, write_atomic
from tunesmith.types import Params


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """The parameters that were adopted."""

    path: Path
    trial: int
    changes: tuple[str, ...]
    """``name: old -> new``."""
    is_written: bool
    is_winner: bool
    """True if it is the trial that a run would write."""
    program_file: Path | None = None
    """The program's own parameters file, if it was set there, too."""
    program_changes: tuple[str, ...] = ()


def adopt(
    record: StudyRecord,
    root: Path,
    outputs: OutputsSection,
    *,
    trial: int | None = None,
    selection: str | None = None,
    dry_run: bool = False,
    is_forced: bool = False,
    params_file: ParamsFileSection | None = None,
) -> Adopted:
    """Write a trial's parameters into the best-parameters file, and into the program's own file.

    Args:
        record: of the study.
        root: the project folder.
        outputs: of the configuration.
        trial: its number; by default the winner.
        selection: ``best``, ``one_se``, ``simplest`` or ``fastest`` instead of a number.
        dry_run: only say what would change.
        is_forced: write a new file in any case.
        params_file: the program's own, in which values that it holds are set.

    Raises:
        UsageError: there is no such trial, it is not complete, or the file holds something else.
        NoResultError: the study has no complete trial.
    """
    summary = summarise(record, with_effects=False)
    chosen = chosen_by(summary, trial, selection)
    best = BestFile.of_record(root, outputs, record)
    # A trial other than the winner is marked as adopted, so that the next run leaves it.
    is_other = chosen != summary.chosen
    text = best.text(summary, chosen, is_adopted=is_other, is_forced=is_forced)
    # All contents are made before anything is written: a failure leaves the files as they were.
    own = _program_file(root, params_file, best.path, chosen.params)
    adopted = Adopted(
        path=best.path,
        trial=chosen.number,
        changes=tuple(differences(_present(best), chosen.params)),
        is_written=not dry_run and _write(best.path, text, own),
        is_winner=not is_other,
    )
    if own is None:
        return adopted
    return replace(adopted, program_file=own.path, program_changes=own.changes)


@dataclass(frozen=True)
class _Own:
    """The program's own file with values set."""

    path: Path
    text: str
    changes: tuple[str, ...]


def _write(path: Path, text: str, own: _Own | None) -> bool:
    """Write both files; true if the first has changed."""
    is_changed = write_atomic(path, text)
    if own is not None:
        write_atomic(own.path, own.text)
    return is_changed


def _program_file(
    root: Path, section: ParamsFileSection | None, best: Path, params: Params
) -> _Own | None:
    """The program's file that training should read; ``None`` if it holds none of the values."""
    if section is None or not (root / section.path).is_file():
        return None
    path, template = inside(root, section.path), Template.of(section, root)
    before = template.values(params)
    # If both are one file, its text has been made already, and this one lacks the origin.
    if path == best or not before:
        return None
    after = {name: params[name] for name in before}
    return _Own(path, template.with_held(params), tuple(differences(before, after)))


def chosen_by(summary: Summary, number: int | None, selection: str | None) -> Ranked:
    """Return the complete trial that a number or a selection names; by default the winner.

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
    named = find_ranked(summary.ranking, number)
    if named is not None:
        return named
    state = "is not complete" if number < summary.n_trials else "does not exist"
    raise UsageError(
        f"trial {number} of study `{summary.study}` {state}.\n  `tunesmith trials` lists them."
    )


def _present(best: BestFile) -> Mapping[str, Any]:
    """Parameters in the file; none if it cannot be read, as it is about to be replaced."""
    try:
        return best.read()[0] if best.path.is_file() else {}
    except UsageError:
        return {}
