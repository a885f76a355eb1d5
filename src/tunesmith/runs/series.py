"""Opening of the series of trials that a run continues."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.objective import Objective, holding, signs_of_leaks
from tunesmith.runs.causes import Causes
from tunesmith.runs.factory import identity
from tunesmith.runs.import_history import CommittedHistory, Taken, import_trials_from, set_aside
from tunesmith.runs.known_evaluations import HistorySearch, take_in
from tunesmith.runs.study_run import Run
from tunesmith.study.loop import unique_start
from tunesmith.types import Params


@dataclass(frozen=True)
class SeriesOpening:
    """Opens the present series of a study's trials, or begins a new one and says why.

    Args:
        run: the run that will continue the series.
        objective: of its study.
        ledger: open for writing.
    """

    run: Run
    objective: Objective
    ledger: Ledger

    def open(self) -> StudyHead:
        """Return the head of the series, after everything that is known elsewhere was imported."""
        name, committed = self.run.definition.file.study, self.run.committed
        before = self.ledger.previous(name)
        # Asked before the import, which may begin the series itself.
        is_begun = self.ledger.series(name, self._identity) is not None
        if committed is not None:
            self._import_trials(committed, before)
        start, notes = self._starting_points()
        head = self._begin(start, is_begun=is_begun and not self.run.restart)
        if committed is not None and (committed.left_out or not is_begun):
            self._import_evaluations(head)
        if head.is_new:
            for note in notes:
                self.run.say(note)
            if before is not None and not self.run.restart:
                self.run.say(Causes(self.run.definition, self.objective).told(before))
        return head

    @cached_property
    def _identity(self) -> str:
        return identity(self.run.definition, self.objective)

    def _begin(self, start: Sequence[tuple[str, Params]], *, is_begun: bool) -> StudyHead:
        definition = self.run.definition
        points = self.run.starting_points
        return self.ledger.begin_study(
            definition.file.study,
            self._identity,
            definition.as_json()
            | {
                "start": [[origin, dict(params)] for origin, params in start],
                "incumbent": points.current_parameters,
                "is_edited": points.is_edited,
                # Of a new series alone: they take time, and the report reads the recorded ones.
                "leaks": []
                if is_begun
                else [sign.content for sign in signs_of_leaks(self.objective)],
            },
            context=self.objective.context,
            metrics=self.objective.metrics,
            objectives=self.objective.objectives,
            restart=self.run.restart,
            holds=holding(self.objective),
        )

    def _starting_points(self) -> tuple[Sequence[tuple[str, Params]], list[str]]:
        """Return the points to try first, and notes on those that are left out."""
        definition = self.run.definition
        points = self.run.starting_points.of(self.objective, self.ledger)
        return unique_start(definition.space, points, self.run.starting_points.unsaid)

    # -- what is known elsewhere -----------------------------------------------------------------

    def _import_trials(self, committed: CommittedHistory, before: StudyHead | None) -> None:
        """Import the trials of the committed history, and report that.

        A history of another series is reported only if the ledger has none.
        """
        definition, say, name = self.run.definition, self.run.say, committed.name
        taken = import_trials_from(
            committed, self.ledger, definition, self.objective, self._identity
        )
        if taken.problem:
            taken = _kept(taken, definition.root, committed)
        if taken.n_trials:
            trials = "1 trial" if taken.n_trials == 1 else f"{taken.n_trials:,} trials"
            say(f"{trials} taken from {name}")
        elif taken.problem:
            say(f"{name} is left out: {taken.problem}")
        elif taken.other is not None and before is None:
            reasons = ", ".join(Causes(definition, self.objective).reasons(taken.other))
            say(
                f"{name} is left out: {reasons} since it was written; a new series of trials begins"
            )

    def _import_evaluations(self, head: StudyHead) -> None:
        """Import evaluations of the present objective from histories of any search."""
        definition = self.run.definition
        if definition.outer is not None:
            return
        source = str(definition.file.outputs.history)
        found = HistorySearch(definition, self.objective).lacking_in(self.ledger)
        if found:
            take_in(self.ledger, head.id, found, source)
            n = sum(len(known.results) for known in found)
            what = "1 evaluation is" if n == 1 else f"{n:,} evaluations are"
            self.run.say(f"{what} known from other versions of {source}")


def _kept(taken: Taken, root: Path, committed: CommittedHistory) -> Taken:
    """Keep a copy of a history that cannot be used, since the run will write another."""
    kept = set_aside(root, committed)
    if kept is None:
        return taken
    return replace(taken, problem=f"{taken.problem}; it is kept as {kept.name}")
