"""Choice and early start of the processes that evaluate a study."""

from tunesmith.config.model import ExecutionSection
from tunesmith.config.objective import ObjectiveSection
from tunesmith.execute.choose import AUTO, PROCESSES, PULL, SERIAL, choose
from tunesmith.execute.libraries import libraries
from tunesmith.execute.starter import Starter, kept
from tunesmith.system.quick_imports import importing
from tunesmith.system.threads import one_thread

PROGRAMS = ("tunesmith.objective.program.objective",)
"""Modules of a worker that runs programs."""


def choice(section: ObjectiveSection, execution: ExecutionSection) -> tuple[str, int]:
    """Name of the executor, and its number of workers.

    A program always has a process between it and the run, which ends its orphans.
    """
    if not section.is_program:
        return choose(execution.executor, execution.workers, execution.fit_timeout)
    name, n = choose(execution.executor, execution.workers or execution.slots.gpu, None)
    return (PROCESSES if name == SERIAL else name), n


def on_this_machine(execution: ExecutionSection) -> ExecutionSection:
    """Return the section for fits that a ledger must not hear of, which no pull worker can make.

    Args:
        execution: section of the study.
    """
    if execution.executor != PULL:
        return execution
    # Their number is that of the fits that were expected at a time elsewhere.
    return execution.model_copy(update={"executor": AUTO, "workers": None, "options": {}})


def fork_server_for(
    section: ObjectiveSection, execution: ExecutionSection, *, is_forked: bool = False
) -> Starter | None:
    """Start the workers' fork server early, if there will be any, so that it is ready in time.

    Args:
        section: section of the objective.
        execution: section of the executor.
        is_forked: fork it from this process, so that each library is imported once; only before
            code of a project is loaded.
    """
    if choice(section, execution)[0] != PROCESSES:
        return None
    if section.is_program:
        return kept(PROGRAMS, is_forked=is_forked)
    with importing(), one_thread():
        from tunesmith.objective.crossval import modules_of

    # Installed packages only: modules of the project may change before this process's next run.
    return kept(libraries(modules_of(section)), is_forked=is_forked)
