"""scikit-optimize: dimensions of ``gp_minimize`` and its kin, and ``BayesSearchCV``."""

import ast
from collections.abc import Iterator
from functools import partial
from typing import Any

from tunesmith.importers.commands import put_command, put_program
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.python.values import are_equal, choices, has_tuple, plain
from tunesmith.importers.ranges import real, whole
from tunesmith.importers.refusal import Refusals, Refused, place_of
from tunesmith.importers.scikit.estimator import MAX_NAMES, resolved
from tunesmith.importers.scikit.grids import listed
from tunesmith.importers.source import NOTEBOOK, Source
from tunesmith.importers.tools.sklearn import search_name, searches

FUNCTIONS_OF_SKOPT = {
    "gp_minimize": ("bayesian", "gp"),
    "forest_minimize": ("bayesian", None),
    "gbrt_minimize": ("bayesian", None),
    "dummy_minimize": ("random", None),
}
DIMENSIONS = {
    "Real": ("low", "high", "prior", "base", "transform", "name"),
    "Integer": ("low", "high", "prior", "base", "transform", "name"),
    "Categorical": ("categories", "prior", "transform", "name"),
}
LOG = ("log-uniform", "log")
ENDS = "scikit-optimize rounds: it draws the smallest and the largest value less often than here"


def candidates(file: Source) -> list[Candidate]:
    """List the searches of a script."""
    if file.tree is None:
        return []
    module = PythonModule(file.tree)
    found: list[Candidate] = []
    asked: list[Candidate] = []
    for call, path in module.calls():
        name = path.rpartition(".")[2]
        if name in FUNCTIONS_OF_SKOPT:
            convert = partial(_draft, file, module, call, name)
            found.append(
                Candidate("skopt", search_name(module, call, name), place_of(call), convert)
            )
        elif name == "BayesSearchCV":
            found += searches(file, module, call, name, tool="skopt", reader=of_skopt)
        elif path.startswith("skopt.") and name == "Optimizer":
            label = search_name(module, call, name)
            asked.append(Candidate("skopt", label, place_of(call), partial(_ask_and_tell, call)))
    # Dimensions with names are a space, whoever asks for the points.
    return found or list(_spaces(file, module)) or asked


def _ask_and_tell(call: ast.Call) -> Draft:
    raise Refused(
        "`Optimizer` is asked for points by a loop of your own, which no command can run once.",
        call,
        "Let `gp_minimize` call your function, or write the dimensions as `space:` and name a"
        " program that takes them as options.",
    )


def _spaces(file: Source, module: PythonModule) -> Iterator[Candidate]:
    """Yield the lists of named dimensions of a file that searches nothing itself."""
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        value = node.value
        items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
        if items and all(_is_named(module, item) for item in items):
            convert = partial(_draft_space, file, module, node.value)
            yield Candidate("skopt", node.targets[0].id, place_of(node), convert)


