"""Import of the committed history into a fresh clone, whose ledger lacks it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.ledger.histories.import_trials import take_over
from tunesmith.ledger.histories.merging import histories
from tunesmith.ledger.histories.portable import HistoryError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.objective.objective import Objective, changed_files, holding, no_further
from tunesmith.objective.outline import Outline
from tunesmith.space import SearchSpace
from tunesmith.system import git
from tunesmith.system.files import inside, write_atomic


@dataclass(frozen=True)
class CommittedHistory:
    """The content of a project's history file."""

    name: str
    """Path below the project folder."""
    records: Mapping[str, StudyRecord] = field(default_factory=dict)
    """Records by study; empty if there is no file."""
    problem: str = ""
    """Reason why nothing in it can be used; empty if it can."""
    series: Sequence[StudyRecord] = ()
    """All series of the file; people merge histories."""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """Number of a line -> reason why it is not valid."""

    def record_of(self, study: str, identity: str) -> StudyRecord | None:
        """Series with this identity, or else the first one of the study."""
        own = (r for r in self.series if (r.head.name, r.head.identity) == (study, identity))
        return next(own, self.records.get(study))


@dataclass(frozen=True)
class Taken:
    """Outcome of an import."""

    n_trials: int = 0
    """Number of trials that were imported."""
    problem: str = ""
    """Reason why none were imported, if a user should know it."""
    other: StudyHead | None = None
    """Series of the file, if it is not the present one."""


def committed_history(root: Path, name: str | None) -> CommittedHistory | None:
    """Read the history of the project folder, or else that of the commit checked out.

    Args:
        root: the project folder.
        name: ``outputs: {history: …}`` of the configuration.

    Returns:
        ``None`` if none is configured.

    Raises:
        UsageError: its path leads out of the project.
    """
    if name is None:
        return None
    try:
        return _read(name, _text(root, name) or "")
    except HistoryError as error:
        return CommittedHistory(name, problem=str(error))


def _read(name: str, text: str) -> CommittedHistory:
    series, left_out = histories(text)
    # A head alone says nothing: what was found would be evaluated again, and its lines replaced.
    if left_out and not any(record.history.n_completed for record in series):
        number, why = next(iter(left_out.items()))
        raise HistoryError(f"nothing in it can be read: line {number}: {why}")
    # Reversed, so that the first series of a study wins.
    first = {record.head.name: record for record in reversed(series)}
    return CommittedHistory(name, first, series=series, left_out=left_out)


def _text(root: Path, name: str) -> str | None:
    path = inside(root, name)
    if path.is_file():
        try:
            return path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise HistoryError(f"it cannot be read: {error}") from None
    commit = git.commit(root, "HEAD")
    return None if commit is None else git.content(root, commit, name)


def import_trials_from(
    committed: CommittedHistory,
    ledger: Ledger,
    definition: Definition,
    objective: Objective,
    identity: str,
) -> Taken:
    """Import the trials of the present series that the ledger lacks.

    A history of another series, or one that cannot be read, is left alone.

    Args:
        committed: the history of the project.
        ledger: open for writing.
        definition: of the study.
        objective: built from it.
        identity: identity of the present series.
    """
    if committed.problem:
        return Taken(problem=committed.problem)
    record = committed.record_of(definition.file.study, identity)
    if record is None:
        others = ", ".join(f"`{name}`" for name in committed.records)
        return Taken(problem=f"it is of study {others}" if others else "")
    if record.head.identity != identity or changed_files(objective, record.head.reading):
        return Taken(other=record.head)
    problem = misfit(record, definition.space, objective, definition.file.budget_parameter)
    if problem:
        return Taken(problem=problem)
    n_taken = take_over(ledger, record, objective.key, committed.name, holding(objective))
    here = ledger.series(record.head.name, identity, holding(objective))
    n_here = 0 if here is None else ledger.n_completed(here.id)
    # After `--restart` the ledger lacks the earlier trials on purpose.
    if n_here < record.history.n_completed and (here is None or here.since_run is None):
        return Taken(problem="it tells of other trials than the ledger")
    return Taken(n_taken)


def set_aside(root: Path, committed: CommittedHistory) -> Path | None:
    """Keep a copy of a history whose content a run will not write again.

    Args:
        root: the project folder.
        committed: its history.

    Returns:
        The copy beside it; ``None`` if there is no file.
    """
    path = inside(root, committed.name)
    if not path.is_file():
        return None
    content = path.read_bytes()
    kept = path.with_name(f"{path.name}.kept-{hashlib.sha256(content).hexdigest()[:8]}")
    write_atomic(kept, content)
    return kept


def misfit(
    record: StudyRecord,
    space: SearchSpace,
    objective: Objective | Outline,
    budget_parameter: str | None,
) -> str:
    """Reason why a record of the present identity cannot belong to a study; empty if it can.

    Args:
        record: from a history.
        space: space of the study.
        objective: of the study, or its outline.
        budget_parameter: a trial has it beside its parameters of the space.
    """
    if record.metrics != objective.metrics or record.objectives != objective.objectives:
        return "its metrics are not those of the study"
    if record.head.recorded.start is None:
        return "it does not say what was tried first"
    for trial in record.history.completed:
        n_folds = len(trial.folds) + trial.n_left_out
        if objective.n_folds is not None and n_folds != objective.n_folds:
            return f"trial {trial.number} has {n_folds} folds, not {objective.n_folds}"
        for params in (trial.params, trial.proposed or trial.params):
            if {k: v for k, v in params.items() if k != budget_parameter} not in space:
                return f"trial {trial.number} is not in the space"
    if record.holdout and not objective.has_holdout:
        return "it has results on held-out rows, and there are none"
    if record.further and not isinstance(objective, Outline) and no_further(objective):
        return f"it has results on further splits, and {no_further(objective)}"
    return ""
