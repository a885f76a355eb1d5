"""Evidence for a verification, gathered without evaluating or writing anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
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
from tunesmith.pipeline.latest_record import LatestRecord, RecordSources
from tunesmith.pipeline.repository import Repository
from tunesmith.runs.factory import identity
from tunesmith.runs.import_history import CommittedHistory
from tunesmith.system.fingerprint import digest


@dataclass(frozen=True, kw_only=True)
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
        experiment = next((note.experiment for note in notes if note.digest == wanted), None)
        return None if experiment is None else f"was brought from experiment {experiment}"


def look(definition: Definition, *, needs_data: bool = True) -> Evidence:
    """Gather the evidence; evaluates nothing, and runs no code of the project.

    Args:
        definition: of the study.
        needs_data: missing data counts as not verified; otherwise it is only noted.

    Raises:
        UsageError: an output's path leads out of the project.
    """
    return _Search(definition, needs_data).evidence()


@dataclass(frozen=True)
class _Search:
    """The search for evidence of a study; what cannot be had becomes a problem."""

    definition: Definition
    needs_data: bool
    problems: list[Finding] = field(default_factory=list)

    @cached_property
    def sources(self) -> RecordSources:
        """The places that may hold the study's record."""
        return RecordSources(self.definition)

    def evidence(self) -> Evidence:
        """Gather all of it."""
        objective = self._objective()
        definition, found, committed = self.definition, None, self.sources.committed
        try:
            if objective is not None:
                definition = self._as_it_ran(objective)
            mark = None if objective is None else identity(definition, objective)
            holds = always if objective is None else holding(objective)
            found = self.sources.latest(mark, holds)
        except StorageError as error:
            # Damaged, edited, of a newer version, out of reach: the history alone cannot say that
            # a run would continue it.
            self.problems.append(unseen("the ledger", str(error).splitlines()[0]))
        # Beside a ledger the history is one output among others.
        if found is None and committed is not None and committed.problem:
            expected = "the history of the study"
            self.problems.append(Finding(committed.name, committed.problem, expected, REBUILD))
        dvc = self._dvc()
        return Evidence(
            definition=definition,
            objective=objective,
            committed=committed,
            found=found,
            dvc=dvc,
            problems=tuple(self.problems),
        )

    def _objective(self) -> Outline | None:
        try:
            return outline(self.definition)
        except UnseenError as error:
            for one in error.found:
                is_noted = one.what == DATA and not self.needs_data
                self.problems.append((note if is_noted else unseen)(one.what, one.why))
            return None

    def _dvc(self) -> Tuning | None:
        try:
            return tuning(self.definition)
        except UsageError as error:
            self.problems.append(Finding("dvc", str(error), "files as DVC writes them"))
            return None

    def _as_it_ran(self, objective: Outline) -> Definition:
        """Add the gate of ``run --gate`` to the definition, if that makes it the same study."""
        if self.definition.file.gate is not None:
            return self.definition
        for head in self.sources.last_heads():
            gate = head.recorded.gate
            found = self.definition if gate is None else self.definition.with_gate(gate.base)
            if identity(found, objective) == head.identity:
                return found
        return self.definition
