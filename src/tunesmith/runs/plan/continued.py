"""The series of trials that a run would continue, in the ledger or in the committed history."""

from collections.abc import Collection, Iterable
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from itertools import takewhile

from tunesmith.analysis.decision import open_contest
from tunesmith.config.model import Definition
from tunesmith.history import FoldResult, Trial
from tunesmith.ledger.dialect import address, file_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.objective.objective import Objective, changed_files, holding
from tunesmith.runs.factory import identity
from tunesmith.runs.import_history import committed_history, misfit
from tunesmith.runs.known_evaluations import HistorySearch
from tunesmith.types import Params


@dataclass(frozen=True)
class Continued:
    """State in which a run finds its study; nothing is written for it.

    Args:
        study: its definition.
        objective: built from it.
    """

    study: Definition
    objective: Objective
    _: KW_ONLY
    head: StudyHead | None = None
    """The series; ``None`` if the run would begin one."""
    n_completed: int = 0
    """Number of its completed trials that count."""
    record: StudyRecord | None = None
    """Its record, if a gate may ask for further evaluations."""
    imported: Collection[str] = field(default=(), repr=False)
    """Keys of evaluations that the run would take from histories."""

    @classmethod
    def of(cls, study: Definition, objective: Objective) -> "Continued":
        """Look for the series as a run does: in the ledger, then in the committed history."""
        here = cls._in_ledger(study, objective)
        committed = committed_history(study.root, study.file.outputs.history)
        if committed is None or (here.head is not None and here.head.since_run is not None):
            return here
        imported: set[str] = set()
        alone = study.file.execution.share == "off"
        if committed.left_out or here.head is None:
            imported = HistorySearch(study, objective).keys(only_alone=alone)
        mark = identity(study, objective)
        record = committed.record_of(study.file.study, mark)
        if record is None or not _is_own(record, mark, study, objective):
            return replace(here, imported=imported)
        # Behind a trial that no longer counts, all are proposed again.
        reliable = list(takewhile(partial(_counts, only_alone=alone), record.history.completed))
        if len(reliable) <= here.n_completed:
            return replace(here, imported=imported)
        keys = {objective.key(t.params, fold.fold) for t in reliable for fold in t.folds}
        return replace(
            here,
            head=here.head or record.head,
            n_completed=len(reliable),
            record=record,
            imported=imported | keys,
        )

    @classmethod
    def _in_ledger(cls, study: Definition, objective: Objective) -> "Continued":
        name, place = study.file.study, file_of(address(study.ledger))
        # A plan creates nothing, not even an empty ledger.
        if place is not None and not place.exists():
            return cls(study, objective)
        with Ledger.open(study.ledger, create=False) as ledger:
            mark = identity(study, objective)
            head = ledger.series(name, mark, holding(objective))
            if head is None or changed_files(objective, head.reading):
                return cls(study, objective)
            alone = study.file.execution.share == "off"
            n = ledger.n_completed(head.id, only_alone=alone)
            is_asked = study.file.confirms is not None
            record = ledger.load(name, head.generation, is_whole=False) if is_asked else None
            return cls(study, objective, head=head, n_completed=n, record=record)

    def n_known(self, points: Iterable[Params]) -> int:
        """Count the evaluations of some points that are known.

        Args:
            points: params.
        """
        n_folds = range(self.objective.n_folds)
        keys = {self.objective.key(params, fold) for params in points for fold in n_folds}
        found = keys.intersection(self.imported)
        place = file_of(address(self.study.ledger))
        if place is None or place.exists():
            alone = self.study.file.execution.share == "off"
            with Ledger.open(self.study.ledger, create=False) as ledger:
                known = ledger.known(keys, only_alone=alone, holds=holding(self.objective))
                found |= known.keys()
        return len(found)

    def over(self, n_trials: int | None) -> str:
        """Return the reason why a finished study makes no further evaluations; else nothing.

        Args:
            n_trials: most trials of the study.
        """
        record, head = self.record, self.head
        if record is None or head is None or n_trials is None or self.n_completed < n_trials:
            return ""
        recorded = RecordedStudy.of(self.study.as_json())
        current = head.recorded.current
        contest = open_contest(record.history, recorded, self.objective.metrics, current)
        if contest is None:
            return "the search has ended and leaves nothing to decide by them"
        n_folds = contest.limits.n_folds
        sides = [record.further.get(place, ()) for place in (contest.chosen, contest.reference)]
        for n in range(min(map(len, sides)) // n_folds + 1):
            first, second = (_first(side, n * n_folds) for side in sides)
            if contest.is_decided(first, second):
                return "the search has ended and they are made"
        return ""


def _first(results: Iterable[FoldResult], n: int) -> list[FoldResult]:
    return list(results)[:n]


def _counts(trial: Trial, *, only_alone: bool) -> bool:
    return all(fold.counts and not (only_alone and fold.is_shared) for fold in trial.folds)


def _is_own(record: StudyRecord, mark: str, study: Definition, objective: Objective) -> bool:
    """Tell whether a run would take the trials of a history for those of its own series."""
    is_same = record.head.identity == mark and not changed_files(objective, record.head.reading)
    parameter = study.file.budget_parameter
    return is_same and not misfit(record, study.space, objective, parameter)
