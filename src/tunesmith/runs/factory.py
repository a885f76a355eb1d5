"""Factory of a study's parts, from its definition."""

import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from tunesmith import registry
from tunesmith.config.model import Definition, OuterFold
from tunesmith.errors import TunesmithError, UsageError
from tunesmith.execute.choose import PROCESSES, SERIAL, choose
from tunesmith.execute.executor import Call, Executor
from tunesmith.execute.fork_server import OWN_VARIABLES, ForkServer, kept
from tunesmith.execute.libraries import libraries
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.objective.objective import Objective
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.parameters.texts import committed_parameters
from tunesmith.search.budget import Budgets
from tunesmith.search.sampler import Sampler
from tunesmith.study.early_stopping import EarlyStopping
from tunesmith.study.strategy import SamplerStrategy, Strategy
from tunesmith.study.successive_halving import SuccessiveHalving
from tunesmith.system import shadows
from tunesmith.system.fingerprint import digest
from tunesmith.system.quick_imports import importing
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
    if definition.file.objective.command is None:
        with importing():
            from tunesmith.objective import crossval

        with blaming_the_project(definition.root):
            return crossval.build_objective(definition)
    with importing():
        from tunesmith.objective.program.build import build_program

    # Worker processes have values of their own of these; programs get the user's.
    users = {name: os.environ.get(name) for name in OWN_VARIABLES}
    return build_program(definition, n_workers=choice(definition)[1], restored=users)


@contextmanager
def blaming_the_project(root: Path) -> Iterator[None]:
    """Turn errors of the project's own code into usage errors: they are no defect of ours.

    Raises:
        UsageError: the code raised an error; with its frames.
    """
    try:
        yield
    except TunesmithError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        # Without a frame of the project it is a defect of ours, which must show its traceback.
        if not any(_is_projects(frame.filename, root) for frame in frames):
            raise
        from tunesmith.system.importing import user_frames

        listed = "".join(f"\n  {frame}" for frame in user_frames(error))
        text = f"objective: the project's code raised {type(error).__name__}: {error}{listed}"
        raise UsageError(text) from None


def _is_projects(file: str, root: Path) -> bool:
    return Path(file).is_relative_to(root.resolve()) and "site-packages" not in file


def build_sampler(definition: Definition) -> Sampler:
    """Build the sampler that the definition names.

    Raises:
        UsageError: an option is unknown, or the sampler cannot search this space.
    """
    search = definition.file.search
    options: dict[str, Any] = dict(search.options)
    if search.sampler is not None:
        options["sampler"] = search.sampler
    try:
        sampler: Sampler = registry.load("samplers", search.method)(seed=search.seed, **options)
    except TypeError as error:
        raise UsageError(_bad_option(search.method, error)) from None
    blocker = sampler.blocker(definition.space)
    if blocker:
        raise UsageError(f"search.method: {search.method} cannot search this space: {blocker}")
    return sampler


def _bad_option(method: str, error: TypeError) -> str:
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if found is None:
        return f"search.options: {method} does not accept them: {error}"
    return f"search.options.{found[1]}: {method} search has no such option"


def fork_server_for(definition: Definition) -> ForkServer | None:
    """Start the workers' fork server early, if there will be any, so that it is ready in time."""
    if choice(definition)[0] != PROCESSES:
        return None
    if definition.file.objective.command is not None:
        return kept(("tunesmith.objective.program.objective",))
    with importing():
        from tunesmith.objective.crossval import modules_of

    # Installed packages only: modules of the project may change before this process's next run.
    return kept(libraries(modules_of(definition)))


def build_executor(
    definition: Definition,
    objective: Objective,
    fork_server: ForkServer | None = None,
    call: Call | None = None,
) -> Executor:
    """Build the executor that the definition names.

    Args:
        definition: of the study.
        objective: built from it.
        fork server: fork server of the worker processes.
        call: evaluates a fit, if not the objective itself.
    """
    name, n_workers = choice(definition)
    options: dict[str, Any] = {} if fork_server is None else {"fork_server": fork_server}
    executor: Executor = registry.load("executors", name)(
        call or objective.evaluate,
        n_workers=n_workers,
        timeout_s=_call_timeout_s(definition),
        **options,
    )
    return executor


