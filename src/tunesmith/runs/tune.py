"""Run of a study from its definition to its results, with its nested cross-validation.

The command line and Python programs both start here.
"""

import shlex
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.data.changes import FileWatch
from tunesmith.errors import ExitCode, UsageError
from tunesmith.ledger import journal
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.runs.factory import build_objective, build_sampler
from tunesmith.runs.import_history import CommittedHistory, committed_history
from tunesmith.runs.open_run import OpenRun
from tunesmith.runs.project_code import project_on_path
from tunesmith.runs.result import Result
from tunesmith.runs.series import SeriesOpening
from tunesmith.runs.study_run import Run, Say, silence
from tunesmith.runs.workers import fork_server_for
from tunesmith.study.progress import Observer, silent
from tunesmith.system import git

MAX_LINES = 10
"""Number of lines of a history that a message names."""


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
    root, file = definition.root, definition.file
    # Read once, before the first output is written: the searches of nested cross-validation are in
    # it, too.
    committed = None if restart else committed_history(root, file.outputs.history)
    if committed is not None:
        _say_left_out(root, committed, say)
    data = file.objective.data
    # Recorded before the data is read, so that a change during the run is noticed.
    watch = FileWatch.of(root, () if data is None else data.path)
    run = Run(
        definition=definition, observer=observer, say=say, restart=restart, committed=committed
    )
    result = _result(run)
    if file.outer_folds is not None and result.exit_code == ExitCode.OK:
        result = _with_nested(run, result)
    for change in watch.changes():
        say(change)
    return result


def _with_nested(run: Run, result: Result) -> Result:
    """Repeat the search on every outer fold, and write the outputs again with the nested score."""
    for outer in run.outer_runs(result.record.head.context["data"]):
        run.say(f"nested cross-validation: {outer.definition.file.study}")
        found = _result(outer)
        # An outer search without a usable trial leaves the estimate open; the study stands.
        if found.exit_code not in (ExitCode.OK, ExitCode.NO_RESULT):
            return replace(result, exit_code=found.exit_code)
        result = replace(
            result,
            n_evaluated=result.n_evaluated + found.n_evaluated,
            n_reused=result.n_reused + found.n_reused,
            n_fits=result.n_fits + found.n_fits,
        )
    with Ledger.open(run.definition.ledger) as ledger:
        summary, written = run.write(ledger, result.record)
    return replace(result, summary=summary, written=written)


def _result(run: Run) -> Result:
    """Run one study, without its nested cross-validation."""
    definition, file = run.definition, run.definition.file
    with project_on_path(definition.root):
        # First of all, so that modules are preloaded while this process reads the data.
        fork_server = fork_server_for(file.objective, file.execution)
        objective = build_objective(definition)
        for note in objective.notes:
            run.say(note)
        sampler = build_sampler(file.search, definition.space)
        location = definition.ledger
        with Ledger.open(location) as ledger, run_lock(location, file.study):
            # Under the lock and before the study begins: results of a killed run then count as
            # known.
            journal.replay(ledger, journal.folder_of(location, file.study, definition.root))
            series = SeriesOpening(run, objective, ledger).open()
            opened = OpenRun.begin(run, objective, ledger, series)
            return opened.complete(sampler, fork_server)


def _say_left_out(root: Path, committed: CommittedHistory, say: Say) -> None:
    """Report the lines of the history that are not valid.

    Raises:
        UsageError: no line is valid: everything would be evaluated again, and written over it.
    """
    name = committed.name
    if committed.problem:
        # With the revision, also a file whose merge is not finished can be taken.
        again = f"Take it from Git again (`git checkout HEAD -- {shlex.quote(name)}`), or remove it"
        is_committed = git.answer(root, "cat-file", "-e", f"HEAD:./{name}") is not None
        way = again if is_committed else "Remove it"
        raise UsageError(f"{name}: {committed.problem}.\n  {way} to begin anew.")
    lines = list(committed.left_out.items())
    for number, why in lines[:MAX_LINES]:
        say(f"{name}:{number} is left out: {why}")
    if len(lines) > MAX_LINES:
        say(f"{name}: {len(lines) - MAX_LINES} more lines are left out")
