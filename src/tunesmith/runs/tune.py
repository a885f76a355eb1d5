"""Run of a study from its definition to its results: builds parts, runs the loop, writes outputs.

The command line and Python programs both start here.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.analysis.decision import chosen_trial
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition, GateSection
from tunesmith.data.changes import FileWatch
from tunesmith.errors import ExitCode, UsageError
from tunesmith.execute.fork_server import ForkServer
from tunesmith.history import TrialLog
from tunesmith.ledger import journal
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.ledger.provenance import collect
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.objective.objective import Objective, changed_files, holding, know_checks
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.reporting.reading import named
from tunesmith.reporting.table import cv_results
from tunesmith.runs.cleanup import end_orphans, keeping, working_folders
from tunesmith.runs.factory import (
    build_executor,
    build_objective,
    build_sampler,
    build_strategy,
    current_parameters,
    fork_server_for,
    identity,
    is_edited,
    outer_definitions,
    outer_records,
    project_on_path,
    start_points,
)
from tunesmith.runs.import_history import (
    CommittedHistory,
    Taken,
    committed_history,
    import_trials_from,
    set_aside,
)
from tunesmith.runs.known_evaluations import known_elsewhere, take_in
from tunesmith.runs.outputs import Written, write_outputs
from tunesmith.search.sampler import Sampler
from tunesmith.search.stopping import build as build_criterion
from tunesmith.study.holdout import score_holdout
from tunesmith.study.journaled import Journaled
from tunesmith.study.loop import Outcome, Study, unique_start
from tunesmith.study.progress import Observer, silent
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.signals import SignalGate, StopRequested
from tunesmith.types import Params

Say = Callable[[str], None]


def silence(_text: str) -> None:
    """Say nothing."""


BLAME = {
    "data": "the data changed",
    "code": "the project's code changed",
    "versions": "library versions changed",
    "objective": "the objective changed",
}

MAX_LINES = 10
"""Number of lines of a history that a message names."""
INTERRUPTED = "interrupted by"
"""Beginning of the reason that a run records if a signal has ended it."""


@dataclass(frozen=True)
class Result:
    """Results of a run."""

    record: StudyRecord
    """The study as it is in the ledger now."""
    summary: Summary
    """Content of the report."""
    n_evaluated: int
    """Evaluations made by this run."""
    n_reused: int
    """Evaluations that the ledger already knew."""
    n_fits: int
    """Fits made by this run; one may have scored several candidates."""
    written: tuple[Written, ...]
    """Output files."""
    exit_code: ExitCode | int = ExitCode.OK
    """0; 1 without a usable trial; 130 or 143 when interrupted."""

    @property
    def best_params(self) -> Params | None:
        """The winner's params."""
        chosen = self.summary.chosen
        return None if chosen is None else chosen.params

    @property
    def cv_results_(self) -> dict[str, Any]:
        """The trials in the layout of scikit-learn's ``cv_results_``."""
        return cv_results(self.record)


def tune(
    definition: Definition | str | Path,
    *,
    observer: Observer = silent,
    say: Say = silence,
    restart: bool = False,
    force: Collection[str] = (),
) -> Result:
    """Run a study until a stopping criterion is met, and write its outputs.

    Args:
        definition: from ``load_definition`` or ``define``, or the path of ``tuning.yaml``.
        observer: gets the progress.
        say: gets sentences that a user should read (changed data, skipped start points).
        restart: ignore earlier evaluations.
        force: outputs, by their paths in the configuration, that may replace files of other origin.

    Raises:
        UsageError: the definition, the data or the estimator cannot be used.
        LockedError: another run holds the study.
        StorageError: the ledger or an output cannot be written.
    """
    if isinstance(definition, str | Path):
        definition = load_definition(Path(definition))
    # Before anything is computed: a run must not end with results that it cannot write.
    refuse_foreign(BestFile.of(definition), force)
    definition = replace(definition, forced=frozenset(force))
    # Read once, before the first output is written: the searches of nested cross-validation are in
    # it, too.
    committed = None if restart else committed_history(definition)
    if committed is not None:
        _say_left_out(committed, say)
    data = definition.file.objective.data
    # Recorded before the data is read, so that a change during the run is noticed.
    watch = FileWatch.of(definition.root, () if data is None else data.path)
    result = _tune(definition, observer, say, committed, restart=restart)
    if definition.file.outer_folds is not None and result.exit_code == ExitCode.OK:
        result = _nested(result, definition, observer, say, committed, restart=restart)
    for change in watch.changes():
        say(change)
    return result


