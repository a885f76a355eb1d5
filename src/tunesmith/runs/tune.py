"""Run of a study from its definition to its results, with its nested cross-validation.

The command line and Python programs both start here.
"""

import shlex
import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from tunesmith.config.load import define, load_definition
from tunesmith.config.model import Definition
from tunesmith.data.changes import FileWatch
from tunesmith.errors import ExitCode, NoResultWarning, UsageError
from tunesmith.ledger import journal
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.reporting.wording.without_result import without_result
from tunesmith.runs.factory import build_objective, build_sampler
from tunesmith.runs.import_history import CommittedHistory, committed_history
from tunesmith.runs.open_run import OpenRun
from tunesmith.runs.progress import tell, watched
from tunesmith.runs.project_code import project_on_path
from tunesmith.runs.result import Result
from tunesmith.runs.series import SeriesOpening
from tunesmith.runs.study_run import Run, Say, silence
from tunesmith.runs.workers import fork_server_for
from tunesmith.study.progress import Observer
from tunesmith.system import git

OWN = ("subject", "X", "y", "progress", "observer", "say", "restart", "force")
"""Arguments of ``tune`` that are no part of the study of objects in memory."""
MAX_LINES = 10
"""Number of lines of a history that a message names."""


def tune(
    subject: Any,
    X: Any = None,
    y: Any = None,
    *,
    space: Any = None,
    search: str | Mapping[str, Any] | None = None,
    cv: Any = None,
    metric: Any = None,
    also: Any = None,
    groups: Any = None,
    weights: Any = None,
    fit_params: Mapping[str, Any] | None = None,
    stop: int | str | Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    gate: bool | float | Mapping[str, Any] | None = None,
    confirm: str | Mapping[str, Any] | None = None,
    current: Mapping[str, Any] | None = None,
    selection: str | Mapping[str, Any] | None = None,
    start_with: Any = None,
    models: Mapping[str, Any] | None = None,
    predictions: str | PathLike[str] | Mapping[str, Any] | None = None,
    ledger: str | PathLike[str] | None = None,
    study: str | None = None,
    seed: int | None = None,
    workers: int | None = None,
    execution: Mapping[str, Any] | None = None,
    version: str | None = None,
    progress: bool = True,
    observer: Observer | None = None,
    say: Say | None = None,
    restart: bool = False,
    force: Collection[str] = (),
) -> Result:
    """Run a study until a stopping criterion is met: of a configuration, an estimator, a function.

    ``tune("tuning.yaml")`` runs a configuration and writes its outputs. ``tune(estimator, X, y,
    space=…)`` and ``tune(function, space=…)`` tune objects in memory and write nothing but the
    ledger, and predictions if you ask for them. The scores of an estimator are those of
    ``cross_val_score``, bit for bit.

    >>> import tunesmith
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": tunesmith.Float(0.01, 100, log=True), "kernel": ["linear", "rbf"]}
    >>> result = tunesmith.tune(
    ...     SVC(), X, y, space=space, stop=12, cv=3, workers=1, progress=False
    ... )
    >>> len(result.trials), result.best_score > 0.97
    (12, True)
    >>> def loss(params):
    ...     return (params["x"] - 2) ** 2
    >>> found = tunesmith.tune(
    ...     loss,
    ...     space={"x": tunesmith.Float(-5, 5)},
    ...     metric={"name": "loss", "direction": "minimize"},
    ...     stop=20,
    ...     progress=False,
    ... )
    >>> found.best_score < 0.5
    True

    Args:
        subject: a definition, the path of a configuration, a dict of its sections; an estimator; or
            a function from ``params``, a dict, to a score, a dict of metrics, or a list of these,
            one for each fold. A function may take ``fold`` as its second argument.
        X: rows of an estimator, as it takes them: array, frame of pandas or polars, sparse matrix.
        y: targets; ``None`` if the estimator needs none.
        space: name -> list, ``Float``, ``Int``, distribution of SciPy or Optuna, or a list of such
            dicts, as ``BayesSearchCV`` takes it; values may be any objects.
        search: ``"bayesian"`` (the default), ``"random"``, ``"grid"``, …, or the section
            ``search`` of a configuration.
        cv: number of folds, splitter or list of splits, as ``cross_val_score`` takes it; of a
            function, the number of its folds.
        metric: name of a scorer, scorer, dict of scorers, or a list of these, which makes a
            multi-objective study; by default the estimator's own ``score``. Of a function: a name,
            or ``{"name": "loss", "direction": "minimize"}``.
        also: the same, for metrics that are only recorded.
        groups: of the rows, for splitters that keep groups together.
        weights: of the rows, passed to ``fit``.
        fit_params: further arguments of ``fit``.
        stop: number of trials, a duration such as ``"10m"``, or the section ``stop``; 50 trials by
            default, and all points of a grid.
        budget: section ``budget`` of a configuration.
        gate: ``True``, the smallest gain that is worth a change, or the section ``gate``: compare
            the winner with the current parameters on further splits of the same rows.
        confirm: section ``confirm``: limits of the further splits; ``"off"`` lets the folds of the
            search decide.
        current: the current parameters; the estimator's own by default.
        selection: ``"best"``, ``"one_se"``, ``"simplest"``, ``"fastest"``, or the section.
        start_with: params to try first, ``"defaults"`` or ``"current"``, or a list of these.
        models: section ``models``: ``{}`` keeps the fold models of the best trials, so that
            ``result.model()`` needs no further fit, and the report tells of the winner's answers.
        predictions: path of a table of out-of-fold predictions, ``.csv`` or ``.parquet``, or a dict
            with ``path``, ``trials`` and ``columns``; the report then tells of them.
        ledger: file or database URL that keeps every score; by default a temporary file, which
            goes with the result.
        study: its name; by default that of the class or function.
        seed: same study and seed, same trials.
        workers: processes at a time; by default one per core, and one for a function.
        execution: section ``execution`` of a configuration.
        version: text that stands for what a ledger cannot recognise of your code, such as files
            that it reads: change it whenever a result may change.
        progress: show the progress: a card in notebooks, a bar in terminals, lines in logs. If it
            is off and no trial is usable, a warning gives the reason.
        observer: gets the progress instead.
        say: gets sentences that a user should read (changed data, skipped starting points);
            printed by default.
        restart: ignore earlier evaluations.
        force: outputs, by their paths in the configuration, that may replace files of other origin.

    Raises:
        UsageError: an argument, the definition, the data or the estimator cannot be used.
        LockedError: another run holds the study.
        StorageError: the ledger or an output cannot be written.
    """
    options = {name: value for name, value in locals().items() if name not in OWN}
    definition = _defined(subject, {"X": X, "y": y, **options})
    # The command line, which gives both, has a text of its own for the end of a study.
    is_command = definition is not None and say is not None
    say = say or (tell if progress and observer is None else silence)
    with watched(observer, progress=progress) as watching:
        if definition is not None:
            result = _tune_defined(definition, watching, say, restart=restart, force=force)
        elif force:
            raise UsageError("force: a study of objects in memory writes no outputs. Leave it out.")
        else:
            # Late: a study of a configuration needs nothing of it.
            from tunesmith.runs.memory.request import MemoryRequest
            from tunesmith.runs.memory.run import tune_in_memory

            options["fit_params"] = fit_params or {}
            request = MemoryRequest(**options)
            result = tune_in_memory(
                subject, X, y, request, observer=watching, say=say, restart=restart
            )
    # A failed study raises nothing, so a bar of progress, or silence, would look like success.
    reason = "" if is_command else without_result(result.summary)
    if reason and say is silence:
        warnings.warn(reason, NoResultWarning, stacklevel=2)
    elif reason:
        say(reason)
    return result


