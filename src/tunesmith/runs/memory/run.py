"""A run of a study of objects in memory."""

import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle

from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import Definition, File
from tunesmith.errors import UsageError
from tunesmith.execute.choose import AUTO, PROCESSES
from tunesmith.execute.libraries import libraries
from tunesmith.execute.starter import Starter, kept
from tunesmith.ledger import journal
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.ledger.records import StudyRecord
from tunesmith.objective.objective import Objective
from tunesmith.objective.outputs import LiveResult
from tunesmith.parameters.foreign import refuse_foreign_table
from tunesmith.runs.factory import build_sampler
from tunesmith.runs.memory.estimators import estimator_subject
from tunesmith.runs.memory.functions import function_subject
from tunesmith.runs.memory.request import MemoryRequest
from tunesmith.runs.memory.subject import MemorySubject
from tunesmith.runs.models.out_of_fold import check_predictions
from tunesmith.runs.models.reading import summary_of, with_kept_answers
from tunesmith.runs.open_run import OpenRun
from tunesmith.runs.outputs import Written
from tunesmith.runs.result import Result
from tunesmith.runs.series import SeriesOpening
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.runs.study_run import Run, Say
from tunesmith.runs.workers import choice
from tunesmith.space.python import shown
from tunesmith.study.progress import Observer, Progress
from tunesmith.types import Params

SENT = ("estimator", "scorer", "objects", "function", "fit_params")
"""Attributes of an objective that may hold what cannot leave this process."""
FUNCTION = ("tunesmith.objective.function",)
"""Modules of a worker that calls a function."""
NO_ROWS = "an estimator is tuned on data: tune(estimator, X, y, space=…)."


@dataclass(frozen=True)
class MemoryStart(StartingPoints):
    """Starting points of a study in memory: no file holds the current parameters."""

    current: Params | None = None

    @property
    def written(self) -> dict[str, Any] | None:
        """The current parameters as they were given."""
        return None if self.current is None else dict(self.current)

    @property
    def is_edited(self) -> bool:
        """False: there is no file that somebody could edit."""
        return False


@dataclass(frozen=True, kw_only=True)
class MemoryRun(Run):
    """A run of a study in memory; it writes no reports."""

    current: Params | None = field(default=None)
    objective: Objective
    """The objective of the study, which may have kept the winner's answers."""

    @property
    def starting_points(self) -> StartingPoints:
        """The points that the study tries first."""
        return MemoryStart(self.definition, self.current)

    def write(self, ledger: Ledger, record: StudyRecord) -> tuple[Summary, tuple[Written, ...]]:  # noqa: ARG002
        """Return the content of the report; nothing is written."""
        definition = self.definition
        if definition.file.outputs.predictions is not None:
            return summary_of(definition, record), ()
        return with_kept_answers(summarise(record), record, self.objective), ()


def tune_in_memory(
    subject: Any,
    X: Any,
    y: Any,
    request: MemoryRequest,
    *,
    observer: Observer,
    say: Say,
    restart: bool,
) -> Result:
    """Run a study of an estimator or a function.

    Args:
        subject: estimator or function.
        X: rows, for an estimator.
        y: targets, for an estimator.
        request: of the caller.
        observer: gets the progress.
        say: gets sentences that a user should read.
        restart: ignore earlier evaluations.

    Raises:
        UsageError: an argument cannot be used.
    """
    made = _subject(subject, X, y, request)
    with _ledger(request) as (place, remove):
        definition = _definition(made, request, place, say)
        run = MemoryRun(
            definition=definition,
            observer=_printing(observer),
            say=say,
            restart=restart,
            current=made.current,
            objective=made.objective,
            objects=made.objects.by_token,
        )
        result = _completed(run, made)
        # A temporary ledger lives as long as its result.
        if remove is not None:
            weakref.finalize(result, shutil.rmtree, remove, True)
    return result


def _subject(subject: Any, X: Any, y: Any, request: MemoryRequest) -> MemorySubject:
    if hasattr(subject, "fit") or not callable(subject):
        return estimator_subject(subject, X, y, request)
    if X is not None or y is not None:
        raise UsageError(
            f"{shown(subject)} is a function, which has its own data: leave X and y out. {NO_ROWS}"
        )
    return function_subject(subject, request)


@contextmanager
def _ledger(request: MemoryRequest) -> Iterator[tuple[str, Path | None]]:
    """Yield the place of the ledger, and the temporary folder if it lies in one."""
    if request.place is not None:
        yield request.place, None
        return
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-"))
    try:
        yield str(folder / "ledger.db"), folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _definition(made: MemorySubject, request: MemoryRequest, place: str, say: Say) -> Definition:
    return request.define(
        made.space,
        made.objects,
        made.section,
        name=made.name,
        ledger=place,
        workers=made.workers or _workers(made.objective, request, say),
        race=made.race,
    )


def _workers(objective: Objective, request: MemoryRequest, say: Say) -> int | None:
    """Return one worker if the objective cannot leave this process and nobody asked for more."""
    asked = request.workers or (request.execution or {}).get("workers")
    executor = (request.execution or {}).get("executor", AUTO)
    if asked is not None or executor != AUTO:
        return None
    # Without the rows, which may be many.
    parts = {k: v for k, v in vars(objective).items() if k in SENT}
    try:
        cloudpickle.dumps(parts)
    except Exception as error:  # noqa: BLE001 - whatever pickling may raise
        say(f"fits run in this process, one after the other: {error}")
        return 1
    return None


def _printing(observer: Observer) -> Observer:
    """Pass on what fits in other processes print."""

    def observe(progress: Progress) -> None:
        for fold in progress.newest.folds if progress.newest else ():
            if isinstance(fold, LiveResult) and fold.said:
                sys.stdout.write(fold.said)
        observer(progress)

    return observe


def _fork_server(file: File, made: MemorySubject) -> Starter | None:
    if choice(file.objective, file.execution)[0] != PROCESSES:
        return None
    return kept(libraries(getattr(made.objective, "modules", FUNCTION)))


def _completed(run: MemoryRun, made: MemorySubject) -> Result:
    definition, objective = run.definition, made.objective
    if (wanted := definition.file.outputs.predictions) is not None:
        # Before anything is evaluated: a run must not end with results that it cannot write.
        refuse_foreign_table(definition.root, wanted.path)
        check_predictions(definition, objective)
    # Started first, so that it is ready when the first fit is.
    fork_server = _fork_server(definition.file, made)
    for note in objective.notes:
        run.say(note)
    sampler = build_sampler(definition.file.search, definition.space)
    location = definition.ledger
    with Ledger.open(location) as ledger, run_lock(location, definition.file.study):
        journal.replay(ledger, journal.folder_of(location, definition.file.study, definition.root))
        series = SeriesOpening(run, objective, ledger).open()
        opened = OpenRun.begin(run, objective, ledger, series)
        return opened.complete(sampler, fork_server)