def _nested(
    result: Result,
    definition: Definition,
    observer: Observer,
    say: Say,
    committed: CommittedHistory | None,
    *,
    restart: bool,
) -> Result:
    """Repeat the search on every outer fold, and write the outputs again with the nested score."""
    data = result.record.head.context["data"]
    for outer in outer_definitions(definition, data):
        say(f"nested cross-validation: {outer.file.study}")
        found = _tune(outer, observer, silence, committed, restart=restart)
        # An outer search without a usable trial leaves the estimate open; the study stands.
        if found.exit_code not in (ExitCode.OK, ExitCode.NO_RESULT):
            return replace(result, exit_code=found.exit_code)
        result = replace(
            result,
            n_evaluated=result.n_evaluated + found.n_evaluated,
            n_reused=result.n_reused + found.n_reused,
            n_fits=result.n_fits + found.n_fits,
        )
    with Ledger.open(definition.ledger) as ledger:
        summary, written = _written(ledger, definition, result.record)
    return replace(result, summary=summary, written=written)


def _tune(
    definition: Definition,
    observer: Observer,
    say: Say,
    committed: CommittedHistory | None,
    *,
    restart: bool,
) -> Result:
    """Run one study, without its nested cross-validation."""
    with project_on_path(definition.root):
        # First of all, so that modules are preloaded while this process reads the data.
        fork_server = fork_server_for(definition)
        objective = build_objective(definition)
        for note in objective.notes:
            say(note)
        sampler = build_sampler(definition)
        location, name = definition.ledger, definition.file.study
        with Ledger.open(location) as ledger, run_lock(location, name):
            # Under the lock and before the study begins: results of a killed run then count as
            # known.
            journal.replay(ledger, journal.folder_of(location, name, definition.root))
            head = _begin(ledger, definition, objective, say, committed, restart=restart)
            return _run(
                ledger,
                head,
                definition,
                objective,
                sampler,
                observer,
                fork_server,
                say,
                restart=restart,
            )


def with_gate(definition: Definition, base: str | None = None) -> Definition:
    """Return the definition with a gate; an existing gate stays, but for the base revision.

    Raises:
        UsageError: the name of the revision cannot be one.
    """
    gate = definition.file.gate or GateSection()
    if base is not None:
        try:
            gate = GateSection.model_validate({**gate.model_dump(), "base": base})
        except ValidationError:
            raise UsageError(f"--base: `{base}` is no name of a revision") from None
    return replace(definition, file=definition.file.model_copy(update={"gate": gate}))


def _begin(
    ledger: Ledger,
    definition: Definition,
    objective: Objective,
    say: Say,
    committed: CommittedHistory | None,
    *,
    restart: bool,
) -> StudyHead:
    """Open the study's present generation, or begin a new one and say why."""
    name, mark = definition.file.study, identity(definition, objective)
    before = ledger.previous(name)
    # Asked before the import, which may begin the series itself.
    is_begun = ledger.series(name, mark) is not None
    taken = import_trials_from(committed, ledger, definition, objective, mark)
    if committed is not None:
        kept = set_aside(definition, committed) if taken.problem else None
        if kept is not None:
            taken = replace(taken, problem=f"{taken.problem}; it is kept as {kept.name}")
        _say_taken(taken, committed.name, before, objective, say)
    points = start_points(definition, objective)
    # Defaults outside the space are common, and the user did not ask for them.
    unsaid = () if definition.file.search.start_with else ("defaults",)
    start, notes = unique_start(definition.space, points, unsaid)
    head = ledger.begin_study(
        name,
        mark,
        definition.as_json()
        | {
            "start": [[origin, dict(params)] for origin, params in start],
            "incumbent": current_parameters(definition),
            "is_edited": is_edited(definition),
        },
        objective.context,
        objective.metrics,
        objective.objectives,
        restart=restart,
        holds=holding(objective),
    )
    is_merged = committed is not None and bool(committed.left_out)
    if committed is not None and (is_merged or not is_begun) and definition.outer is None:
        _take_evaluations(ledger, head, definition, objective, say)
    if not head.is_new:
        return head
    for note in notes:
        say(note)
    if before is not None and not restart:
        say(_what_changed(before, objective))
    return head


