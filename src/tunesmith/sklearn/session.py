"""Storage of a search's trials: memory, or a ledger that later searches continue."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from tunesmith.execute.executor import Call
from tunesmith.history import TrialLog
from tunesmith.ledger import journal
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.ledger.provenance import collect
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.objective.live import LiveObjective
from tunesmith.objective.objective import know_checks
from tunesmith.study.journaled import Journaled
from tunesmith.study.loop import Outcome
from tunesmith.study.recorder import LedgerRecorder, NoRecorder, Recorder
from tunesmith.system.fingerprint import digest

Location = str | PathLike[str] | None


@dataclass
class Session:
    """The trials of a search, with the functions that record them."""

    log: TrialLog
    recorder: Recorder = field(default_factory=NoRecorder)
    close: Callable[[Outcome], None] = lambda _outcome: None
    """Note how the search ended."""
    call: Call | None = None
    """Function that evaluates a fit, if not the objective itself."""


@contextmanager
def session(
    location: Location, name: str, objective: LiveObjective, definition: Mapping[str, Any]
) -> Iterator[Session]:
    """Open the place that a search keeps its trials in.

    Args:
        location: of the ledger, file or URL; ``None`` for memory.
        name: of the study in it.
        objective: to score, with its identity.
        definition: all that fixes the sequence of trials, as JSON.

    Raises:
        LockedError: another process runs this search on this ledger.
        StorageError: the ledger cannot be used.
    """
    if location is None:
        yield Session(TrialLog(objective.objectives))
        return
    place, context = fspath(location), objective.context
    folder = journal.folder_of(place, name)
    # One run at a time: two would ask for the same trials.
    with Ledger.open(place) as ledger, run_lock(place, name):
        journal.replay(ledger, folder)
        # The splits belong to it: the same candidates on other folds are other trials.
        mark = digest([dict(definition), objective.fold_digests])
        head = ledger.begin_study(
            name,
            mark,
            definition,
            context=context,
            metrics=objective.metrics,
            objectives=objective.objectives,
        )
        seed = RecordedStudy.of(definition).seed or 0
        run_id = ledger.begin_run(head.id, collect(Path.cwd(), definition, context, seed))
        folder = journal.prepare(folder)
        call = None if folder is None else Journaled.of(objective, ledger, run_id, folder)
        know_checks(objective, ledger.passed_checks())
        log = ledger.log(head.id)
        if len(log.completed) < ledger.load(name, head.generation).history.n_completed:
            # Results of shared fits by an earlier version do not count: all are proposed again.
            ledger.forget_from(head.id, len(log.completed))
        recorder = LedgerRecorder(ledger, head.id, run_id)
        yield Session(log, recorder, partial(_close, ledger, head.id, run_id, folder), call)


def _close(
    ledger: Ledger, study_id: int, run_id: int, folder: Path | None, outcome: Outcome
) -> None:
    """Commit what workers have finished, and note how the search ended."""
    journal.replay(ledger, folder)
    # Only after the replay: until then the journal alone holds the last folds.
    journal.remove(folder)
    ledger.forget_pending(study_id, len(outcome.history))
    counts = outcome.n_evaluated, outcome.n_reused, outcome.n_fits
    ledger.end_run(run_id, outcome.stopped_by, *counts)
