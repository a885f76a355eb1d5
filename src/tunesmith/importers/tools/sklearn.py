"""scikit-learn: calls of ``GridSearchCV`` and ``RandomizedSearchCV`` in a script or notebook.

A file that holds nothing but a param grid needs no import: ``space: param_grid.json`` takes it.
"""

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.constants import Constants
from tunesmith.importers.python.constants import source as source_of
from tunesmith.importers.python.helpers import calls_of_helper
from tunesmith.importers.python.loops import LoopRun, runs_of
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Invalid, Place, Refusals, Refused, place_of
from tunesmith.importers.scikit.estimator import (
    check_accepted,
    put_estimator,
    replace_auto,
    vary_once,
)
from tunesmith.importers.scikit.folds import put_folds
from tunesmith.importers.scikit.grids import Grids, Reader, of_scikit
from tunesmith.importers.scikit.parts import (
    CopiedParts,
    check_call,
    check_values,
    module_name,
    predictor,
    takes_text,
)
from tunesmith.importers.scikit.rows import put_rows
from tunesmith.importers.scikit.scoring import put_metric
from tunesmith.importers.source import Source

METHODS = {"GridSearchCV": "grid", "RandomizedSearchCV": "random"}
HALVING = ("HalvingGridSearchCV", "HalvingRandomSearchCV")
POSITIONS = {
    "GridSearchCV": ("estimator", "param_grid"),
    "RandomizedSearchCV": ("estimator", "param_distributions"),
}
SPACES = ("param_grid", "param_distributions", "search_spaces")
WITHOUT_EFFECT = ("verbose", "pre_dispatch", "return_train_score", "error_score", "refit")


def candidates(source: Source) -> list[Candidate]:
    """List the searches of a script."""
    if source.tree is None:
        return []
    module = PythonModule(source.tree)
    found = []
    for call, path in module.calls():
        name = path.rpartition(".")[2]
        if name in METHODS:
            found += searches(source, module, call, name, tool="sklearn")
        elif name in HALVING:
            found.append(Candidate("sklearn", name, place_of(call), partial(_halving, call, name)))
    return found


def searches(
    source: Source,
    module: PythonModule,
    call: ast.Call,
    name: str,
    *,
    tool: str,
    reader: Callable[[PythonModule], Reader] | None = None,
) -> list[Candidate]:
    """Return the search of a call; one for each run of a loop or of a function around it.

    Args:
        source: the file.
        module: the same, parsed.
        call: of the search.
        name: of its class.
        tool: name of the importer.
        reader: makes a reader of parameters; by default that of scikit-learn's.
    """
    place, label = place_of(call), search_name(module, call, name)
    made = []
    runs = runs_of(module, call) or calls_of_helper(module, call, check_call)
    for run in runs or [LoopRun(module, call, "")]:
        read = None if reader is None else reader(run.module)
        convert = partial(search_draft, source, run, name, read)
        made.append(Candidate(tool, f"{label}-{run.words}" if run.words else label, place, convert))
    return made


def search_name(module: PythonModule, call: ast.Call, name: str) -> str:
    """Name of a search: that of the variable that it is assigned to, or of its class."""
    around = module.parents.get(call)
    if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
        return around.targets[0].id
    return name


def _halving(call: ast.Call, name: str) -> Draft:
    raise Refused(
        f"`{name}` gives its first candidates few rows, which has no equal.",
        call,
        "`search: {race: auto}` also ends weak candidates early: import a plain search.",
    )


