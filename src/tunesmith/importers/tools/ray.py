"""Ray Tune: the space of ``tune.run(…)`` or ``tune.Tuner(…)``, or a dictionary of ``tune.…``."""

import ast
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

from tunesmith.importers.commands import put_program
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import Event, PythonModule
from tunesmith.importers.python.values import choices, has_tuple, plain
from tunesmith.importers.ranges import number, real, whole
from tunesmith.importers.refusal import Refusals, Refused, place_of
from tunesmith.importers.scikit.estimator import MAX_NAMES
from tunesmith.importers.source import Source

DOMAINS = {
    **dict.fromkeys(("uniform", "loguniform", "randint", "lograndint"), ("lower", "upper", "base")),
    **dict.fromkeys(("quniform", "qloguniform"), ("lower", "upper", "q", "base")),
    **dict.fromkeys(("qrandint", "qlograndint"), ("lower", "upper", "q", "base")),
    "randn": ("mean", "sd"),
    "qrandn": ("mean", "sd", "q"),
    "choice": ("categories",),
    "grid_search": ("values",),
    "sample_from": ("func",),
}
SAMPLERS = {
    "OptunaSearch": "tpe",
    "HyperOptSearch": "tpe",
    "BayesOptSearch": "gp",
    "AxSearch": "gp",
    "SkOptSearch": "gp",
}
ENDS = "Ray rounds: it draws the two end values half as often as the others"
# It moves both bounds to steps within them, leaves out the upper one, and rounds half to even:
# of `qrandint(2, 13, 4)`, which it draws from 4 to 11, come 4, 8 and 12, and neither 0 nor 16.
ROUNDS = "Ray rounds its draws: some of these values, above all the last, are rare or never drawn"
FLOOR = "Ray rounds down, so that it draws small values more often; bounds and scale are the same"


def candidates(file: Source) -> list[Candidate]:
    """List the runs of a script; without one, the dictionaries that hold domains."""
    if file.tree is None:
        return []
    module = PythonModule(file.tree)
    if not any("ray" in path.split(".") for path in module.imports.values()):
        return []
    found: list[Candidate] = []
    empty: list[Candidate] = []
    for call, path in module.calls():
        name = path.rpartition(".")[2]
        if not (path.startswith(("ray.tune", "tune.")) and name in ("run", "Tuner")):
            continue
        space = _space(call)
        is_searched = space is not None and _has_domain(module, space)
        convert = partial(_draft, file, module, call, space) if space and is_searched else None
        made = convert or partial(_refuse_empty, call)
        candidate = Candidate("ray", _called(module, call, name), place_of(call), made)
        (found if is_searched else empty).append(candidate)
    return found or list(_dictionaries(file, module)) or empty


def _refuse_empty(call: ast.Call) -> Draft:
    raise Refused(
        "the call holds no space: every parameter has one value.",
        call,
        "Spaces of other packages, such as those in `search_alg`, are not read.",
    )


def _space(call: ast.Call) -> ast.expr | None:
    words = {word.arg: word.value for word in call.keywords}
    return words.get("param_space", words.get("config"))


def _called(module: PythonModule, call: ast.Call, name: str) -> str:
    around = module.parents.get(call)
    if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
        return around.targets[0].id
    return name


def _dictionaries(file: Source, module: PythonModule) -> Iterator[Candidate]:
    for node in ast.walk(module.tree):
        name = _holder(module, node)
        value = getattr(node, "value", None)
        if name and isinstance(value, ast.Dict | ast.Call) and _is_literal(module, value):
            convert = partial(_draft, file, module, None, value)
            yield Candidate("ray", name, place_of(node), convert)


