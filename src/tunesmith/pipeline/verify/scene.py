"""Everything that a verification compares, gathered: nothing is evaluated or written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.clones import CommittedHistory, committed_history
from tunesmith.config.model import Definition
from tunesmith.errors import StorageError, TunesmithError, UsageError
from tunesmith.fingerprint import digest
from tunesmith.history import always
from tunesmith.objective.objective import holding
from tunesmith.objective.outline import DATA, Outline, UnseenError, outline
from tunesmith.parts import identity
from tunesmith.pipeline.believed import Believed, believed, last_heads
from tunesmith.pipeline.branches.notes import EXPERIMENT, notes_in
from tunesmith.pipeline.dvc.agreement import Tuning, tuning
from tunesmith.pipeline.dvc.stages import Coupling
from tunesmith.pipeline.findings import REBUILD, Finding, note, unseen
from tunesmith.pipeline.repository import Repository
from tunesmith.tuning import with_gate


@dataclass(frozen=True)
class Scene:
    """What is compared with what."""

    definition: Definition
    objective: Outline | None
    """What results depend on now; ``None`` where that cannot be told."""
    committed: CommittedHistory | None
    found: Believed | None
    dvc: Tuning | None
    problems: tuple[Finding, ...]
    """Why something is not there."""

    @property
    def is_peoples(self) -> bool:
        """Whether the best-parameters file may be edited."""
        return self.definition.file.outputs.tuned is not None and not self.is_tight

    @property
    def is_tight(self) -> bool:
        """Whether DVC holds the best-parameters file to the study."""
        return self.dvc is not None and self.dvc.coupling is Coupling.TIGHT

    def brought(self, params: Mapping[str, Any]) -> str | None:
        """From which experiment parameters were brought here, as a commit says; ``None`` if none.

        On a training branch, and where it was merged, the study's own files are of an earlier one.
        """
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


def look(definition: Definition, *, needs_data: bool = True) -> Scene:
    """Gather all that is compared; evaluates nothing, and runs no code of the project.

    Args:
        definition: of the study.
        needs_data: data that is not here cannot be compared, and so is missed; else it is noted.

    Raises:
        UsageError: an output's path leads out of the project.
    """
    problems: list[Finding] = []
    objective = _objective(definition, problems, needs_data=needs_data)
    committed = committed_history(definition)
    found = None
    try:
        if objective is not None:
            definition = _as_it_ran(definition, objective, committed)
        mark = None if objective is None else identity(definition, objective)
        holds = always if objective is None else holding(objective)
        found = believed(definition, committed, mark, holds)
    except StorageError as error:
        # Damaged, edited, of a newer version, out of reach: the history alone cannot say that a
        # run would go on from it.
        problems.append(unseen("the ledger", str(error).splitlines()[0]))
    # Beside a ledger it is one output among others.
    if found is None and committed is not None and committed.problem:
        expected = "the history of the study"
        problems.append(Finding(committed.name, committed.problem, expected, REBUILD))
    dvc = _dvc(definition, problems)
    return Scene(definition, objective, committed, found, dvc, tuple(problems))


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
    """With the gate that ``run --gate`` had added, if that is what makes it the same study."""
    if definition.file.gate is not None:
        return definition
    for head in last_heads(definition, committed):
        gate = head.definition.get("file", {}).get("gate")
        found = definition if gate is None else with_gate(definition, gate.get("base"))
        if identity(found, objective) == head.identity:
            return found
    return definition
