"""Factory of a study's parts, from its definition."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Protocol

from tunesmith import registry
from tunesmith.config.model import BudgetSection, Definition, ExecutionSection, File, SearchSection
from tunesmith.config.objective import ObjectiveSection
from tunesmith.errors import UsageError
from tunesmith.execute.choose import executor_class
from tunesmith.execute.executor import Call, Executor
from tunesmith.execute.options import options_of, unknown_option
from tunesmith.execute.starter import Starter
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.ledger.rows import as_recorded
from tunesmith.objective.objective import Objective
from tunesmith.runs.project_code import blaming_the_project
from tunesmith.runs.proposing import marks, named_sampler, races, window_of
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.runs.workers import choice
from tunesmith.search.budget import Budgets
from tunesmith.search.sampler import Sampler, spread
from tunesmith.space import SearchSpace
from tunesmith.study.early_stopping import EarlyStopping
from tunesmith.study.look_ahead import UNREAD
from tunesmith.study.race import Race, raced_window
from tunesmith.study.read_off import with_read_off
from tunesmith.study.strategy import SamplerStrategy, Strategy
from tunesmith.study.successive_halving import SuccessiveHalving
from tunesmith.system.fingerprint import digest
from tunesmith.system.quick_imports import importing
from tunesmith.system.threads import OWN_VARIABLES
from tunesmith.types import Params

HOUSEKEEPING = ("artifacts", "grace", "predictions", "retry")
"""Keys of the objective that change no trial."""
OF_SAMPLERS = ("seed", "sampler")
"""Arguments of samplers that have keys of their own."""
OF_EXECUTORS = ("function", "n_workers", "timeout_s", "n_threads", "gpus", "fork_server")
"""Arguments of executors that are no options."""
SLACK_S = 10.0
"""Seconds between a program's own time limit, which leaves a log, and the end of its worker."""


class Described(Protocol):
    """An objective, or its outline."""

    @property
    def context(self) -> Mapping[str, str]:
        """Everything that results depend on besides params and fold."""


def build_objective(definition: Definition) -> Objective:
    """Build the objective that the definition describes.

    Raises:
        UsageError: the estimator, the program, a parameter or a metric cannot be used.
        DataError: the table or the folds cannot serve.
    """
    if not definition.file.objective.is_program:
        with importing():
            from tunesmith.objective import crossval

        with blaming_the_project(definition.root):
            return crossval.build_objective(definition)
    with importing():
        from tunesmith.objective.program.build import build_program

    # Worker processes have values of their own of these; programs get the user's.
    users = {name: os.environ.get(name) for name in OWN_VARIABLES}
    n_workers = choice(definition.file.objective, definition.file.execution)[1]
    return build_program(definition, n_workers=n_workers, restored=users)


def build_sampler(search: SearchSection, space: SearchSpace) -> Sampler:
    """Build the sampler that a configuration names.

    Args:
        search: section of the configuration.
        space: space that it has to search.

    Raises:
        UsageError: an option is unknown, or the sampler cannot search this space.
    """
    try:
        sampler = named_sampler(search)
    except TypeError as error:
        known = options_of(registry.load("samplers", search.method), OF_SAMPLERS)
        part = f"{search.method} search"
        raise UsageError(unknown_option("search.options", part, error, known)) from None
    blocker = sampler.blocker(space)
    if blocker:
        raise UsageError(f"search.method: {search.method} cannot search this space: {blocker}")
    return sampler


def build_executor(
    call: Call,
    section: ObjectiveSection,
    execution: ExecutionSection,
    fork_server: Starter | None = None,
    *,
    offering: object = None,
) -> Executor:
    """Build the executor that a configuration names.

    Args:
        call: evaluates a fit.
        section: section of the objective.
        execution: section of the executor.
        fork_server: fork server of the worker processes.
        offering: the run (``runs.pull.executor.Offering``), for executors that offer its fits.
    """
    name, n_workers = choice(section, execution)
    made, options = executor_class(name), dict(execution.options)
    if fork_server is not None:
        options["fork_server"] = fork_server
    size: int | None = n_workers
    if getattr(made, "sizes_itself", False):
        # A cluster has as many places as its workers have, unless fewer are wanted.
        size = execution.workers
        options["gpus"] = execution.slots.gpu
    if getattr(made, "is_offering", False):
        options["offering"] = offering
    timeout_s = _call_timeout_s(section, execution)
    try:
        executor: Executor = made(call, n_workers=size, timeout_s=timeout_s, **options)
    except TypeError as error:
        if not execution.options:
            raise
        known = [*options_of(made, OF_EXECUTORS), *getattr(made, "further_options", ())]
        raise UsageError(unknown_option("execution.options", name, error, known)) from None
    return executor


def _call_timeout_s(section: ObjectiveSection, execution: ExecutionSection) -> float | None:
    if execution.fit_timeout is None or not section.is_program:
        return execution.fit_timeout
    if execution.slots.gpu is not None:
        return None  # waiting for a GPU counts for nothing
    # Each retry may take its whole time limit.
    n_tries = 1 + sum(section.retry.values())
    return n_tries * (execution.fit_timeout + section.grace + SLACK_S)