def _defined(subject: Any, others: Mapping[str, Any]) -> Definition | None:
    """Return the definition that was given in any form; ``None`` for objects in memory.

    Raises:
        UsageError: arguments for objects in memory are given beside it.
    """
    if not isinstance(subject, Definition | str | Path | Mapping):
        return None
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise UsageError(
            f"{', '.join(given)}: a configuration has these in its own sections. Change them there,"
            " or tune objects in memory: tune(estimator, X, y, space=…)."
        )
    if isinstance(subject, str | Path):
        return load_definition(Path(subject))
    return define(subject) if isinstance(subject, Mapping) else subject


def _tune_defined(
    defined: Definition,
    observer: Observer,
    say: Say,
    *,
    restart: bool,
    force: Collection[str],
) -> Result:
    """Run the study of a configuration, and write its outputs."""
    # Before anything is computed: a run must not end with results that it cannot write.
    refuse_foreign(BestFile.of(defined), force)
    definition = replace(defined, forced=frozenset(force))
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
    # Its first outputs, of which the predictions are not written again.
    paths = {item.path for item in written}
    rest = (item for item in result.written if item.path not in paths)
    return replace(result, summary=summary, written=(*written, *rest))


def _result(run: Run) -> Result:
    """Run one study, without its nested cross-validation."""
    definition, file = run.definition, run.definition.file
    with project_on_path(definition.root):
        # First of all, so that modules are preloaded while this process reads the data.
        fork_server = fork_server_for(file.objective, file.execution)
        objective = build_objective(definition)
        if file.outputs.predictions is not None:
            from tunesmith.runs.models.out_of_fold import check_predictions

            # Before anything is evaluated: a run must not end with results that it cannot write.
            check_predictions(definition, objective)
        for note in objective.notes:
            run.say(note)
        sampler = build_sampler(file.search, definition.space)
        location = definition.ledger
        with Ledger.open(location) as ledger, run_lock(location, file.study):
            # Under the lock and before the study begins: results of a killed run then count as
            # known.
            journal.replay(ledger, journal.folder_of(location, file.study, definition.root))
            if "://" in str(location):
                from tunesmith.runs.pull.harvest import harvest
                from tunesmith.runs.pull.program_wire import wire_of

                wire = wire_of(objective, definition)
                harvest(ledger, location, definition.main_study, wire)
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