def search_draft(source: Source, run: LoopRun, name: str, read: Reader | None = None) -> Draft:
    """Convert one search.

    Args:
        source: the file.
        run: the same, parsed, with the call of the search.
        name: of its class.
        read: reader of a parameter's definition; by default that of scikit-learn's.

    Raises:
        RefusedAll: all the parts that have no equal.
    """
    module, call, words = run.module, run.call, run.words
    given = by_name(call, POSITIONS.get(name, ("estimator", "search_spaces")))
    position = source.position(place_of(call))
    draft = Draft("scikit-learn", f"{position.file}:{position.line}")
    stem = source.path.stem
    draft.put(("study",), study_name(f"{stem}-{words}" if words else stem))
    draft.note(("objective",), run.note)
    refusals = Refusals()
    label = words or search_name(module, call, name)
    parts = CopiedParts(module, call, module_name(stem, label), partial(_located, source))
    with refusals.collecting():
        _put_subject(draft, parts, given)
    with refusals.collecting():
        put_folds(draft, module, given.get("cv"))
    with refusals.collecting():
        own = of_scikit(module, is_grid=METHODS.get(name) == "grid")
        Grids(module, read or own).put(draft, _space(call, given))
    put_rows(draft, module, call, partial(_located, source))
    with refusals.collecting():
        _put_search(draft, module, given, METHODS.get(name, "bayesian"))
    refusals.done()
    # From here on, the parts are looked at together.
    vary_once(draft)
    replace_auto(draft)
    check_accepted(draft)
    if "factory" in draft.content["objective"]:
        check_values(draft)
    parts.put(draft)
    return draft


def _put_subject(draft: Draft, parts: CopiedParts, given: dict[str, ast.expr]) -> None:
    """Set the estimator and the metric."""
    module = parts.module
    estimator = _needed(parts.search, given, "estimator")
    _put_estimator(draft, module, estimator, parts)
    # Without a `scoring`, the class that predicts tells the metric; a copy does not name it.
    put_metric(
        draft,
        module,
        given.get("scoring"),
        given.get("refit"),
        predictor=predictor(module, estimator),
        own=parts.scorer,
    )


def _put_estimator(draft: Draft, module: PythonModule, node: ast.expr, parts: CopiedParts) -> None:
    """Set the estimator by its import path, or by a copy of what no configuration holds."""
    if takes_text(module, node):
        # In the table of a study, texts are a column, which their transformer must be given.
        parts.put_estimator(draft, node)
        return
    try:
        put_estimator(draft, module, node)
    except Invalid:
        raise
    except Refused as refused:
        try:
            parts.put_estimator(draft, node)
        except Refused as reason:
            # Without the import of its class, nothing else can be said of an estimator.
            raise (refused if str(refused).startswith("no import") else reason) from None


def _located(source: Source, place: Place) -> str:
    position = source.position(place)
    return f"{position.file}:{position.line}"


def _space(call: ast.Call, given: dict[str, ast.expr]) -> ast.expr:
    space = next((given[key] for key in SPACES if key in given), None)
    if space is None:
        raise Refused("the call names no grid.", call)
    return space


def _needed(call: ast.Call, given: dict[str, ast.expr], name: str) -> ast.expr:
    if name not in given:
        raise Refused(f"the call names no {name}.", call)
    return given[name]


def _put_search(
    draft: Draft, module: PythonModule, given: dict[str, ast.expr], method: str
) -> None:
    draft.put(("search", "method"), method)
    if method != "grid" and "trials" not in draft.content.get("stop", {}):
        default = 10 if method == "random" else 50
        draft.put(("stop", "trials"), *_number(module, given.get("n_iter"), default))
    if method == "random":
        _put_seed(draft, module, given.get("random_state"))
    workers = known_value(module, given.get("n_jobs"))
    if isinstance(workers, int) and workers > 0:
        draft.put(("execution", "workers"), workers)


def known_value(module: PythonModule, node: ast.expr | None) -> Any:
    """Return the value of a constant expression; ``None`` for any other, or for none."""
    try:
        return None if node is None else Constants(module).value(node)
    except Refused:
        return None


def _number(module: PythonModule, node: ast.expr | None, default: int) -> tuple[int, str]:
    """Return a number of trials, and a note if the script does not tell it."""
    if node is None:
        return default, f"the script names no `n_iter`: its default is {default}"
    number = known_value(module, node)
    if isinstance(number, int) and number > 0:
        return number, ""
    return default, f"the script's `n_iter` is `{source_of(node)}`: set it here"


def _put_seed(draft: Draft, module: PythonModule, node: ast.expr | None) -> None:
    seed = known_value(module, node)
    if isinstance(seed, int) and not isinstance(seed, bool):
        note = "the same seed; the points it draws are others, of the same distributions"
        draft.put(("search", "seed"), seed, note)
