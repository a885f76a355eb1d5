"""Rules of objectives that are programs, and of budgets."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tunesmith.config.model import BudgetSection, File
from tunesmith.config.objective import ObjectiveSection
from tunesmith.config.program import ProgramSection
from tunesmith.errors import Path, Violation
from tunesmith.space import SearchSpace

HERE: Path = ("objective",)
RESULTS = ("metrics_file", "metrics_pattern", "progress_file")
OF_ESTIMATORS = ("preprocess", "random_state")


def program_violations(file: File, space: SearchSpace | None) -> Iterator[Violation]:
    """Yield violations of the keys of a program, if there is one, and of the budget."""
    objective = file.objective
    if not objective.is_program:
        yield from _without_command(file)
    else:
        yield from _results(objective)
        yield from _metrics(objective)
        yield from _places(objective)
        yield from _folds(objective)
        yield from _variables(file, space)
    if file.budget is not None:
        yield from _budget(file, file.budget, space)


def _without_command(file: File) -> Iterator[Violation]:
    objective = file.objective
    for name in ProgramSection.model_fields:
        # Only what was written counts: every key of a program has a default.
        if name != "command" and name in objective.model_fields_set:
            yield Violation((*HERE, name), "belongs to a program.", "Name its `command`.")
    for section in ("metric", "also"):
        for index, metric in enumerate(getattr(objective, section)):
            if metric.key is not None:
                yield Violation((*HERE, section, index, "key"), "belongs to a program's results.")
    for name in ("memory", "slots"):
        if name in file.execution.model_fields_set:
            yield Violation(("execution", name), "is for programs (`objective: {command: …}`).")


def _results(objective: ObjectiveSection) -> Iterator[Violation]:
    given = [name for name in RESULTS if getattr(objective, name) is not None]
    if not given:
        hint = "Say where they are: `metrics_file: metrics.json`, `metrics_pattern`, …"
        yield Violation(HERE, "the program's results are nowhere to be found.", hint)
    if "metrics_file" in given and "metrics_pattern" in given:
        message = "both `metrics_file` and `metrics_pattern` are given."
        yield Violation((*HERE, "metrics_pattern"), message, "Keep one.")
    if objective.metrics_pattern is not None:
        yield from _pattern(objective)
    for name in OF_ESTIMATORS:
        if name in objective.model_fields_set:
            yield Violation((*HERE, name), "is for estimators; a program has `command` alone.")


def _pattern(objective: ObjectiveSection) -> Iterator[Violation]:
    where = (*HERE, "metrics_pattern")
    try:
        pattern = re.compile(objective.metrics_pattern or "")
    except re.error as error:
        yield Violation(where, f"is no regular expression: {error}.")
        return
    names = [metric.name for metric in (*objective.metric, *objective.also)]
    if not pattern.groupindex and (pattern.groups != 1 or len(names) != 1):
        hint = r"Put the number into a group, e.g. `loss: (?P<loss>\S+)`."
        yield Violation(where, "needs a group named after each metric, or a single group.", hint)
    for name in names:
        if pattern.groupindex and name not in pattern.groupindex:
            yield Violation(where, f"has no group `(?P<{name}>…)` for the metric `{name}`.")


def _metrics(objective: ObjectiveSection) -> Iterator[Violation]:
    for section in ("metric", "also"):
        for index, metric in enumerate(getattr(objective, section)):
            where: Path = (*HERE, section, index)
            if metric.direction is None:
                hint = "Write `direction: maximize` or `direction: minimize`."
                yield Violation(where, f"`{metric.name}` comes from a program: which way?", hint)
            if metric.scorer is not None:
                yield Violation((*where, "scorer"), "is for estimators; name the result's `key`.")


def _places(objective: ObjectiveSection) -> Iterator[Violation]:
    """Yield paths that leave the working folder of the program."""
    named: dict[Path, str | None] = {
        (*HERE, "progress_file"): objective.progress_file,
        (*HERE, "predictions"): objective.predictions,
    }
    for name in ("params_file", "metrics_file"):
        section = getattr(objective, name)
        if section is not None:
            # The short form has no key `path` in the file that an error could point to.
            is_short = not (section.model_fields_set - {"path"})
            named[(*HERE, name) if is_short else (*HERE, name, "path")] = section.path
    for where, path in named.items():
        if path is not None and leads_out(path):
            yield Violation(where, f"`{path}` leads out of the project.", "Name a place within it.")
    shared = objective.workspace.mode == "shared"
    if shared and objective.artifacts is not None:
        message = "runs that share a folder leave their files in one place."
        hint = "Use `workspace: copy`; or let the program write into `{run}`, which is kept."
        yield Violation((*HERE, "artifacts"), message, hint)
    words = " ".join(objective.argv)
    for name in ("params_file", "metrics_file", "progress_file", "predictions"):
        mark = f"{{{name.removesuffix('_file')}}}"
        if shared and getattr(objective, name) is not None and mark not in words:
            message = "would be shared by all runs at a time."
            hint = f"Hand its place over in `command`, as `{mark}`, or use `workspace: copy`."
            yield Violation((*HERE, name), message, hint)


def _variables(file: File, space: SearchSpace | None) -> Iterator[Violation]:
    """Refuse parameters in variables, which have fixed values: none would ever arrive."""
    names = [] if space is None else space.names
    for variable, value in file.objective.environment.set.items():
        for name in names:
            if f"{{{name}}}" in value:
                where: Path = (*HERE, "environment", "set", variable)
                hint = f'Begin `command` with `env, "{variable}={{{name}}}"`.'
                yield Violation(where, f"`{{{name}}}` is not replaced here.", hint)


def leads_out(path: str) -> bool:
    """Tell whether a path is absolute or climbs out of its folder.

    >>> leads_out("../a.json"), leads_out("config/a.json")
    (True, False)
    """
    parts = PurePosixPath(path).parts
    return path.startswith(("/", "~")) or ".." in parts or "\0" in path


def _folds(objective: ObjectiveSection) -> Iterator[Violation]:
    if objective.data is not None:
        return
    for name in ("cv", "splits"):
        if name in objective.model_fields_set:
            hint = "Name it as `data: {path: data.csv, target: price}`."
            yield Violation((*HERE, name), "there is no table to split.", hint)


def _budget(file: File, budget: BudgetSection, space: SearchSpace | None) -> Iterator[Violation]:
    if budget.min >= budget.max:
        message = f"must be less than `max` (found {budget.min} and {budget.max})."
        yield Violation(("budget", "min"), message)
    if len(file.objective.metric) > 1 and budget.parameter is None:
        # A program streams one number a step, and pruning thresholds are for it alone.
        message = "a trial is stopped by one metric, so that one has to decide."
        hint = "Put the others in `also`, or name the `parameter` that holds the budget."
        yield Violation(("budget",), message, hint)
    if file.search.race == "auto":
        message = "there is no race with `budget`, which ends weak trials itself."
        yield Violation(("search", "race"), message, "Leave out `race` or `budget`.")
    where: Path = ("budget", "parameter")
    if budget.parameter is None:
        if file.objective.progress_file is None:
            hint = "Name a parameter such as `epochs`, or the program's `progress_file`."
            yield Violation(where, "nothing says how far a trial has come.", hint)
        return
    if space is not None and budget.parameter in space.names:
        message = f"`{budget.parameter}` is varied in `space`, too."
        yield Violation(where, message, "Leave it out there: `max` is the full budget.")
    if budget.parameter in file.objective.params:
        yield Violation(where, f"`{budget.parameter}` is fixed in `objective.params`, too.")