def _call_timeout_s(definition: Definition) -> float | None:
    execution, section = definition.file.execution, definition.file.objective
    if execution.fit_timeout is None or section.command is None:
        return execution.fit_timeout
    if execution.slots.gpu is not None:
        return None  # waiting for a GPU counts for nothing
    # Each retry may take its whole time limit.
    n_tries = 1 + sum(section.retry.values())
    return n_tries * (execution.fit_timeout + section.grace + SLACK_S)


def choice(definition: Definition) -> tuple[str, int]:
    """Name of the executor, and its number of workers.

    A program always has a process between it and the run, which ends its orphans.
    """
    execution = definition.file.execution
    if definition.file.objective.command is None:
        return choose(execution.executor, execution.workers, execution.fit_timeout)
    name, n = choose(execution.executor, execution.workers or execution.slots.gpu, None)
    return (PROCESSES if name == SERIAL else name), n


def identity(definition: Definition, objective: Described) -> str:
    """Digest of everything that fixes the sequence of trials.

    The end of trials (``stop``), the executor and the places of results are not part of it.
    """
    file = definition.file.model_dump(mode="json", include={"objective", "search", "budget"})
    # What is done counts, not what is asked for: so `share: off` is part of the identity of a
    # sampled study, and `curves` means nothing for a grid.
    file["search"]["curves"] = has_submodel_candidates(definition)
    for name in HOUSEKEEPING:
        file["objective"].pop(name)
    holdout = (file["objective"].get("data") or {}).get("holdout")
    if holdout is not None and not holdout["shuffle"]:
        del holdout["shuffle"]  # came later; a study from before is the same study
    gate, outer = definition.file.gate, definition.outer
    if outer is not None:
        file["outer"] = asdict(outer)
    if gate is not None:
        file["search"]["start_with"] = wanted_start(definition)
        # A study never writes into the base revision, so its parameters may be part of the
        # identity.
        file["base"] = None if gate.base is None else _in_force(definition)
    return digest({**file, "space": definition.space.to_json(), "on": dict(objective.context)})


def build_strategy(
    definition: Definition, sampler: Sampler, start: Sequence[tuple[str, Params]]
) -> Strategy:
    """Build the strategy that proposes trials.

    Args:
        definition: of the study.
        sampler: from ``build_sampler``.
        start: (origin, canonical params) to try first.
    """
    search = definition.file.search
    sampling = SamplerStrategy(
        definition.space,
        sampler,
        search.method,
        search.seed,
        search.window,
        tuple(start),
        curves=has_submodel_candidates(definition),
    )
    budget, budgets = definition.file.budget, build_budgets(definition)
    if budget is None or budgets is None:
        return sampling
    if budget.parameter is None:
        return EarlyStopping(sampling, budgets)
    return SuccessiveHalving(sampling, budget.parameter, budgets)


def build_budgets(definition: Definition) -> Budgets | None:
    """Build the budgets of trials, if the definition has any."""
    budget = definition.file.budget
    if budget is None:
        return None
    return Budgets(budget.min, budget.max, budget.factor, budget.rule)


def has_submodel_candidates(definition: Definition) -> bool:
    """True if trials may be the best of their submodel candidates; those of a grid never are."""
    file = definition.file
    is_wanted = file.search.curves and file.execution.share == "exact"
    return is_wanted and file.search.method != "grid" and file.budget is None


def outer_definitions(definition: Definition, data: str) -> list[Definition]:
    """Definitions of the searches of nested cross-validation, one per outer fold.

    They do not begin with the current parameters, which were chosen by rows of all folds.

    Args:
        definition: of the study.
        data: digest of its rows.
    """
    file, n = definition.file, definition.file.outer_folds or 0
    ungated = replace(definition, file=file.model_copy(update={"gate": None}))
    start = tuple(item for item in wanted_start(ungated) if item != "current")
    search = file.search.model_copy(update={"start_with": start})
    shared = {"gate": None, "outer_folds": None, "search": search}
    return [
        replace(
            definition,
            file=file.model_copy(update={**shared, "study": f"{file.study}.outer{number}"}),
            outer=OuterFold(number, n, data),
        )
        for number in range(n)
    ]


