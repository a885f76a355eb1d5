"""Objective of a study that runs a program, checked before anything is run."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from tunesmith.config.model import Definition
from tunesmith.config.model import ObjectiveSection as Section
from tunesmith.history import HOLDOUT, Metric
from tunesmith.objective.outline import Outline
from tunesmith.objective.program.checkpoints import Checkpoints
from tunesmith.objective.program.environment import Surroundings
from tunesmith.objective.program.executable import check_executable, check_reachable
from tunesmith.objective.program.folds import (
    ProgramFold,
    with_table,
    without_table,
    write_splits,
)
from tunesmith.objective.program.gpus import Gpus
from tunesmith.objective.program.objective import EVALUATION, ProgramObjective
from tunesmith.objective.program.observing.dependencies import files_digest, named
from tunesmith.objective.program.observing.isolation import Watching
from tunesmith.objective.program.observing.reading import changed_names
from tunesmith.objective.program.observing.views import unwatched, view_of
from tunesmith.objective.program.passing.ports import ProgramPorts
from tunesmith.objective.program.passing.reach import check_carried
from tunesmith.objective.program.process import Limits
from tunesmith.objective.program.runner import Runner
from tunesmith.objective.program.statements import dependence
from tunesmith.objective.program.trial_logs import folder_name, runs_folder
from tunesmith.system.files import STATE
from tunesmith.system.fingerprint import digest

RUN_BY = ("command", "overrides", "metrics_pattern", "progress_file", "metric", "also", "params")
"""Keys of the section that change the scores of a run."""


def build_program(
    definition: Definition, *, n_workers: int, restored: Mapping[str, str | None]
) -> ProgramObjective:
    """Build the objective of a study that runs a program.

    Args:
        definition: of the study; its objective has a ``command``.
        n_workers: programs that run at the same time.
        restored: variables that have other values in worker processes than for the user.

    Raises:
        UsageError: the command, its parameters or its files cannot be used.
        DataError: the table or the folds cannot be used.
    """
    section, root = definition.file.objective, definition.root.resolve()
    ports = ProgramPorts.of(definition)
    program = (section.command or ("",))[0]
    check_executable(program, root, section.environment.set.get("PATH"))
    if section.workspace.mode == "copy":
        check_reachable(section.command or (), root)
    notes = check_carried(definition, ports)
    metrics = _metrics(section)
    state = root / STATE
    context, depends = _context(definition, root, ports.digest(definition))
    view = view_of(definition, root, frozenset(ports.files))
    runs, checkpoints = runs_folder(definition), _checkpoints(definition, state, context)
    own = (runs, state / "splits", *(() if checkpoints is None else (checkpoints.folder,)))
    watching = Watching(view, unwatched(section), own)
    runner = Runner(
        root,
        view.layout,
        ports,
        metrics[0],
        [metric.name for metric in metrics],
        Surroundings(section.environment, restored, _n_threads(n_workers), mark(definition)),
        _limits(definition),
        {str(cause): n for cause, n in section.retry.items()},
        runs,
        section.artifacts.keep if section.artifacts else (),
        _gpus(definition, state),
        checkpoints,
        watching,
    )
    return ProgramObjective(
        runner,
        _folds(definition, root, state),
        metrics,
        metrics[: len(section.metric)],
        context,
        dict(section.params),
        ports.defaults(definition.space),
        (*notes, *dependence(watching, depends)),
    )


def outline_program(definition: Definition) -> Outline:
    """Describe the results of a study and all that they depend on, without looking for the program.

    Raises:
        UsageError: files that the configuration names are missing.
        DataError: the table or the folds cannot be used.
    """
    section, root = definition.file.objective, definition.root.resolve()
    metrics = _metrics(section)
    context, _ = _context(definition, root, ProgramPorts.of(definition).digest(definition))
    n_folds, has_holdout = 1 if section.data is None else None, False
    if section.data is not None:
        from tunesmith.data.folds import n_folds_of
        from tunesmith.data.table import load_table

        data, cv = section.data, section.cv
        in_time = cv.method == "time_series"
        table = load_table(data, root, fold_column=cv.column, in_time=in_time)
        n_folds, has_holdout = n_folds_of(cv, table.rows), table.holdout is not None
    n = None if n_folds is None else n_folds * (section.seeds or 1)
    view = view_of(definition, root, frozenset(ProgramPorts.of(definition).files))
    objectives = metrics[: len(section.metric)]
    return Outline(context, metrics, objectives, n, has_holdout, partial(changed_names, view))


def mark(definition: Definition) -> str:
    """Mark in the environment of a study's programs, by which they can be found."""
    return digest([str(definition.ledger), definition.file.study])


