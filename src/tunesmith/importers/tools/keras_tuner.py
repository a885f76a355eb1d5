"""Keras Tuner: functions that build a model from ``hp``, and the tuner that calls them."""

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tunesmith.importers.commands import put_program
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.abstract import Function
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.conditions import Route
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.follower import Follower, proposals_of, self_of
from tunesmith.importers.python.module import FUNCTIONS, PythonModule
from tunesmith.importers.python.proposal import Proposal
from tunesmith.importers.python.values import choices
from tunesmith.importers.ranges import number, real, table, whole, with_conditions
from tunesmith.importers.refusal import Refused, place_of
from tunesmith.importers.source import Source

NUMBER = ("name", "min_value", "max_value", "step", "sampling", "default")
METHODS = {
    "Int": NUMBER,
    "Float": NUMBER,
    "Choice": ("name", "values", "ordered", "default"),
    "Boolean": ("name", "default"),
    "Fixed": ("name", "value"),
}
TUNERS = {
    "RandomSearch": "random",
    "GridSearch": "grid",
    "BayesianOptimization": "bayesian",
    "Hyperband": "random",
    "Sklearn": "bayesian",
}
PACKAGES = ("keras_tuner", "kerastuner")
READING = ("get", "is_active", "get_config", "conditional_scope", "copy", "items", "keys")
"""Methods that propose nothing; any other one might."""
SOMETIMES = (
    *(ast.IfExp, ast.BoolOp, ast.Compare, ast.ListComp, ast.SetComp, ast.DictComp),
    ast.GeneratorExp,
)
"""Expressions that evaluate a part of themselves never, or many times."""
POSITIONS = ("hypermodel", "objective", "max_trials")
LARGER = ("acc", "auc", "precision", "recall", "f1", "r2", "iou", "score", "cosine_similarity")
FLOOR = "Keras Tuner rounds down, so that it draws small values more often; bounds and scale agree"
MAX_LADDER = 1000


class KerasDialect:
    """Calls of ``hp.Int``, ``hp.Choice`` and the like."""

    first_counts = True

    def propose(
        self, follower: "Follower | Straight", call: ast.Call, method: str
    ) -> Proposal | None:
        """Return the parameter that a call proposes; ``None`` for calls such as ``hp.get``."""
        if method not in METHODS:
            if method not in READING:
                hint = "The first Keras Tuner had it: write `hp.Int`." if method == "Range" else ""
                raise Refused(f"`hp.{method}` has no equal.", call, hint)
            return None
        given = by_name(call, METHODS[method])
        words = {
            key: follower.constant(node, f"`{key}`")
            for key, node in given.items()
            if key not in ("parent_name", "parent_values")
        }
        name = words.get("name")
        if not isinstance(name, str):
            raise Refused("the call has no name.", call)
        if "parent_name" in given:
            raise Refused("`parent_name` has no equal yet.", call)
        return _proposal(name, method, words, call)

    def is_harmless(self, path: str) -> bool:
        """True for functions that read the parameters, and propose nothing."""
        return path in ("print", "str", "repr", "super")

    def scope(self, follower: Follower, node: ast.expr) -> Route | None:
        """Return the path within ``with hp.conditional_scope(name, values)``."""
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if not (
            isinstance(node, ast.Call) and is_call and "conditional_scope" in source(node.func)
        ):
            return None
        given = by_name(node, ("parent_name", "parent_values"))
        words = {key: follower.constant(value, f"`{key}`") for key, value in given.items()}
        parent = follower.proposals.get(words.get("parent_name", ""))
        wanted = words.get("parent_values")
        if parent is None or parent.values is None:
            raise Refused("the scope names no parameter with few values.", node)
        values = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
        every = tuple(own for own, _ in parent.values)
        path = follower.frame.path.narrowed(parent.name, values, every)
        return path or follower.frame.path.doubtful("the scope is never active")


def _proposal(name: str, method: str, words: dict[str, Any], call: ast.Call) -> Proposal:
    place = place_of(call)
    if method == "Boolean":
        definition: Any = [False, True]
    elif method == "Fixed":
        definition = choices([words.get("value")], place)
    elif method == "Choice":
        definition = choices(list(words.get("values", ())), place)
    else:
        definition, note = _numbers(method, words, call)
        return Proposal(name=name, definition=definition, values=table(definition), notes=(note,))
    return Proposal(name=name, definition=definition, values=table(definition))


