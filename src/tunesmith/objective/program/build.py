"""Objective of a study that runs a program, checked before anything is run."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.config.model import Definition, ExecutionSection
from tunesmith.config.objective import DataSection
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.errors import UsageError
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
from tunesmith.objective.program.following import Limits
from tunesmith.objective.program.further import FurtherFolds
from tunesmith.objective.program.gpus import Gpus
from tunesmith.objective.program.objective import EVALUATION, ProgramObjective
from tunesmith.objective.program.observing.dependencies import files_digest, named
from tunesmith.objective.program.observing.isolation import Watching
from tunesmith.objective.program.observing.reading import ProjectView, changed_names
from tunesmith.objective.program.observing.views import unwatched, view_of
from tunesmith.objective.program.passing.ports import ProgramPorts
from tunesmith.objective.program.passing.reach import check_carried
from tunesmith.objective.program.runner import Runner
from tunesmith.objective.program.statements import dependence
from tunesmith.objective.program.trial_logs import folder_name, runs_folder
from tunesmith.system.files import STATE
from tunesmith.system.fingerprint import digest
from tunesmith.system.portable.abilities import can_limit_memory, n_usable_cores

if TYPE_CHECKING:
    import pandas as pd

    from tunesmith.data.folds import Split
    from tunesmith.data.table import Rows, Table

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
    study = ProgramStudy(definition)
    section, ports = study.section, study.ports
    study.check_program()
    notes = check_carried(definition, ports)
    watching = study.watching()
    environment = Surroundings(
        section.environment,
        restored,
        _n_threads(n_workers),
        mark(definition.ledger, definition.file.study),
    )
    return ProgramObjective(
        runner=study.runner(environment, watching),
        folds=study.folds(),
        further=study.further(),
        metrics=study.metrics,
        objectives=study.objectives,
        context=study.context,
        fixed=dict(section.params),
        default_params=ports.defaults(definition.space),
        notes=(*notes, *dependence(watching, study.depends_on)),
    )


def outline_program(definition: Definition) -> Outline:
    """Describe the results of a study and all that they depend on, without looking for the program.

    Raises:
        UsageError: files that the configuration names are missing.
        DataError: the table or the folds cannot be used.
    """
    study = ProgramStudy(definition)
    section, context = study.section, study.context
    n_folds, has_holdout = 1 if section.data is None else None, False
    if section.data is not None:
        from tunesmith.data.folds import n_folds_of

        table = study.table(section.data)
        n_folds, has_holdout = n_folds_of(section.cv, table.rows), table.holdout is not None
    n = None if n_folds is None else n_folds * (section.seeds or 1)
    changed = partial(changed_names, study.view)
    return Outline(
        context=context,
        metrics=study.metrics,
        objectives=study.objectives,
        n_folds=n,
        has_holdout=has_holdout,
        changed=changed,
    )


def mark(ledger: str | Path, study: str) -> str:
    """Mark in the environment of a study's programs, by which they can be found.

    Args:
        ledger: location of the study's ledger.
        study: its name.
    """
    return digest([str(ledger), study])


@dataclass(frozen=True)
class ProgramStudy:
    """The parts that the objective of a training program is built from, each made once.

    Its outline needs some of them only, and makes no others.
    """

    definition: Definition

    @property
    def section(self) -> Section:
        """Section of the program."""
        return self.definition.file.objective

    @cached_property
    def root(self) -> Path:
        """The project folder, resolved."""
        return self.definition.root.resolve()

    @property
    def state(self) -> Path:
        """Folder of everything that Tunesmith itself keeps in the project."""
        return self.root / STATE

    @cached_property
    def ports(self) -> ProgramPorts:
        """Ports of the program.

        Raises:
            UsageError: the command or the parameters file cannot take the parameters.
        """
        return ProgramPorts.of(self.definition)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics; the deciding ones first."""
        return _metrics(self.section)

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """Metrics that decide."""
        return self.metrics[: len(self.section.metric)]

    @cached_property
    def view(self) -> ProjectView:
        """The project as runs of the program find it."""
        return view_of(self.root, self.definition.file, frozenset(self.ports.files))

    @cached_property
    def depends_on(self) -> list[Path]:
        """Files that scores depend on, as far as the configuration names them."""
        files = named(self.root, self.section.depends_on or ())
        if self.section.params_file is None:
            return files
        # Its content counts but for the values that every trial replaces: it is in the template.
        return [path for path in files if path != self.root / self.section.params_file.path]

    @cached_property
    def context(self) -> dict[str, str]:
        """Digests of all that the scores of the study depend on."""
        section, root = self.section, self.root
        template = self.ports.digest(self.definition.space, self.definition.parameter_names)
        own = section.model_dump(mode="json", include=set(RUN_BY) | {"params_file", "metrics_file"})
        environment = dict(section.environment.set)
        context = {
            "code": files_digest(root, self.depends_on),
            "objective": digest([EVALUATION, own, environment, template]),
        }
        if section.data is not None:
            context["data"] = files_digest(root, [root / path for path in section.data.path])
        return context

    def check_program(self) -> None:
        """Check that the program can be run.

        Raises:
            UsageError: it is not there, or not in the folders that runs get.
        """
        command = self.section.argv
        check_executable(
            next(iter(command), ""), self.root, self.section.environment.set.get("PATH")
        )
        if self.section.workspace.mode == "copy":
            check_reachable(command, self.root)

    # -- evaluation ----------------------------------------------------------------------------

    def watching(self) -> Watching:
        """Watch over the runs."""
        checkpoints = () if self.checkpoints is None else (self.checkpoints.folder,)
        own = (self.runs, self.state / "splits", *checkpoints)
        return Watching(self.view, unwatched(self.section), own)

    def runner(self, surroundings: Surroundings, watching: Watching) -> Runner:
        """Runner of the program."""
        section, execution = self.section, self.definition.file.execution
        n_gpus = execution.slots.gpu
        return Runner(
            root=self.root,
            layout=self.view.layout,
            ports=self.ports,
            metric=self.metrics[0],
            metrics=[metric.name for metric in self.metrics],
            surroundings=surroundings,
            limits=self._limits(execution),
            retry={str(cause): n for cause, n in section.retry.items()},
            runs=self.runs,
            artifacts=section.artifacts.keep if section.artifacts else (),
            gpus=None if n_gpus is None else Gpus.first(n_gpus, self.state / "gpus", os.environ),
            checkpoints=self.checkpoints,
            watching=watching,
        )

    def _limits(self, execution: ExecutionSection) -> Limits:
        if execution.memory is not None and not can_limit_memory():
            raise UsageError(
                "execution.memory: this system cannot limit the memory of a program."
                "\n  Leave the key out, or let the program set its own limit."
            )
        return Limits(execution.fit_timeout, self.section.grace, execution.memory)

    @property
    def runs(self) -> Path:
        """Folder with a folder for each evaluation."""
        return runs_folder(self.definition.root, self.definition.file)

    @cached_property
    def checkpoints(self) -> Checkpoints | None:
        """Checkpoints of trials that continue with larger budgets, if any do."""
        file = self.definition.file
        if file.budget_parameter is None:
            return None
        folder = self.state / "checkpoints" / folder_name(file)
        return Checkpoints(folder, file.budget_parameter, digest(dict(self.context)))

    # -- data ----------------------------------------------------------------------------------

    def table(self, data: DataSection) -> "Table":
        """Read the table.

        Raises:
            DataError: it cannot be used.
        """
        # Reading tables takes a second of imports, which programs without one are spared.
        from tunesmith.data.table import load_table

        cv = self.section.cv
        in_time = cv.method == "time_series"
        return load_table(data, self.root, fold_column=cv.column, in_time=in_time)

    def folds(self) -> dict[int, ProgramFold]:
        """Folds of the study; the files of their rows are written.

        Raises:
            DataError: the table or the folds cannot be used.
        """
        section, seed = self.section, self.definition.file.search.seed
        if section.data is None:
            return without_table(section.seeds or 1, seed)
        splits, form = self._splits(self.table(section.data)), section.splits
        folder = self._split_folder([splits[n].digest for n in sorted(splits)])
        files = write_splits(splits, folder, form, self._reader)
        return with_table(splits, files, section.seeds or 1, seed)

    def further(self) -> FurtherFolds | None:
        """Folds beyond those of the search; ``None`` if there is no table, or more than one seed.

        Raises:
            DataError: the table cannot be used.
        """
        section = self.section
        # The spread between seeds is another one than that between splits.
        if section.data is None or (section.seeds or 1) > 1:
            return None
        from tunesmith.data.further import FurtherSplits

        rows = self.table(section.data).rows
        splits = FurtherSplits(section.cv, rows, self._has_classes(rows))
        numbers = _numbers_of(rows)
        return FurtherFolds(
            splits=splits,
            numbers=numbers,
            folder=self._split_folder([]),
            form=section.splits,
            seed=self.definition.file.search.seed,
            table=self._reader,
        )

    def _split_folder(self, digests: list[str]) -> Path:
        """Folder for the files of splits, named after all that they depend on."""
        content = files_digest(self.root, [self.root / path for path in self._paths])
        return self.state / "splits" / digest([content, self.section.splits, digests])

    @property
    def _paths(self) -> tuple[str, ...]:
        """Files of the table."""
        return () if self.section.data is None else self.section.data.path

    @property
    def _reader(self) -> "Callable[[], pd.DataFrame]":
        """Reader of the table, which worker processes get, too."""
        separator = "," if self.section.data is None else self.section.data.separator
        return partial(_frame_of, self._paths, self.root, separator)

    @staticmethod
    def _has_classes(rows: "Rows") -> bool:
        # What a program predicts is not known: the type of the target decides about stratified
        # folds.
        return rows.y.dtype.kind in "bOUST"

    def _splits(self, table: "Table") -> "dict[int, Split]":
        """Splits by fold, as numbers of rows in the files; held-out rows among them."""
        from tunesmith.data.folds import Split, make_splits

        rows, numbers = table.rows, _numbers_of(table.rows)
        has_classes = self._has_classes(rows)
        splits = dict(enumerate(make_splits(self.section.cv, rows, is_classifier=has_classes)))
        in_file = {n: Split(numbers[s.train], numbers[s.test]) for n, s in splits.items()}
        if table.holdout is not None and table.holdout.numbers is not None:
            in_file[HOLDOUT] = Split(numbers.copy(), table.holdout.numbers)
        return in_file


def _frame_of(paths: tuple[str, ...], root: Path, separator: str) -> "pd.DataFrame":
    from tunesmith.data.read import read_files

    return read_files(paths, root, separator)[0]


def _numbers_of(rows: "Rows") -> np.ndarray:
    """Numbers of rows in the files."""
    return np.arange(len(rows)) if rows.numbers is None else rows.numbers


def _metrics(section: Section) -> tuple[Metric, ...]:
    # Reversed, so that a deciding metric wins over one of `also` with its name.
    specs = {spec.name: spec for spec in reversed((*section.metric, *section.also))}
    ordered = dict.fromkeys(spec.name for spec in (*section.metric, *section.also))
    return tuple(Metric(name, specs[name].direction or "maximize") for name in ordered)


def _n_threads(n_workers: int) -> int:
    # Not `cpu_count`: a job may be bound to some of the cores.
    return max(1, n_usable_cores() // n_workers)
