"""The study of an Optuna script: metrics, sampler, pruner, number of trials, and the command."""

import ast
from contextlib import suppress
from typing import Any

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.python.values import choices, plain
from tunesmith.importers.refusal import Refused, place_of
from tunesmith.importers.source import NOTEBOOK, Source

SAMPLERS = {
    "TPESampler": "tpe",
    "CmaEsSampler": "cmaes",
    "GPSampler": "gp",
    "BoTorchSampler": "gp",
    "QMCSampler": "sobol",
}
OPTIMIZE = ("func", "n_trials", "timeout", "n_jobs")
CREATE = ("storage", "sampler", "pruner", "study_name", "direction")
N_TRIALS = 100


def put_study(
    draft: Draft, file: Source, module: PythonModule, objective: ast.FunctionDef, name: str
) -> None:
    """Set everything but the space."""
    optimize = _optimize(module, name)
    study = _created(module, optimize)
    given = {} if study is None else by_name(study, CREATE)
    metrics = _put_metrics(draft, module, objective, given)
    _put_command(draft, file, metrics)
    _put_sampler(draft, module, given, n_metrics=len(metrics))
    _put_stop(draft, module, optimize)
    _note_pruner(draft, given, objective)
    _put_start(draft, module)


def _optimize(module: PythonModule, name: str) -> ast.Call | None:
    calls = [
        call
        for call, _ in module.calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "optimize"
    ]
    of_name = [call for call in calls if name in ast.unparse(call)]
    return next(iter(of_name or calls), None)


def _created(module: PythonModule, optimize: ast.Call | None) -> ast.Call | None:
    """Return the call that makes the study: of the same name, or the only one."""
    if optimize is not None and isinstance(optimize.func, ast.Attribute):
        owner: ast.expr = optimize.func.value
        if isinstance(owner, ast.Name):
            with suppress(Refused):
                owner, _ = module.value(owner)
        if isinstance(owner, ast.Call) and _is_create(module, owner):
            return owner
    calls = [call for call, _ in module.calls() if _is_create(module, call)]
    return calls[0] if len(calls) == 1 else None


def _is_create(module: PythonModule, call: ast.Call) -> bool:
    return (module.dotted(call.func) or "").rpartition(".")[2] == "create_study"


def _put_metrics(
    draft: Draft, module: PythonModule, objective: ast.FunctionDef, given: dict[str, ast.expr]
) -> list[str]:
    directions: list[Any] = ["minimize"]
    why = "the script gives no direction: Optuna's own is minimize"
    node = given.get("directions", given.get("direction"))
    if node is not None:
        value = Constants(module).value(_direction_text(node))
        directions = [value] if isinstance(value, str) else list(value)
        why = ""
    elif "study_name" in given and not any(k in given for k in ("direction", "directions")):
        why = "the script gives no direction: Optuna's own is minimize"
    for direction in directions:
        if direction not in ("minimize", "maximize"):
            raise Refused(f"`{direction}` is no direction.", node or objective)
    names = _metric_names(objective, len(directions))
    note = "the value that the objective returns; Optuna has no name for it"
    for name, direction in zip(names, directions, strict=True):
        draft.metric(name, direction, note, why)
    return names


def _direction_text(node: ast.expr) -> ast.expr:
    """Return the text behind ``StudyDirection.MAXIMIZE``."""
    if isinstance(node, ast.Attribute) and node.attr in ("MAXIMIZE", "MINIMIZE"):
        return ast.copy_location(ast.Constant(node.attr.lower()), node)
    return node


def _metric_names(objective: ast.FunctionDef, n: int) -> list[str]:
    """Names of what is returned, if they are plain names; else made-up ones."""
    returned = [node.value for node in ast.walk(objective) if isinstance(node, ast.Return)]
    last = max(returned, key=lambda value: getattr(value, "lineno", 0), default=None)
    parts = list(last.elts) if isinstance(last, ast.Tuple) else [last]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    if len(names) == n and len(set(names)) == n:
        return names
    return ["value"] if n == 1 else [f"value_{index}" for index in range(n)]


def _put_command(draft: Draft, file: Source, metrics: list[str]) -> None:
    if file.suffix in NOTEBOOK:
        raise Refused(
            "the objective is in a notebook, which no command can run.",
            hint="Export it first: `jupyter nbconvert --to script`.",
        )
    program = file.program
    runner = ["python", "-m", "tunesmith.bridges.optuna", "{params}", "{metrics}"]
    draft.put(
        ("objective", "command"),
        [*runner, ",".join(metrics), program],
        "runs your script as it is, up to `study.optimize`, which then calls your objective once,"
        " with the parameters of the trial; add the script's own arguments at the end",
    )
    draft.put(("objective", "metrics_file"), "metrics.json")
    objective = draft.content["objective"]
    # The command first, as in the documents.
    draft.content["objective"] = {
        "command": objective.pop("command"),
        "metrics_file": objective.pop("metrics_file"),
        **objective,
    }