def _numbers(method: str, words: dict[str, Any], call: ast.Call) -> tuple[Any, str]:
    place = place_of(call)
    if not {"min_value", "max_value"} <= words.keys():
        raise Refused("the call has no `min_value` or no `max_value`.", call)
    low, high = number(words["min_value"], place), number(words["max_value"], place)
    step, sampling = words.get("step"), str(words.get("sampling") or "linear").lower()
    if sampling not in ("linear", "log"):
        raise Refused(f"`sampling='{sampling}'` has no equal.", call)
    if sampling == "log" and step is not None:
        return _ladder(method, low, high, number(step, place), call), (
            "with `sampling='log'`, the step is a factor: these are the values"
        )
    is_log = sampling == "log"
    if method == "Int":
        definition = whole(low, high, place, log=is_log, step=1 if step is None else step)
        return definition, FLOOR if is_log else ""
    if step is None or is_log:
        return real(low, high, place, log=is_log), ""
    # Its own arithmetic: `0.3 // 0.1` is 2, so that such a largest value is never drawn.
    last = low + ((high - low) // step) * step
    note = (
        ""
        if math.isclose(last, high) or (high - last) < step * 0.999
        else (f"Keras Tuner never draws {high:g}, as it rounds the number of steps down")
    )
    return real(low, float(f"{last:.12g}"), place, step=step), note


def _ladder(method: str, low: float, high: float, factor: float, call: ast.Call) -> list[Any]:
    if not (low > 0 and factor > 1):
        raise Refused("a log scale needs a lower bound above 0, and a factor above 1.", call)
    count = int(math.log(high / low, factor)) + 1
    if count > MAX_LADDER:
        raise Refused(f"the scale has more than {MAX_LADDER:,} values.", call)
    values = [low * factor**index for index in range(count)]
    return [int(v) if method == "Int" else float(f"{v:.12g}") for v in values]


def candidates(file: Source) -> list[Candidate]:
    """List the functions of a script that build a model from hyperparameters."""
    if file.tree is None:
        return []
    module = PythonModule(file.tree)
    found: dict[str, Candidate] = {}
    for node, name, hp in _builders(module):
        convert = partial(_draft, file, module, node, hp)
        found.setdefault(name, Candidate("keras_tuner", name, place_of(node), convert))
    return list(found.values()) or _loose(file, module)


def _loose(file: Source, module: PythonModule) -> list[Candidate]:
    """List the ``hp = kt.HyperParameters()`` of a script, outside of any function."""
    found: dict[str, Candidate] = {}
    for node in module.tree.body:
        value = node.value if isinstance(node, ast.Assign) else None
        if not (isinstance(value, ast.Call) and isinstance(node, ast.Assign)):
            continue
        path, name = module.dotted(value.func) or "", node.targets[0]
        package, _, last = path.rpartition(".")
        is_own = last == "HyperParameters" and package.partition(".")[0] in PACKAGES
        if is_own and isinstance(name, ast.Name):
            convert = partial(_loose_draft, file, module, node, name.id)
            found.setdefault(name.id, Candidate("keras_tuner", name.id, place_of(node), convert))
    return list(found.values())


def _builders(module: PythonModule) -> Iterator[tuple[ast.FunctionDef, str, str]]:
    every = [n for n in ast.walk(module.tree) if isinstance(n, FUNCTIONS)]
    takers = {n: _hp(n) for n in every if isinstance(n, ast.FunctionDef)}
    called = {
        call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        for node, hp in takers.items()
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and any(isinstance(a, ast.Name) and a.id == hp for a in (*call.args, *_words(call)))
    }
    for node, hp in takers.items():
        owner = self_of(module, node)
        if hp is None or not _is_used(node, hp):
            continue
        if owner is not None and node.name == "build":
            yield node, owner.node.name, hp
        elif owner is None and node.name not in called:
            yield node, node.name, hp


def _words(call: ast.Call) -> list[ast.expr]:
    return [word.value for word in call.keywords]


def _hp(node: ast.FunctionDef) -> str | None:
    arguments = [*node.args.posonlyargs, *node.args.args]
    for argument in arguments:
        kind = "" if argument.annotation is None else ast.unparse(argument.annotation)
        if argument.arg == "hp" or kind.rpartition(".")[2].strip("'\"") == "HyperParameters":
            return argument.arg
    return None


def _is_used(node: ast.FunctionDef, hp: str) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and inner.attr in METHODS and _is_name(inner.value, hp):
            return True
        if isinstance(inner, ast.Call) and any(
            isinstance(a, ast.Name) and a.id == hp for a in (*inner.args, *_words(inner))
        ):
            return True
    return False


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _draft(file: Source, module: PythonModule, node: ast.FunctionDef, hp: str) -> Draft:
    function = Function(node, {}, self_of(module, node))
    _refuse_others(module)
    (box,) = proposals_of(module, KerasDialect(), function, hp)
    return _drafted(file, module, node, box)


def _loose_draft(file: Source, module: PythonModule, node: ast.Assign, hp: str) -> Draft:
    """Convert calls that stand one after the other outside of any function.

    Raises:
        Refused: one of them is in a function, a branch or a loop, or ``hp`` is set again.
    """
    _refuse_uses(module, hp)
    dialect, follower = KerasDialect(), Straight(module)
    proposals: dict[str, Proposal] = {}
    for call, _ in module.calls():
        if isinstance(call.func, ast.Attribute) and _is_name(call.func.value, hp):
            if not isinstance(module.scope(call), ast.Module):
                continue
            _check_straight(module, call)
            proposal = dialect.propose(follower, call, call.func.attr)
            if proposal is not None:
                # Keras Tuner keeps the first of several calls with one name.
                proposals.setdefault(proposal.name, replace(proposal, place=place_of(call)))
    if not proposals:
        raise Refused(f"`{hp}` proposes nothing outside of functions.", node)
    return _drafted(file, module, node, [(proposal, {}) for proposal in proposals.values()])


def _refuse_uses(module: PythonModule, hp: str) -> None:
    """Refuse uses of ``hp`` that may add parameters, or make another object of it.

    Raises:
        Refused: the calls outside of functions are not the whole space.
    """
    names = [n for n in ast.walk(module.tree) if isinstance(n, ast.Name) and n.id == hp]
    if sum(not isinstance(name.ctx, ast.Load) for name in names) > 1:
        raise Refused(f"`{hp}` is set several times.", names[-1])
    for name in names:
        around, scope = module.parents[name], module.scope(name)
        is_read = isinstance(around, ast.Attribute)
        method = around.attr if isinstance(around, ast.Attribute) else ""
        if method in METHODS and not isinstance(scope, ast.Module):
            raise Refused(f"`{source(around)}` in a function adds parameters.", name)
        is_given = isinstance(around, ast.keyword) and around.arg == "hyperparameters"
        if isinstance(name.ctx, ast.Load) and not (is_read or is_given):
            raise Refused(f"`{hp}` is handed over in line {name.lineno}.", name)
    for call, path in module.calls():
        if path.rpartition(".")[2] in TUNERS:
            model = by_name(call, POSITIONS).get("hypermodel")
            own = {*module.functions, *module.classes}
            if not (isinstance(model, ast.Name) and model.id in own):
                raise Refused("the tuner's model may have parameters of its own.", call)


@dataclass(frozen=True)
class Straight:
    """Reader of arguments outside of functions, in place of a follower."""

    module: PythonModule

    def constant(self, node: ast.expr, _: str) -> Any:
        """Return the value of an argument.

        Raises:
            Refused: it is known only if the script runs.
        """
        return Constants(self.module).value(node)


def _check_straight(module: PythonModule, call: ast.Call) -> None:
    """Refuse a call that is not made exactly once."""
    around: ast.AST = call
    while not isinstance(around, (ast.stmt, *SOMETIMES)):
        around = module.parents[around]
    if around not in module.tree.body:
        raise Refused(f"`{source(call)}` is made in a branch or a loop.", call)


def _drafted(file: Source, module: PythonModule, node: ast.stmt, box: Any) -> Draft:
    """Return the draft of parameters with their conditions."""
    position = file.position(place_of(node))
    draft = Draft("Keras Tuner", f"{position.file}:{position.line}")
    draft.put(("study",), study_name(file.path.stem))
    for proposal, when in box:
        value = proposal.definition
        if isinstance(value, list) and len(value) == 1 and not when:
            draft.fixed(proposal.name, value[0])
            continue
        draft.parameter(
            proposal.name, with_conditions(value, when), proposal.place, *proposal.notes
        )
    if any(when for _, when in box):
        note = "Keras Tuner draws inactive parameters, too, and ignores them; here they have `when`"
        draft.note(("space",), note)
    put_program(
        draft,
        file.program if file.suffix == ".py" else None,
        "your script must take these options, build the model with them and train it, in place of"
        " the tuner",
    )
    _put_tuner(draft, module)
    draft.put(
        ("objective", "metrics_file"), "metrics.json", "let your script write the metric there"
    )
    return draft


def _refuse_others(module: PythonModule) -> None:
    """Refuse parameters that a script proposes or overrides outside of its builder.

    Raises:
        Refused: the space of the builder is not the whole space.
    """
    for call, path in module.calls():
        if path.rpartition(".")[2] in TUNERS and any(
            w.arg == "hyperparameters" for w in call.keywords
        ):
            raise Refused("`hyperparameters=` replaces ranges of the builder.", call)
        if not (isinstance(call.func, ast.Attribute) and call.func.attr in METHODS):
            continue
        around = module.scope(call)
        is_other = isinstance(around, ast.FunctionDef) and around.name in ("fit", "run_trial")
        owner = source(call.func.value)
        if is_other and (owner == "hp" or owner.endswith(("hyperparameters", ".hp"))):
            raise Refused(f"`{source(call)}` adds a parameter outside of the builder.", call)


def _put_tuner(draft: Draft, module: PythonModule) -> None:
    tuners = [
        (call, path.rpartition(".")[2])
        for call, path in module.calls()
        if path.rpartition(".")[2] in TUNERS and ("tuner" in path.lower() or "kt." in path)
    ]
    given: dict[str, ast.expr] = {}
    kind = ""
    if tuners:
        call, kind = tuners[0]
        given = by_name(call, POSITIONS)
    _put_metric(draft, module, given.get("objective"))
    draft.put(
        ("search", "method"),
        TUNERS.get(kind, "random"),
        "" if kind else "no tuner was found in the file: choose a method",
    )
    if len(tuners) > 1:
        draft.note(("search",), f"the first of {len(tuners)} tuners of the script")
    if kind == "Hyperband":
        _put_budget(draft, module, given)
    trials, why = 10, "the script names no `max_trials`: Keras Tuner's own number is 10"
    if kind == "Hyperband":
        why = "Hyperband takes no number of trials, its brackets tell it: choose a number"
    if "max_trials" in given:
        try:
            trials, why = int(Constants(module).value(given["max_trials"])), ""
        except (Refused, TypeError, ValueError):
            why = f"the script's number of trials is `{source(given['max_trials'])}`: set it here"
    if kind != "GridSearch" or "max_trials" in given:
        draft.put(("stop", "trials"), trials, why)
    seed = given.get("seed")
    if isinstance(seed, ast.Constant) and isinstance(seed.value, int):
        draft.put(("search", "seed"), seed.value)


def _put_budget(draft: Draft, module: PythonModule, given: dict[str, ast.expr]) -> None:
    """Note the epochs of Hyperband, which the script hands over to each training."""
    try:
        epochs = Constants(module).value(given.get("max_epochs", ast.Constant(100)))
    except Refused:
        epochs = "its number of"
    draft.note(
        ("search",),
        f"Keras Tuner's Hyperband trains weak models for fewer than {epochs} epochs; they run to"
        " their end here, until you set a `budget` (docs/programs.md)",
    )


def _put_metric(draft: Draft, module: PythonModule, node: ast.expr | None) -> None:
    name, direction, note = "val_loss", "minimize", ""
    try:
        if node is None:
            note = "the script names no objective that can be read: name it"
        elif isinstance(node, ast.Call):
            given = by_name(node, ("name", "direction"))
            name = str(Constants(module).value(given["name"]))
            way = Constants(module).value(given["direction"]) if "direction" in given else "min"
            direction = "maximize" if way == "max" else "minimize"
        else:
            value = Constants(module).value(node)
            name = value if isinstance(value, str) else "val_loss"
            is_larger = any(part in name for part in LARGER)
            direction = "maximize" if is_larger else "minimize"
            note = "the direction follows from the name, as in Keras"
    except (Refused, KeyError):
        note = "the script's objective cannot be read: name it"
    draft.metric(name, direction, note)
