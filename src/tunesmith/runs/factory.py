"""Factory of a study's parts, from its definition."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from tunesmith import registry
from tunesmith.config.model import BudgetSection, Definition, ExecutionSection, File, SearchSection
from tunesmith.config.objective import ObjectiveSection
from tunesmith.errors import UsageError
from tunesmith.execute.executor import Call, Executor
from tunesmith.execute.fork_server import ForkServer
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.ledger.rows import as_recorded
from tunesmith.objective.objective import Objective
from tunesmith.runs.project_code import blaming_the_project
from tunesmith.runs.proposing import marks, named_sampler, window_of
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.runs.workers import choice
from tunesmith.search.budget import Budgets
from tunesmith.search.sampler import Sampler
from tunesmith.space import SearchSpace
from tunesmith.study.early_stopping import EarlyStopping
from tunesmith.study.read_off import with_read_off
from tunesmith.study.strategy import SamplerStrategy, Strategy
from tunesmith.study.successive_halving import SuccessiveHalving
from tunesmith.system.fingerprint import digest
from tunesmith.system.quick_imports import importing
from tunesmith.system.threads import OWN_VARIABLES
from tunesmith.types import Params

HOUSEKEEPING = ("artifacts", "grace", "retry")
"""Keys of the objective that change no trial."""
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
        raise UsageError(_bad_option(search.method, error)) from None
    blocker = sampler.blocker(space)
    if blocker:
        raise UsageError(f"search.method: {search.method} cannot search this space: {blocker}")
    return sampler


def _bad_option(method: str, error: TypeError) -> str:
    match = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if match is None:
        return f"search.options: {method} does not accept them: {error}"
    return f"search.options.{match[1]}: {method} search has no such option"


def build_executor(
    call: Call,
    section: ObjectiveSection,
    execution: ExecutionSection,
    fork_server: ForkServer | None = None,
) -> Executor:
    """Build the executor that a configuration names.

    Args:
        call: evaluates a fit.
        section: section of the objective.
        execution: section of the executor.
        fork_server: fork server of the worker processes.
    """
    name, n_workers = choice(section, execution)
    options: dict[str, Any] = {} if fork_server is None else {"fork_server": fork_server}
    executor: Executor = registry.load("executors", name)(
        call, n_workers=n_workers, timeout_s=_call_timeout_s(section, execution), **options
    )
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
    search, budget = file.search, file.budget
    sampling = SamplerStrategy(
        space,
        sampler,
        name=search.method,
        seed=search.seed,
        window=window_of(file, sampler, objective.n_folds),
        start=tuple(start),
        curves=file.has_submodel_candidates,
    )
    if budget is None:
        return with_read_off(sampling, objective)
    budgets = build_budgets(budget)
    if budget.parameter is None:
        return EarlyStopping(sampling, budgets)
    return SuccessiveHalving(sampling, budget.parameter, budgets)


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
