"""The parts of a study, built from its definition."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith import registry
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.execute.choose import PROCESSES, choose
from tunesmith.execute.executor import Executor
from tunesmith.execute.libraries import libraries
from tunesmith.execute.nest import Nest, kept
from tunesmith.fingerprint import digest
from tunesmith.objective.crossval import modules_of
from tunesmith.objective.objective import Objective
from tunesmith.report.parameters import read_parameters
from tunesmith.search.sampler import Sampler
from tunesmith.study.strategy import Sampling
from tunesmith.types import Params


def build_sampler(definition: Definition) -> Sampler:
    """The sampler that the definition names.

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
    objection = sampler.objection(definition.space)
    if objection:
        raise UsageError(f"search.method: {search.method} cannot search this space: {objection}")
    return sampler


def _bad_option(method: str, error: TypeError) -> str:
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if found is None:
        return f"search.options: {method} does not accept them: {error}"
    return f"search.options.{found[1]}: {method} search has no such option"


def nest_for(definition: Definition) -> Nest | None:
    """Where worker processes will come from, if any: asked for early, it is ready when needed."""
    if choice(definition)[0] != PROCESSES:
        return None
    return kept(libraries(modules_of(definition)))


def build_executor(
    definition: Definition, objective: Objective, nest: Nest | None = None
) -> Executor:
    """The executor that the definition names, around the objective."""
    name, n_workers = choice(definition)
    options: dict[str, Any] = {} if nest is None else {"nest": nest}
    executor: Executor = registry.load("executors", name)(
        objective.evaluate,
        n_workers=n_workers,
        timeout_s=definition.file.execution.fit_timeout,
        **options,
    )
    return executor


def choice(definition: Definition) -> tuple[str, int]:
    """The executor's name and its number of workers."""
    execution = definition.file.execution
    return choose(execution.executor, execution.workers, execution.fit_timeout)


def identity(definition: Definition, objective: Objective) -> str:
    """Digest of everything that fixes the sequence of trials.

    Where trials end (``stop``), where they run and where results go is not part of it.
    """
    file = definition.file.model_dump(mode="json", include={"objective", "search"})
    file["search"]["curves"] = has_curves(definition)
    return digest({**file, "space": definition.space.to_json(), "on": dict(objective.context)})


def build_strategy(
    definition: Definition, sampler: Sampler, start: Sequence[tuple[str, Params]]
) -> Sampling:
    """How trials are proposed.

    Args:
        definition: of the study.
        sampler: from ``build_sampler``.
        start: (origin, canonical params) to try first.
    """
    search = definition.file.search
    return Sampling(
        definition.space,
        sampler,
        search.method,
        search.seed,
        search.window,
        tuple(start),
        curves=has_curves(definition),
    )


def has_curves(definition: Definition) -> bool:
    """Whether trials may be the best of all that their fits score; a grid's never are."""
    file = definition.file
    return file.search.curves and file.search.method != "grid" and file.execution.share == "exact"


def snapshot(definition: Definition) -> dict[str, Any]:
    """The definition as JSON, as the ledger keeps it."""
    return {
        "file": definition.file.model_dump(mode="json"),
        "space": definition.space.to_json(),
    }


def start_points(definition: Definition, objective: Objective) -> list[tuple[str, Params]]:
    """What ``start_with`` names, as (origin, params)."""
    search = definition.file.search
    wanted = search.start_with
    if wanted is None:
        wanted = () if search.method in ("grid", "random") else ("defaults", "current")
    found: list[tuple[str, Params]] = []
    for item in wanted:
        if item == "defaults":
            found.append(("defaults", objective.defaults()))
        elif item == "current":
            found += _current(definition)
        elif isinstance(item, dict):
            found.append(("start_with", item))
    return found


def _current(definition: Definition) -> list[tuple[str, Params]]:
    path = definition.root / definition.file.outputs.best
    return [("current", read_parameters(path)[0])] if path.is_file() else []


@contextmanager
def project_on_path(root: Path) -> Iterator[None]:
    """Make the project's own modules importable, as ``python`` does for a script's folder."""
    entry = str(root.resolve())
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)