def _is_named(module: PythonModule, node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    path = module.dotted(node.func) or ""
    kind = path.rpartition(".")[2]
    is_own = path.startswith("skopt.") and kind in DIMENSIONS
    return is_own and "name" in by_name(node, DIMENSIONS[kind])


def of_skopt(module: PythonModule) -> Any:
    """Return a reader of dimensions: objects, tuples, and lists of choices."""

    def read(node: ast.expr) -> tuple[Any, tuple[str, ...]]:
        definition, notes, _ = dimension(module, node)
        return definition, notes

    return read


def dimension(module: PythonModule, node: ast.expr) -> tuple[Any, tuple[str, ...], str | None]:
    """Return the definition of a dimension, notes, and its name if it has one.

    Raises:
        Refused: it has no equal, or only a run tells it.
    """
    expression = resolved(module, node)
    if isinstance(expression, ast.Call):
        kind = (module.dotted(expression.func) or "").rpartition(".")[2]
        if kind in DIMENSIONS:
            return _of_call(module, expression, kind)
    if isinstance(expression, ast.Tuple):
        definition, notes = _of_tuple(module, expression)
        return definition, notes, None
    return *listed(module, node), None


def _of_call(
    module: PythonModule, call: ast.Call, kind: str
) -> tuple[Any, tuple[str, ...], str | None]:
    given = by_name(call, DIMENSIONS[kind])
    words = {key: Constants(module).value(node) for key, node in given.items()}
    name = words.get("name")
    place = place_of(call)
    if kind == "Categorical":
        if words.get("prior") is not None and not are_equal(plain(words["prior"], place)):
            raise Refused("choices with unequal probabilities have no equal.", call)
        values = words.get("categories")
        note = "tuples are written as lists" if has_tuple(list(values or ())) else ""
        return choices(list(values or ()), place), (note,), name
    definition, notes = _range(kind, words.get("low"), words.get("high"), words.get("prior"), call)
    return definition, notes, name


def _of_tuple(module: PythonModule, node: ast.Tuple) -> tuple[Any, tuple[str, ...]]:
    """Read ``(low, high)`` or ``(low, high, prior)``; other tuples are choices."""
    values = Constants(module).value(node)
    is_number = [isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    priors = ("uniform", *LOG)
    if (
        len(values) >= 2
        and all(is_number[:2])
        and (len(values) == 2 or (len(values) in (3, 4) and values[2] in priors))
    ):
        kind = "Integer" if all(isinstance(v, int) for v in values[:2]) else "Real"
        prior = values[2] if len(values) > 2 else "uniform"
        return _range(kind, values[0], values[1], prior, node)
    note = "tuples are written as lists" if has_tuple(list(values)) else ""
    return choices(list(values), place_of(node)), (note,)


def _range(
    kind: str, low: Any, high: Any, prior: Any, node: ast.expr
) -> tuple[Any, tuple[str, ...]]:
    place, is_log = place_of(node), prior in LOG
    if prior not in (None, "uniform", *LOG):
        raise Refused(f"the prior `{prior}` has no equal.", node)
    if kind == "Real":
        return real(low, high, place, log=is_log), ()
    return whole(low, high, place, log=is_log), ((ENDS,) if is_log else ())


# -- functions -----------------------------------------------------------------------------------


def _draft(file: Source, module: PythonModule, call: ast.Call, name: str) -> Draft:
    position = file.position(place_of(call))
    draft = Draft("scikit-optimize", f"{position.file}:{position.line}")
    draft.put(("study",), study_name(file.path.stem))
    given = by_name(call, ("func", "dimensions"))
    if "dimensions" not in given:
        raise Refused("the call names no dimensions.", call)
    _put_dimensions(draft, module, given["dimensions"], _names(module, given))
    _put_program(draft, file)
    draft.metric("value", "minimize", "the value that the function returns")
    _put_search(draft, module, given, name)
    return draft


def _draft_space(file: Source, module: PythonModule, space: ast.expr) -> Draft:
    position = file.position(place_of(space))
    draft = Draft("scikit-optimize", f"{position.file}:{position.line}")
    draft.put(("study",), study_name(file.path.stem))
    _put_dimensions(draft, module, space, [])
    put_program(
        draft,
        None,
        "the file holds no search: name the program that takes these options and writes the metric",
    )
    draft.metric("value", "minimize", "scikit-optimize minimizes; name the metric as you like")
    draft.put(("objective", "metrics_file"), "metrics.json", "let your program write it there")
    draft.put(("search", "method"), "bayesian", "the file holds no search: choose a method")
    draft.put(("stop", "trials"), 100, "the file names no number of trials: choose one")
    return draft


def _put_dimensions(draft: Draft, module: PythonModule, space: ast.expr, names: list[str]) -> None:
    nodes = _dimensions(module, space)
    refusals = Refusals()
    for index, node in enumerate(nodes):
        with refusals.collecting():
            definition, notes, own = dimension(module, node)
            made = own or (names[index] if len(names) == len(nodes) else f"x{index}")
            note = "" if own or len(names) == len(nodes) else "the script has no name for it"
            draft.parameter(str(made), definition, place_of(node), *notes, note)
    refusals.done()


def _dimensions(module: PythonModule, node: ast.expr) -> list[ast.expr]:
    for _ in range(MAX_NAMES):
        node = resolved(module, node)
        if isinstance(node, ast.Call) and (module.dotted(node.func) or "").endswith("Space"):
            node = node.args[0] if node.args else node.keywords[0].value
        else:
            break
    if isinstance(node, ast.List | ast.Tuple):
        return list(node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        # `[(-2.0, 2.0)] * 3`
        parts = _dimensions(module, node.left)
        return parts * int(Constants(module).value(node.right))
    try:
        value = Constants(module).value(node)
    except Refused:
        value = None
    if isinstance(value, list | tuple):
        # Written again as literals, which is what they stand for.
        return [ast.copy_location(ast.parse(repr(v), mode="eval").body, node) for v in value]
    raise Refused(f"`{source(node)}` is no list of dimensions that this file tells.", node)


def _names(module: PythonModule, given: dict[str, ast.expr]) -> list[str]:
    """Names of the arguments that the function takes apart, if it does so at once."""
    node = given.get("func")
    function = module.functions.get(node.id) if isinstance(node, ast.Name) else None
    if function is None or not function.args.args:
        return []
    first = function.args.args[0].arg
    for statement in function.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
            target = statement.targets[0]
            if statement.value.id == first and isinstance(target, ast.Tuple | ast.List):
                return [t.id for t in target.elts if isinstance(t, ast.Name)]
    return []


def _put_program(draft: Draft, file: Source) -> None:
    if file.suffix in NOTEBOOK:
        raise Refused(
            "the function is in a notebook, which no command can run.",
            hint="Export it first: `jupyter nbconvert --to script`.",
        )
    runner = ["python", "-m", "tunesmith.bridges.skopt", "{params}", "{metrics}"]
    names = ",".join(draft.content["space"])
    put_command(
        draft,
        [*runner, "value", names, file.program],
        "runs your script as it is, up to the search, which then calls your function once, with the"
        " parameters of the trial; add the script's own arguments at the end",
    )
    draft.put(("objective", "metrics_file"), "metrics.json")


def _put_search(draft: Draft, module: PythonModule, given: dict[str, ast.expr], name: str) -> None:
    method, sampler = FUNCTIONS_OF_SKOPT[name]
    is_other = method == "bayesian" and sampler is None
    note = f"`{name}` models with trees, which has no equal: Bayesian search takes its place"
    draft.put(("search", "method"), method, note if is_other else "")
    if sampler:
        draft.put(("search", "sampler"), sampler)
    constants = Constants(module)
    trials: Any = 100
    why = "the script names no `n_calls`: its default is 100"
    if "n_calls" in given:
        try:
            trials, why = constants.value(given["n_calls"]), ""
        except Refused:
            why = f"the script's `n_calls` is `{source(given['n_calls'])}`: set it here"
    draft.put(("stop", "trials"), trials, why)
    seed = given.get("random_state")
    if isinstance(seed, ast.Constant) and isinstance(seed.value, int):
        draft.put(("search", "seed"), seed.value)
    if "x0" in given:
        _put_start(draft, module, given["x0"])


def _put_start(draft: Draft, module: PythonModule, node: ast.expr) -> None:
    try:
        points = plain(Constants(module).value(node), place_of(node))
    except Refused:
        draft.note(("search",), f"the starting point `{source(node)}` is known only in a run")
        return
    names = list(draft.content["space"])
    rows = points if points and isinstance(points[0], list) else [points]
    if all(isinstance(row, list) and len(row) == len(names) for row in rows):
        draft.put(("search", "start_with"), [dict(zip(names, r, strict=True)) for r in rows])