def _holder(module: PythonModule, node: ast.AST) -> str:
    """Name of the variable that is assigned, or of the function that returns; else ``""``."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    around = module.scope(node) if isinstance(node, ast.Return) else None
    return around.name if isinstance(around, ast.FunctionDef) else ""


def _is_literal(module: PythonModule, node: ast.expr) -> bool:
    is_dict = isinstance(node, ast.Dict) or (
        isinstance(node, ast.Call) and module.dotted(node.func) == "dict"
    )
    return is_dict and any(_domain(module, inner) for inner in ast.walk(node))


def _has_domain(module: PythonModule, node: ast.expr) -> bool:
    try:
        return any(_domain(module, value) for _, value in _entries(module, node, "", 0))
    except Refused:
        # The conversion says why.
        return True


def _domain(module: PythonModule, node: ast.AST) -> str:
    """Name of the domain that a call makes; ``""`` for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    path = module.dotted(node.func) or ""
    package, _, name = path.rpartition(".")
    is_own = package.startswith(("ray.tune", "tune")) and name in DOMAINS
    return name if is_own else ""


def _entries(
    module: PythonModule, node: ast.expr, prefix: str, depth: int
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the values of a nested dictionary, with dots between the keys."""
    if depth > MAX_NAMES:
        raise Refused(f"`{source(node)}` stands for itself.", node)
    if isinstance(node, ast.Name):
        value, changes = module.value(node)
        yield from _entries(module, value, prefix, depth + 1)
        for change in changes:
            yield from _changed(module, change, node, prefix)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                yield from _entries(module, value, prefix, depth + 1)
                continue
            yield from _entry(module, f"{prefix}{Constants(module).value(key)}", value, depth)
    elif isinstance(node, ast.Call) and module.dotted(node.func) == "dict" and not node.args:
        for word in node.keywords:
            if word.arg is None:
                yield from _entries(module, word.value, prefix, depth + 1)
            else:
                yield from _entry(module, f"{prefix}{word.arg}", word.value, depth)
    else:
        raise Refused(f"`{source(node)}` is no space that this file tells.", node)


def _entry(
    module: PythonModule, name: str, value: ast.expr, depth: int
) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(value, ast.Dict) and value.keys:
        yield from _entries(module, value, f"{name}.", depth + 1)
    else:
        yield name, value


def _changed(
    module: PythonModule, change: Event, name: ast.Name, prefix: str
) -> Iterator[tuple[str, ast.expr]]:
    node = change.statement
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        target = node.targets[0]
        if isinstance(target.value, ast.Name):
            key = Constants(module).value(target.slice)
            yield from _entry(module, f"{prefix}{key}", node.value, 0)
            return
    call = node.value if isinstance(node, ast.Expr) else None
    func = call.func if isinstance(call, ast.Call) and len(call.args) == 1 else None
    is_update = isinstance(func, ast.Attribute) and func.attr == "update"
    if is_update and isinstance(call, ast.Call) and ast.unparse(func.value) == name.id:  # type: ignore[union-attr]
        yield from _entries(module, call.args[0], prefix, 1)
        return
    raise Refused(f"`{name.id}` is changed in line {node.lineno}.", node)


def _draft(file: Source, module: PythonModule, call: ast.Call | None, space: ast.expr) -> Draft:
    position = file.position(place_of(call or space))
    draft = Draft("Ray Tune", f"{position.file}:{position.line}")
    draft.put(("study",), study_name(file.path.stem))
    refusals = Refusals()
    entries: dict[str, ast.expr] = {}
    with refusals.collecting():
        # A key that is given again replaces the first one, as in Python.
        entries = dict(_entries(module, space, "", 0))
    grids: list[int] = []
    for name, node in entries.items():
        with refusals.collecting():
            _put(draft, module, name, node, grids)
    refusals.done()
    if any("." in name for name in draft.content.get("space", {})):
        draft.note(("space",), "nested parameters have dots in their names here")
    put_program(
        draft,
        file.program,
        "your script must take these options, and train once with them, in place of `tune`",
    )
    _put_settings(draft, module, call, grids)
    draft.put(
        ("objective", "metrics_file"),
        "metrics.json",
        "let your script write the metric there; what it reports to Ray is not read",
    )
    return draft


def _put(draft: Draft, module: PythonModule, name: str, node: ast.expr, grids: list[int]) -> None:
    expression: ast.expr = node
    if isinstance(node, ast.Name):
        try:
            expression, changes = module.value(node)
            expression = node if changes else expression
        except Refused:
            expression = node
    kind = _domain(module, expression)
    if kind and isinstance(expression, ast.Call):
        definition, notes = _definition(module, expression, kind)
        draft.parameter(name, definition, place_of(expression), *notes)
        if kind == "grid_search":
            grids.append(len(definition))
        return
    if any(_domain(module, inner) for inner in ast.walk(expression)):
        raise Refused(f"`{source(expression)}` has no equal.", expression)
    try:
        draft.fixed(name, plain(Constants(module).value(node), place_of(node)))
    except Refused:
        note = f"`{name}` is `{source(node)}` in every trial: your script must set it itself"
        draft.note(("objective",), note)


def _definition(module: PythonModule, call: ast.Call, kind: str) -> tuple[Any, tuple[str, ...]]:
    if kind == "sample_from":
        raise Refused(f"`{source(call)}` is a function of the script.", call)
    given = by_name(call, DOMAINS[kind])
    words = {key: Constants(module).value(node) for key, node in given.items()}
    place = place_of(call)
    if kind in ("choice", "grid_search"):
        values: Any = words.get("categories", words.get("values"))
        if isinstance(values, str | dict) or not hasattr(values, "__iter__"):
            raise Refused(f"`{source(call)}` has no list of values.", call)
        listed = list(values)
        note = "tuples are written as lists" if has_tuple(listed) else ""
        return choices(listed, place), (note,)
    if kind in ("randn", "qrandn"):
        if "q" in words:
            raise Refused("a rounded normal distribution has no equal.", call)
        mean, spread = float(words.get("mean", 0.0)), float(words.get("sd", 1.0))
        return {"scipy": "norm", "kwds": {"loc": mean, "scale": spread}}, ()
    if not {"lower", "upper"} <= words.keys():
        raise Refused(f"`{source(call)}` has no bounds.", call)
    return _numbers(kind, words, call)


def _numbers(kind: str, words: dict[str, Any], call: ast.Call) -> tuple[Any, tuple[str, ...]]:
    place = place_of(call)
    low, high = number(words["lower"], place), number(words["upper"], place)
    if kind in ("uniform", "loguniform"):
        return real(low, high, place, log=kind == "loguniform"), ()
    if kind in ("randint", "lograndint"):
        # The upper bound is left out, as numpy's.
        last = high - 1
        is_log = kind == "lograndint"
        return whole(low, last, place, log=is_log), (FLOOR if is_log else "",)
    if "log" in kind:
        raise Refused("a log scale with steps has no equal.", call)
    q = number(words.get("q", 1), place)
    first, final = (_index(low, q, math.ceil), _index(high, q, math.floor))
    if kind == "qrandint":
        # With `q=1` it is `randint`, without its upper bound.
        note = ROUNDS if q != 1 else ""
        return whole(first * q, (final if q != 1 else final - 1) * q, place, step=q), (note,)
    smallest, largest = (float(f"{index * q:.12g}") for index in (first, final))
    return real(smallest, largest, place, step=q), (ENDS,)


def _index(bound: float, q: float, inwards: Any) -> int:
    scaled = bound / q
    nearest = round(scaled)
    return nearest if math.isclose(scaled, nearest) else int(inwards(scaled))


# -- settings ------------------------------------------------------------------------------------


def _put_settings(
    draft: Draft, module: PythonModule, call: ast.Call | None, grids: list[int]
) -> None:
    given = {} if call is None else _given(module, call)
    metric, mode = _constant(module, given.get("metric")), _constant(module, given.get("mode"))
    note = "" if isinstance(metric, str) else "the call names no metric that can be read"
    why = "" if mode in ("min", "max") else "the call names no mode that can be read: choose one"
    draft.metric(
        metric if isinstance(metric, str) else "loss",
        "maximize" if mode == "max" else "minimize",
        note,
        why,
    )
    samples = _constant(module, given.get("num_samples", ast.Constant(1)))
    is_grid = bool(grids) and len(grids) == len(draft.content["space"])
    if is_grid:
        note = (
            ""
            if samples == 1
            else "Ray repeats its grid `num_samples` times; here it is tried once"
        )
        draft.put(("search", "method"), "grid", note)
    else:
        _put_sampler(draft, module, given, samples, math.prod(grids))
    if "scheduler" in given and not _is_fifo(module, given["scheduler"]):
        draft.note(
            ("search",),
            "trials run to their end: Ray's scheduler has no equal until your program writes its"
            " values by step; then a `budget` stops weak ones early (docs/programs.md)",
        )
    workers = _constant(module, given.get("max_concurrent_trials"))
    if isinstance(workers, int) and workers > 0:
        draft.put(("execution", "workers"), workers)


def _put_sampler(
    draft: Draft, module: PythonModule, given: dict[str, ast.expr], samples: Any, n_grid: int
) -> None:
    search = given.get("search_alg")
    name = _class(module, search)
    if name in ("", "BasicVariantGenerator"):
        draft.put(("search", "method"), "random")
    else:
        note = "" if name in SAMPLERS else f"`{name}` has no equal: Bayesian search takes its place"
        draft.put(("search", "method"), "bayesian", note)
        if name in SAMPLERS:
            draft.put(("search", "sampler"), SAMPLERS[name])
    if n_grid > 1:
        draft.note(
            ("search",),
            "Ray repeats its grid for every sample; here the values of the grid are drawn, too",
        )
    why = ""
    if not isinstance(samples, int) or samples < 1:
        samples, why = 100, "the number of samples cannot be read, or has no end: choose one"
    draft.put(("stop", "trials"), samples * n_grid, why)


def _given(module: PythonModule, call: ast.Call) -> dict[str, ast.expr]:
    """Return the settings of a run, with those of its ``TuneConfig``."""
    words = {str(word.arg): word.value for word in call.keywords}
    settings = words.get("tune_config")
    if isinstance(settings, ast.Name):
        try:
            settings, _ = module.value(settings)
        except Refused:
            settings = None
    if isinstance(settings, ast.Call):
        words |= {str(word.arg): word.value for word in settings.keywords}
        names = ("metric", "mode", "search_alg", "scheduler", "num_samples")
        words |= dict(zip(names, settings.args, strict=False))
    return words


def _constant(module: PythonModule, node: ast.expr | None) -> Any:
    try:
        return None if node is None else Constants(module).value(node)
    except Refused:
        return None


def _class(module: PythonModule, node: ast.expr | None) -> str:
    """Name of the class that an argument is an object of; the innermost of wrapped searchers."""
    for _ in range(MAX_NAMES):
        if isinstance(node, ast.Name):
            try:
                node, _ = module.value(node)
            except Refused:
                return node.id if isinstance(node, ast.Name) else ""
        elif isinstance(node, ast.Call):
            name = (module.dotted(node.func) or "").rpartition(".")[2]
            if name not in ("ConcurrencyLimiter", "Repeater"):
                return name
            node = node.args[0] if node.args else node.keywords[0].value
        else:
            break
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {"optuna": "OptunaSearch", "hyperopt": "HyperOptSearch"}.get(node.value, node.value)
    return ""


def _is_fifo(module: PythonModule, node: ast.expr) -> bool:
    is_none = isinstance(node, ast.Constant) and node.value is None
    return is_none or _class(module, node) == "FIFOScheduler"