def _take_evaluations(
    ledger: Ledger, head: StudyHead, definition: Definition, objective: Objective, say: Say
) -> None:
    """Import evaluations of the present objective from histories of any search."""
    source = str(definition.file.outputs.history)
    found = known_elsewhere(definition, objective, ledger)
    if found:
        take_in(ledger, head.id, found, source)
        n = sum(len(known.results) for known in found)
        what = "1 evaluation is" if n == 1 else f"{n:,} evaluations are"
        say(f"{what} known from other versions of {source}")


def _say_left_out(committed: CommittedHistory, say: Say) -> None:
    """Report the lines of the history that are not valid.

    Raises:
        UsageError: no line is valid: everything would be evaluated again, and written over it.
    """
    name = committed.name
    if committed.problem:
        raise UsageError(
            f"{name}: {committed.problem}."
            f"\n  Take it from Git again (`git checkout -- {name}`), or remove it to begin anew."
        )
    lines = list(committed.left_out.items())
    for number, why in lines[:MAX_LINES]:
        say(f"{name}:{number} is left out: {why}")
    if len(lines) > MAX_LINES:
        say(f"{name}: {len(lines) - MAX_LINES} more lines are left out")


def _say_taken(
    taken: Taken, name: str, before: StudyHead | None, objective: Objective, say: Say
) -> None:
    """Report the import of the committed history; of another series only if the ledger has none."""
    if taken.n_trials:
        trials = "1 trial" if taken.n_trials == 1 else f"{taken.n_trials:,} trials"
        say(f"{trials} taken from {name}")
    elif taken.problem:
        say(f"{name} is left out: {taken.problem}")
    elif taken.other is not None and before is None:
        reasons = _blamed(taken.other, objective) or "the search changed"
        say(f"{name} is left out: {reasons} since it was written; a new series of trials begins")


def _blamed(before: StudyHead, objective: Objective) -> str:
    """Name the dependencies of the scores that have changed; empty if none has."""
    context = objective.context
    found = [text for part, text in BLAME.items() if before.context.get(part) != context.get(part)]
    return ", ".join([*found, *read_files_changed(before, objective)])


def read_files_changed(before: StudyHead, objective: object) -> list[str]:
    """Report the files of a series' programs that have changed since they were read."""
    names = changed_files(objective, before.reading)
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [f"{named(names[0], before.reading.get(names[0], ''))}{more} changed"]


def _what_changed(before: StudyHead, objective: Objective) -> str:
    reasons = _blamed(before, objective)
    if not reasons:
        return "the search changed: a new series of trials begins, known evaluations are reused"
    return f"{reasons}: a new series of trials begins; earlier results are kept, but not mixed in"