def _put_sampler(
    draft: Draft, module: PythonModule, given: dict[str, ast.expr], n_metrics: int
) -> None:
    call = given.get("sampler")
    if isinstance(call, ast.Name):
        try:
            call, _ = module.value(call)
        except Refused:
            call = given["sampler"]
    name = ""
    if isinstance(call, ast.Call):
        name = (module.dotted(call.func) or source(call.func)).rpartition(".")[2]
    if name == "RandomSampler":
        draft.put(("search", "method"), "random")
    elif name == "GridSampler" and isinstance(call, ast.Call):
        _put_grid(draft, module, call)
    else:
        _put_bayesian(draft, name, is_named=call is not None, n_metrics=n_metrics)
    if isinstance(call, ast.Call) and name != "GridSampler":
        seed = next((w.value for w in call.keywords if w.arg == "seed"), None)
        if isinstance(seed, ast.Constant) and isinstance(seed.value, int):
            draft.put(("search", "seed"), seed.value)


def _put_bayesian(draft: Draft, name: str, *, is_named: bool, n_metrics: int) -> None:
    note = ""
    if is_named and name not in SAMPLERS:
        note = (
            f"`{name or 'the sampler of the script'}` has no equal: Bayesian search takes its place"
        )
    elif not is_named:
        note = "Optuna's default is NSGA-II" if n_metrics > 1 else "Optuna's default is TPE"
        note += "; with `sampler: tpe` you keep to TPE"
    draft.put(("search", "method"), "bayesian", note)
    if is_named and name in SAMPLERS:
        draft.put(("search", "sampler"), SAMPLERS[name])


def _put_grid(draft: Draft, module: PythonModule, call: ast.Call) -> None:
    """Take the values of a grid, which stand beside the ranges of the objective."""
    given = by_name(call, ("search_space", "seed"))
    if "search_space" not in given:
        raise Refused("the grid names no values.", call)
    grid = plain(Constants(module).value(given["search_space"]), place_of(call))
    space = draft.content["space"]
    if isinstance(space, list) or set(grid) != set(space):
        raise Refused("the grid and the objective do not name the same parameters.", call)
    for name, values in grid.items():
        when = space[name].get("when") if isinstance(space[name], dict) else None
        listed = choices(values, place_of(call))
        space[name] = {"values": listed, "when": when} if when else listed
        draft.note(("space", name), "the values of the script's `GridSampler`")
    draft.put(("search", "method"), "grid")


def _put_stop(draft: Draft, module: PythonModule, optimize: ast.Call | None) -> None:
    given = {} if optimize is None else by_name(optimize, OPTIMIZE)
    stop: dict[str, Any] = {}
    for key, name in (("n_trials", "trials"), ("timeout", "time")):
        if key not in given:
            continue
        try:
            value = Constants(module).value(given[key])
        except Refused:
            draft.note(("stop",), f"the script's `{key}` is `{source(given[key])}`: set it here")
            continue
        if value is not None:
            stop[name] = int(value) if name == "trials" else f"{value:g}s"
    if draft.content["search"]["method"] == "grid" and "trials" not in stop:
        return
    if not stop:
        stop["trials"] = N_TRIALS
        draft.note(("stop",), "the script names no number of trials that can be read: choose one")
    draft.put(("stop",), stop)


def _note_pruner(draft: Draft, given: dict[str, ast.expr], objective: ast.FunctionDef) -> None:
    names = {n.attr for n in ast.walk(objective) if isinstance(n, ast.Attribute)}
    if "should_prune" in names or "pruner" in given:
        pruner = source(given["pruner"]) if "pruner" in given else "its median rule"
        draft.note(
            ("search",),
            f"trials run to their end: Optuna's pruner ({pruner}) has no equal yet; if your program"
            " writes its values by step, a `budget` stops weak ones early (docs/programs.md)",
        )


def _put_start(draft: Draft, module: PythonModule) -> None:
    """Take the trials that the script enqueues as starting points."""
    points = []
    for call, _ in module.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr == "enqueue_trial" and call.args:
            try:
                point = plain(Constants(module).value(call.args[0]), place_of(call))
            except Refused:
                note = f"line {call.lineno} enqueues a trial that only a run would tell"
                draft.note(("search",), note)
                continue
            if isinstance(point, dict):
                points.append(point)
    if points:
        draft.put(("search", "start_with"), points)
