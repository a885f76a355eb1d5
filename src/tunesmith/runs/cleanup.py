"""Cleanup of the remains of program runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.objective import ObjectiveSection
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.objective import Objective
from tunesmith.study.keeping import KeepingBest
from tunesmith.study.recorder import Recorder
from tunesmith.system import child_processes
from tunesmith.system.portable.abilities import KILL


def keeping(
    recorder: Recorder,
    section: ObjectiveSection,
    objective: Objective,
    ledger: Ledger,
    series: StudyHead,
    *,
    n_predicted: int = 0,
) -> Recorder:
    """Wrap the recorder so that only the best trials keep files of their runs, if so configured.

    Args:
        recorder: of the run.
        section: of the objective.
        objective: of the study.
        ledger: with the trials so far.
        series: of the trials.
        n_predicted: number of trials that keep the predictions of their runs.
    """
    artifacts, predictions = section.artifacts, section.predictions
    if artifacts is None and predictions is None:
        return recorder
    from tunesmith.objective.program.objective import ProgramObjective

    assert isinstance(objective, ProgramObjective)  # noqa: S101 - the rules say so
    # The best trials are those of the whole study, so all results are handed over first.
    log, keys = ledger.log(series.id), ledger.fold_keys(series.id)
    wanted = [] if artifacts is None else [(artifacts.best, objective.drop_artifacts)]
    wanted += [] if predictions is None else [(n_predicted, objective.drop_predictions)]
    for n_best, drop in wanted:
        recorder = best_only = KeepingBest(
            recorder, objective.objectives[0], n_best, drop, subject_to=log.subject_to
        )
        for trial in log.completed:
            own = sorted(keys[trial.number].items())
            best_only.begin(trial, [key for fold, key in own if fold >= 0])
    return recorder


def end_orphans(ledger: str | Path, study: str) -> None:
    """End programs of an earlier, killed run of a study, whose lock is now held."""
    from tunesmith.objective.program.build import mark
    from tunesmith.objective.program.environment import MARK

    child_processes.send(KILL, child_processes.marked(MARK, mark(ledger, study)))


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