def outer_records(
    ledger: Ledger, definition: Definition, record: StudyRecord
) -> tuple[StudyRecord, ...]:
    """Finished searches of nested cross-validation that belong to a study in its present form."""
    found = []
    for outer in outer_definitions(definition, record.head.context.get("data", "")):
        head = ledger.previous(outer.file.study)
        if head is not None and _is_of(head, record.head, outer.as_json()):
            found.append(ledger.load(outer.file.study))
    return tuple(found)


def _is_of(head: StudyHead, main: StudyHead, wanted: Mapping[str, Any]) -> bool:
    """True if a search was defined like the study is now, over the same code."""
    parts = ("objective", "search")
    is_same = all(head.definition["file"][part] == wanted["file"][part] for part in parts)
    is_same &= all(head.definition.get(part) == wanted[part] for part in ("space", "outer"))
    # Without `data`: a search lacks the rows of its outer fold; `outer` has the digest of all rows.
    others = ("code", "objective", "versions")
    return is_same and all(head.context.get(k) == main.context.get(k) for k in others)


def start_points(definition: Definition, objective: Objective) -> list[tuple[str, Params]]:
    """Points that ``start_with`` names, as (origin, params)."""
    found: list[tuple[str, Params]] = []
    for item in wanted_start(definition):
        if item == "defaults":
            # A program need not tell its own values.
            defaults = objective.defaults()
            found += [("defaults", defaults)] if defaults else []
        elif item == "current":
            found += _current(definition)
        elif isinstance(item, dict):
            found.append(("start_with", item))
    return found


def wanted_start(definition: Definition) -> list[str | dict[str, Any]]:
    """Starting points as configured; a gate always wants the current parameters."""
    search = definition.file.search
    wanted = [] if search.method in ("grid", "random") else ["defaults", "current"]
    found = wanted if search.start_with is None else list(search.start_with)
    is_added = definition.file.gate is not None and "current" not in found
    return [*found, "current"] if is_added else [*found]


def current_parameters(definition: Definition) -> Params | None:
    """Current parameters, whether they lie in the space or not; ``None`` if there are none.

    Raises:
        UsageError: the file cannot be read, and the study needs it.
    """
    try:
        found = _current(definition)
    except UsageError:
        if "current" in wanted_start(definition):
            raise
        return None
    if not found:
        return None
    params = found[0][1]
    try:
        return definition.space.canonical(params)
    except ValueError:
        return params


def is_edited(definition: Definition) -> bool:
    """True if the best-parameters file is user-owned and was edited."""
    outputs = definition.file.outputs
    if outputs.tuned is None:
        return False
    return edit_of(BestFile.of(definition)) is not None


def _in_force(definition: Definition) -> dict[str, Any] | None:
    """Parameters in the best-parameters file, here or in the base revision."""
    gate, best = definition.file.gate, BestFile.of(definition)
    if gate is not None and gate.base is not None:
        name = best.outputs.best.path
        return committed_parameters(definition.root, gate.base, name, best.shape)
    return dict(best.read()[0]) if best.path.is_file() else None


def _current(definition: Definition) -> list[tuple[str, Params]]:
    params, budget = _in_force(definition), definition.file.budget
    if params is None:
        return []
    # A budget belongs to each trial, not to its starting point.
    if budget is not None and budget.parameter is not None:
        params.pop(budget.parameter, None)
    return [("current", params)]


@contextmanager
def project_on_path(root: Path) -> Iterator[None]:
    """Make the project's own modules importable, as ``python`` does for a script's folder.

    They lie in the project folder, or in ``src``. Names of Python's own modules and of the
    libraries lead to those, whatever the names of the project's files are.
    """
    places = [root.resolve(), root.resolve() / "src"]
    entries = [str(place) for place in places if place == places[0] or place.is_dir()]
    # Before the folders are on the path: no import may find a file of the project in place of a
    # library.
    shadows.keep_out(entries)
    sys.path[:0] = entries
    try:
        yield
    finally:
        shadows.let_in(entries)
        for entry in entries:
            sys.path.remove(entry)