def _metrics(section: Section) -> tuple[Metric, ...]:
    # Reversed, so that a deciding metric wins over one of `also` with its name.
    specs = {spec.name: spec for spec in reversed((*section.metric, *section.also))}
    ordered = dict.fromkeys(spec.name for spec in (*section.metric, *section.also))
    return tuple(Metric(name, specs[name].direction or "maximize") for name in ordered)


def _n_threads(n_workers: int) -> int:
    # Not `cpu_count`: a job may be bound to some of the cores.
    return max(1, len(os.sched_getaffinity(0)) // n_workers)


def _limits(definition: Definition) -> Limits:
    execution, section = definition.file.execution, definition.file.objective
    return Limits(execution.fit_timeout, section.grace, execution.memory)


def _gpus(definition: Definition, state: Path) -> Gpus | None:
    n = definition.file.execution.slots.gpu
    return None if n is None else Gpus.first(n, state / "gpus", os.environ)


def _checkpoints(
    definition: Definition, state: Path, context: Mapping[str, str]
) -> Checkpoints | None:
    budget = definition.file.budget
    if budget is None or budget.parameter is None:
        return None
    folder = state / "checkpoints" / folder_name(definition)
    return Checkpoints(folder, budget.parameter, digest(dict(context)))


def _context(
    definition: Definition, root: Path, template: str
) -> tuple[dict[str, str], list[Path]]:
    """Digests of all that the scores of a study depend on, and the files among it."""
    section = definition.file.objective
    files = named(root, section.depends_on or ())
    if section.params_file is not None:
        # Its content counts but for the values that every trial replaces: `template`.
        files = [path for path in files if path != root / section.params_file.path]
    own = section.model_dump(mode="json", include=set(RUN_BY) | {"params_file", "metrics_file"})
    environment = dict(section.environment.set)
    found = {
        "code": files_digest(root, files),
        "objective": digest([EVALUATION, own, environment, template]),
    }
    if section.data is not None:
        found["data"] = files_digest(root, [root / path for path in section.data.path])
    return found, files


def _folds(definition: Definition, root: Path, state: Path) -> dict[int, ProgramFold]:
    section, seed = definition.file.objective, definition.file.search.seed
    n_seeds = section.seeds or 1
    if section.data is None:
        return without_table(n_seeds, seed)
    # Reading tables takes a second of imports, which programs without one are spared.
    from tunesmith.data.folds import Split, make_splits
    from tunesmith.data.read import read_files
    from tunesmith.data.table import load_table

    data, cv = section.data, section.cv
    table = load_table(data, root, fold_column=cv.column, in_time=cv.method == "time_series")
    rows = table.rows
    # What a program predicts is not known: the type of the target decides about stratified folds.
    has_classes = rows.y.dtype.kind in "bOUST"
    splits = dict(enumerate(make_splits(cv, rows, is_classifier=has_classes)))
    numbers = np.arange(len(rows)) if rows.numbers is None else rows.numbers
    in_file = {n: Split(numbers[s.train], numbers[s.test]) for n, s in splits.items()}
    if table.holdout is not None and table.holdout.numbers is not None:
        in_file[HOLDOUT] = Split(numbers.copy(), table.holdout.numbers)
    folder = (
        state
        / "splits"
        / digest(
            [
                files_digest(root, [root / p for p in data.path]),
                section.splits,
                [in_file[n].digest for n in sorted(in_file)],
            ]
        )
    )
    files = write_splits(
        in_file, folder, section.splits, lambda: read_files(data.path, root, data.separator)[0]
    )
    return with_table(in_file, files, n_seeds, seed)
