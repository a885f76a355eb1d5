"""Evidence for a verification, gathered without evaluating or writing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import StorageError, TunesmithError, UsageError
from tunesmith.history import always
from tunesmith.objective.choose import DATA, outline
from tunesmith.objective.objective import holding
from tunesmith.objective.outline import Outline, UnseenError
from tunesmith.pipeline.branches.notes import EXPERIMENT, notes_in
from tunesmith.pipeline.dvc.agreement import Tuning, tuning
from tunesmith.pipeline.dvc.stages import Coupling
from tunesmith.pipeline.findings import REBUILD, Finding, note, unseen
from tunesmith.pipeline.latest_record import LatestRecord, last_heads, latest_record
from tunesmith.pipeline.repository import Repository
from tunesmith.runs.factory import identity
from tunesmith.runs.import_history import CommittedHistory, committed_history
from tunesmith.system.fingerprint import digest


@dataclass(frozen=True)
class Evidence:
    """Everything that a verification compares."""

    definition: Definition
    objective: Outline | None
    """Dependencies of the results now; ``None`` if they cannot be told."""
    committed: CommittedHistory | None
    found: LatestRecord | None
    dvc: Tuning | None
    problems: tuple[Finding, ...]
    """Reasons for which something is missing."""

    @property
    def is_peoples(self) -> bool:
        """True if the best-parameters file is user-owned."""
        return self.definition.file.outputs.tuned is not None and not self.is_tight

    @property
    def is_tight(self) -> bool:
        """True if DVC manages the best-parameters file."""
        return self.dvc is not None and self.dvc.coupling is Coupling.TIGHT

    def brought(self, params: Mapping[str, Any]) -> str | None:
        """Return the experiment that parameters came from, as a commit notes it; ``None`` if none.

        On a training branch, and after its merge, the study's own files are of an earlier study.
        """
        # With a managed file all results are brought, so that the study's own files tell of it.
        if self.is_tight:
            return None
        try:
            repository = Repository.of(self.definition.root)
            messages = list(repository.messages(EXPERIMENT, ["HEAD"]))
        except TunesmithError:
            return None
        wanted = digest(dict(params))
        notes = (note for commit, text in messages for note in notes_in(commit, text))
        found = next((note.experiment for note in notes if note.digest == wanted), None)
        return None if found is None else f"was brought from experiment {found}"


def look(definition: Definition, *, needs_data: bool = True) -> Evidence:
    """Gather the evidence; evaluates nothing, and runs no code of the project.

    Args:
        definition: of the study.
        needs_data: missing data counts as not verified; otherwise it is only noted.

    Raises:
        UsageError: an output's path leads out of the project.
    """
    problems: list[Finding] = []
    objective = _objective(definition, problems, needs_data=needs_data)
    committed = committed_history(definition.root, definition.file.outputs.history)
    found = None
    try:
        if objective is not None:
            definition = _as_it_ran(definition, objective, committed)
        mark = None if objective is None else identity(definition, objective)
        holds = always if objective is None else holding(objective)
        found = latest_record(definition, committed, mark, holds)
    except StorageError as error:
        # Damaged, edited, of a newer version, out of reach: the history alone cannot say that a
        # run would continue it.
        problems.append(unseen("the ledger", str(error).splitlines()[0]))
    # Beside a ledger the history is one output among others.
    if found is None and committed is not None and committed.problem:
        expected = "the history of the study"
        problems.append(Finding(committed.name, committed.problem, expected, REBUILD))
    dvc = _dvc(definition, problems)
    return Evidence(definition, objective, committed, found, dvc, tuple(problems))


def _objective(
    definition: Definition, problems: list[Finding], *, needs_data: bool
) -> Outline | None:
    try:
        return outline(definition)
    except UnseenError as error:
        for one in error.found:
            is_noted = one.what == DATA and not needs_data
            problems.append((note if is_noted else unseen)(one.what, one.why))
        return None


def _dvc(definition: Definition, problems: list[Finding]) -> Tuning | None:
    try:
        return tuning(definition)
    except UsageError as error:
        problems.append(Finding("dvc", str(error), "files as DVC writes them"))
        return None


def _as_it_ran(
    definition: Definition, objective: Outline, committed: CommittedHistory | None
) -> Definition:
    """Add the gate of ``run --gate`` to the definition, if that makes it the same study."""
    if definition.file.gate is not None:
        return definition
    for head in last_heads(definition, committed):
        gate = head.recorded.gate
        found = definition if gate is None else definition.with_gate(gate.base)
        if identity(found, objective) == head.identity:
            return found
    return definition