def identity(definition: Definition, objective: Described) -> str:
    """Digest of everything that fixes the sequence of trials.

    The end of trials (``stop``), the executor and the places of results are not part of it.
    """
    file = definition.file.model_dump(mode="json", include={"objective", "search", "budget"})
    # What is done counts, not what is asked for: so `share: off` is part of the identity of a
    # sampled study, and `curves` means nothing for a grid.
    file["search"]["curves"] = definition.file.has_submodel_candidates
    # What is done counts here, too; a study without a race is the one that it was before races.
    file["search"].pop("race")
    file["search"] |= marks(definition.file)
    for name in HOUSEKEEPING:
        file["objective"].pop(name)
    holdout = (file["objective"].get("data") or {}).get("holdout")
    if holdout is not None and not holdout["shuffle"]:
        del holdout["shuffle"]  # came later; a study from before is the same study
    gate, outer = definition.file.gate, definition.outer
    if outer is not None:
        file["outer"] = asdict(outer)
    if gate is not None:
        file["search"]["start_with"] = definition.file.starting_points
        # A study never writes into the base revision, so its parameters may be part of the
        # identity.
        file["base"] = None if gate.base is None else StartingPoints(definition).written
    return digest({**file, "space": definition.space.to_json(), "on": dict(objective.context)})


def build_strategy(
    file: File,
    objective: Objective,
    space: SearchSpace,
    sampler: Sampler,
    start: Sequence[tuple[str, Params]],
) -> Strategy:
    """Build the strategy that proposes trials.

    Args:
        file: the configuration.
        objective: its folds set the default look-ahead, and its shared fits what is not searched.
        space: space of the study.
        sampler: from ``build_sampler``.
        start: (origin, canonical params) to try first.
    """
    sampling = _sampling(file, space, sampler, start, objective.n_folds)
    if (with_budgets := _with_budgets(file, sampling)) is not None:
        return with_budgets
    proposing = with_read_off(sampling, objective)
    if not races(file, sampler) or objective.n_folds == 1:
        return proposing
    if file.search.window is None and not proposing.looks_back:
        proposing = raced(sampling, objective)
    return Race(proposing, n_start=len(start))


def raced(sampling: SamplerStrategy, objective: Objective) -> SamplerStrategy:
    """Prepare a search that reads no results for a race: its look-ahead, and the order of a grid.

    Measured: from its first point to its last one, the leader of a grid comes late, and 38 % of the
    evaluations are saved instead of 48 % (docs/decisions/0147-order-of-raced-grids.md).
    """
    window = raced_window(sampling, objective)
    # Neighbours in the grid's order may share fits, which saves more.
    sampler = sampling.sampler if window == UNREAD else spread(sampling.sampler)
    return replace(sampling, sampler=sampler, window=window)


def build_budgeted(
    file: File,
    space: SearchSpace,
    sampler: Sampler,
    start: Sequence[tuple[str, Params]],
    n_folds: int,
) -> Strategy | None:
    """Build the strategy of a study with budgets, for which no objective is needed.

    Args:
        file: the configuration.
        space: space of the study.
        sampler: from ``build_sampler``.
        start: (origin, canonical params) to try first.
        n_folds: number of folds.

    Returns:
        ``None`` if the study has no budgets.
    """
    return _with_budgets(file, _sampling(file, space, sampler, start, n_folds))


def _sampling(
    file: File,
    space: SearchSpace,
    sampler: Sampler,
    start: Sequence[tuple[str, Params]],
    n_folds: int,
) -> SamplerStrategy:
    return SamplerStrategy(
        space,
        sampler,
        name=file.search.method,
        seed=file.search.seed,
        window=window_of(file, sampler, n_folds),
        start=tuple(start),
        curves=file.has_submodel_candidates,
    )


def _with_budgets(file: File, sampling: SamplerStrategy) -> Strategy | None:
    budget = file.budget
    if budget is None:
        return None
    budgets = build_budgets(budget)
    if budget.parameter is None:
        return EarlyStopping(sampling, budgets)
    by_name = file.preference.weights
    # A metric without a weight only breaks ties.
    weights = [by_name.get(metric.name, 0.0) for metric in file.objective.metric] if by_name else ()
    return SuccessiveHalving(sampling, budget.parameter, budgets, tuple(weights))


def build_budgets(budget: BudgetSection) -> Budgets:
    """Build the budgets of trials."""
    return Budgets(budget.min, budget.max, budget.factor, budget.rule)


def outer_records(
    ledger: Ledger, definition: Definition, record: StudyRecord
) -> tuple[StudyRecord, ...]:
    """Finished searches of nested cross-validation that belong to a study in its present form."""
    records = []
    for outer in definition.outer_searches(record.head.context.get("data", "")):
        head = ledger.previous(outer.file.study)
        if head is not None and _is_of(head, record.head, as_recorded(outer.as_json())):
            records.append(ledger.load(outer.file.study))
    return tuple(records)


def _is_of(head: StudyHead, main: StudyHead, wanted: RecordedStudy) -> bool:
    """True if a search was defined like the study is now, over the same code."""
    then = head.recorded
    is_same = all(then.section(part) == wanted.section(part) for part in ("objective", "search"))
    is_same &= (then.space.content, then.outer) == (wanted.space.content, wanted.outer)
    # Without `data`: a search lacks the rows of its outer fold; `outer` has the digest of all rows.
    others = ("code", "objective", "versions")
    return is_same and all(head.context.get(k) == main.context.get(k) for k in others)