def _run(
    ledger: Ledger,
    head: StudyHead,
    definition: Definition,
    objective: Objective,
    sampler: Sampler,
    observer: Observer,
    fork_server: ForkServer | None,
    say: Say,
    *,
    restart: bool,
) -> Result:
    file = definition.file
    provenance = collect(definition.root, definition.as_json(), objective.context, file.search.seed)
    run_id = ledger.begin_run(head.id, provenance)
    only_alone = file.execution.share == "off"
    since_run = run_id if restart else None
    recorder = LedgerRecorder(
        ledger, head.id, run_id, since_run, only_alone, holds=holding(objective)
    )
    if not only_alone:
        know_checks(objective, ledger.passed_checks())
    # The lock is held, so that a process of this study that still runs is an orphan of a dead run.
    end_orphans(definition)
    # The starting points were fixed when the study began: the best-parameters file has changed
    # since, because the study itself writes it.
    start = tuple((origin, params) for origin, params in head.definition["start"])
    strategy = build_strategy(definition, sampler, start)
    criterion = build_criterion(file.stop)
    log = _reliable_log(ledger, head, say, only_alone=only_alone)
    folder = journal.prepare(journal.folder_of(definition.ledger, head.name, definition.root))
    call = None if folder is None else Journaled.of(objective, ledger, run_id, folder)
    with (
        working_folders(definition, objective),
        SignalGate() as gate,
        build_executor(definition, objective, fork_server, call) as executor,
    ):
        study = Study(
            strategy,
            objective,
            criterion,
            log,
            keeping(definition, objective, recorder, ledger, head),
            executor,
            gate,
            observer=observer,
        )
        try:
            outcome, code = study.run(), int(ExitCode.OK)
            winner = chosen_trial(outcome.history, definition.as_json(), objective.metrics)
            score_holdout(objective, executor, recorder, gate, winner)
        except StopRequested as stop:
            # The convention of shells: 130 for SIGINT, 143 for SIGTERM.
            outcome, code = study.outcome(f"{INTERRUPTED} {stop}"), 128 + stop.signum
    for kind in dict.fromkeys(recorder.refuted):
        say(_refuted(kind))
    # Results that workers had finished when a signal came, and the study had not yet received.
    journal.replay(ledger, folder if code else None)
    journal.remove(folder)
    return _finish(ledger, head, run_id, definition, outcome, code)


def _reliable_log(ledger: Ledger, head: StudyHead, say: Say, *, only_alone: bool) -> TrialLog:
    """Trials to continue from; those that no longer count are reported, and asked for again."""
    log, known = ledger.log(head.id, only_alone=only_alone), ledger.load(head.name, head.generation)
    if known.outdated:
        say(f"{known.outdated.partition(';')[0]}: they are evaluated anew")
    if len(log.told) < known.history.n_told:
        ledger.forget_from(head.id, len(log.told))
    return log


def _refuted(kind: str) -> str:
    """Describe shared fits that gave other answers than fresh ones."""
    content = json.loads(kind)
    return (
        f"sharing fits by {content['way']} gave other predictions than fits of single candidates,"
        " and was given up; all scores are those of single fits. Please report it, with"
        f" {', '.join(f'{name} {text}' for name, text in content['versions'].items())}"
    )


def _finish(
    ledger: Ledger,
    head: StudyHead,
    run_id: int,
    definition: Definition,
    outcome: Outcome,
    code: int,
) -> Result:
    ledger.forget_untold(head.id, len(outcome.history))
    counts = outcome.n_evaluated, outcome.n_reused, outcome.n_fits
    ledger.end_run(run_id, outcome.stopped_by, *counts)
    record = ledger.load(head.name)
    summary, written = _written(ledger, definition, record)
    if code == ExitCode.OK and outcome.history.best() is None:
        code = ExitCode.NO_RESULT
    return Result(record, summary, *counts, written, code)


def _written(
    ledger: Ledger, definition: Definition, record: StudyRecord
) -> tuple[Summary, tuple[Written, ...]]:
    """Content of the report, and the outputs; a search of nested cross-validation writes none."""
    nested = outer_records(ledger, definition, record)
    summary = summarise(record, nested=nested)
    if definition.outer is not None:
        return summary, ()
    outputs = definition.file.outputs
    written = write_outputs(
        record, definition.root, outputs, summary, nested, forced=definition.forced
    )
    return summary, tuple(written)
