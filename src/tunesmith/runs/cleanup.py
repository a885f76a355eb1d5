"""Cleanup of the remains of program runs."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.program import ArtifactsSection
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.objective import Objective
from tunesmith.study.keeping import KeepingBest
from tunesmith.study.recorder import Recorder
from tunesmith.system import child_processes


def keeping(
    recorder: Recorder,
    artifacts: ArtifactsSection | None,
    objective: Objective,
    ledger: Ledger,
    series: StudyHead,
) -> Recorder:
    """Wrap the recorder so that only the best trials keep artifacts, if so configured."""
    if artifacts is None:
        return recorder
    from tunesmith.objective.program.objective import ProgramObjective

    assert isinstance(objective, ProgramObjective)  # noqa: S101 - the rules say so
    metric, n_best = objective.objectives[0], artifacts.best
    # The best trials are those of the whole study, so the completed ones are told first.
    best_only = KeepingBest(recorder, metric, n_best, objective.drop_artifacts)
    keys = ledger.fold_keys(series.id)
    for trial in ledger.log(series.id).told:
        best_only.begin(
            trial, [key for fold, key in sorted(keys[trial.number].items()) if fold >= 0]
        )
    return best_only


def end_orphans(ledger: str | Path, study: str) -> None:
    """End programs of an earlier, killed run of a study, whose lock is now held."""
    from tunesmith.objective.program.build import mark
    from tunesmith.objective.program.environment import MARK

    child_processes.send(signal.SIGKILL, child_processes.marked(MARK, mark(ledger, study)))


@contextmanager
def working_folders(definition: Definition, objective: Objective) -> Iterator[None]:
    """Keep the project as it is for programs of the block, and remove unfinished work before."""
    if not definition.file.objective.is_program:
        yield
        return
    from tunesmith.objective.program.objective import ProgramObjective

    assert isinstance(objective, ProgramObjective)  # noqa: S101 - it has a command
    objective.runner.remove_leftovers()
    try:
        objective.runner.take_snapshot()
        yield
    finally:
        objective.runner.remove_leftovers()
