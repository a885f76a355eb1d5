"""Optuna: objectives that call ``trial.suggest_…``, and the study that optimizes them."""

import ast
from collections.abc import Iterator
from functools import partial
from typing import Any

from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.optuna_study import put_study
from tunesmith.importers.python.abstract import Function
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.conditions import Route
from tunesmith.importers.python.constants import source as source_of
from tunesmith.importers.python.follower import Follower, proposals_of, put_proposals, self_of
from tunesmith.importers.python.module import FUNCTIONS, PythonModule
from tunesmith.importers.python.proposal import Proposal
from tunesmith.importers.python.values import choices, has_tuple
from tunesmith.importers.ranges import real, table, whole
from tunesmith.importers.refusal import Refused, place_of
from tunesmith.importers.source import Source

RANGE = ("name", "low", "high")
METHODS = {
    "suggest_float": (*RANGE, "step"),
    "suggest_int": (*RANGE, "step"),
    "suggest_uniform": RANGE,
    "suggest_loguniform": RANGE,
    "suggest_discrete_uniform": (*RANGE, "q"),
    "suggest_categorical": ("name", "choices"),
}
HARMLESS = (
    "print",
    "str",
    "repr",
    "optuna.",
    "optuna_integration.",
    "logging.",
    "wandb.",
    "mlflow.",
)


class OptunaDialect:
    """Calls of ``trial.suggest_…``."""

    first_counts = False

    def propose(self, follower: Follower, call: ast.Call, method: str) -> Proposal | None:
        """Return the parameter that a call proposes; ``None`` for calls such as ``report``."""
        if method not in METHODS:
            if method.startswith("suggest"):
                raise Refused(f"`{method}` is no method of Optuna's trials.", call)
            return None
        given = by_name(call, METHODS[method])
        name = follower.constant(self._given(given, "name", call), "the name")
        if not isinstance(name, str):
            raise Refused(f"{name!r} is no name.", call)
        if method == "suggest_categorical":
            return self._categorical(follower, call, name, given)
        words = {key: follower.constant(node, f"`{key}`") for key, node in given.items()}
        return self._number(call, name, method, words)

    def is_harmless(self, path: str) -> bool:
        """True for functions that read a trial, and propose nothing."""
        last = path.rpartition(".")[2]
        return path.startswith(HARMLESS) or last.endswith(("Callback", "Logger"))

    def scope(self, follower: Follower, node: ast.expr) -> Route | None:
        """Return ``None``: Optuna has no conditions of this form."""

    def _given(self, given: dict[str, ast.expr], key: str, call: ast.Call) -> ast.expr:
        if key not in given:
            raise Refused(f"the call has no `{key}`.", call)
        return given[key]

    def _categorical(
        self, follower: Follower, call: ast.Call, name: str, given: dict[str, ast.expr]
    ) -> Proposal:
        raw = follower.constant(self._given(given, "choices", call), "the list of choices")
        if isinstance(raw, str | dict) or not hasattr(raw, "__iter__"):
            raise Refused("the choices are no list.", call)
        listed = list(raw)
        values = choices(listed, place_of(call))
        note = "tuples are written as lists" if has_tuple(listed) else ""
        return Proposal(
            name=name,
            definition=values,
            values=tuple(zip(values, listed, strict=True)),
            notes=(note,),
        )

    def _number(self, call: ast.Call, name: str, method: str, words: dict[str, Any]) -> Proposal:
        place = place_of(call)
        if not {"low", "high"} <= words.keys():
            raise Refused("the call has no `low` or no `high`.", call)
        low, high = words["low"], words["high"]
        step, log = words.get("step", words.get("q")), bool(words.get("log"))
        notes: list[str] = []
        if method == "suggest_int":
            rounded = [int(low), int(high), int(step or 1)]
            if rounded != [low, high, step or 1]:
                notes.append("Optuna makes whole numbers of these bounds, too")
            definition = whole(rounded[0], rounded[1], place, log=log, step=rounded[2])
        else:
            is_log = log or method == "suggest_loguniform"
            definition = real(low, high, place, log=is_log, step=step)
        return Proposal(
            name=name, definition=definition, values=table(definition), notes=tuple(notes)
        )


def candidates(source: Source) -> list[Candidate]:
    """List the objectives of a script: functions that propose, and are not called by others."""
    if source.tree is None:
        return []
    module = PythonModule(source.tree)
    found: dict[str, Candidate] = {}
    for node, name, trial in _objectives(module):
        convert = partial(_draft, source, module, node, name, trial)
        found.setdefault(name, Candidate("optuna", name, place_of(node), convert))
    return list(found.values()) or list(_elsewhere(module))


def _elsewhere(module: PythonModule) -> Iterator[Candidate]:
    """Yield studies whose objective another file holds; they say so when they are converted."""
    if not any(path.split(".")[0] == "optuna" for path in module.imports.values()):
        return
    for call, _ in module.calls():
        first = call.args[0] if call.args else None
        is_run = isinstance(call.func, ast.Attribute) and call.func.attr == "optimize"
        if isinstance(first, ast.Lambda) and isinstance(first.body, ast.Call):
            # `lambda trial: objective(trial, data)`
            first = first.body.func
        if is_run and isinstance(first, ast.Name | ast.Attribute):
            origin = module.dotted(first)
            if origin is not None and origin.partition(".")[0] in _packages(module):
                convert = partial(_refuse_import, first, origin)
                yield Candidate("optuna", source_of(first), place_of(call), convert)


def _packages(module: PythonModule) -> set[str]:
    return {path.partition(".")[0] for path in module.imports.values()}


def _refuse_import(node: ast.expr, origin: str) -> Draft:
    message = f"`{source_of(node)}` is imported, as `{origin}`."
    raise Refused(message, node, "Import the file that holds it.")


def _objectives(module: PythonModule) -> Iterator[tuple[ast.FunctionDef, str, str]]:
    takers = [node for node in ast.walk(module.tree) if isinstance(node, FUNCTIONS)]
    with_trial = {node: _trial(node) for node in takers if isinstance(node, ast.FunctionDef)}
    called = _called_with_trial(with_trial)
    optimized = _optimized(module)
    proposing = {node for node in with_trial if _proposes(node)}
    for node, trial in with_trial.items():
        owner = self_of(module, node)
        name = node.name
        if owner is not None and node.name in ("__call__", "objective"):
            name = owner.node.name if node.name == "__call__" else node.name
        if trial is None or node.name.startswith("test"):
            continue
        reaches = node in proposing or _calls_any(node, {p.name for p in proposing}, module)
        is_root = name in optimized if optimized else node.name not in called
        if reaches and is_root:
            yield node, name, trial


def _trial(node: ast.FunctionDef) -> str | None:
    """Name of the argument that is a trial."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in arguments:
        kind = "" if argument.annotation is None else ast.unparse(argument.annotation)
        if kind.rpartition(".")[2].strip("'\"") in ("Trial", "BaseTrial", "FrozenTrial"):
            return argument.arg
    names = [argument.arg for argument in arguments]
    return next((n for n in names if n in ("trial", "_trial", "optuna_trial", "t")), None) or next(
        iter(name for name in _receivers(node) if name in names), None
    )


def _receivers(node: ast.AST) -> list[str]:
    return [
        n.func.value.id
        for n in ast.walk(node)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr in METHODS
        and isinstance(n.func.value, ast.Name)
    ]


def _proposes(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr in METHODS for n in ast.walk(node))


def _called_with_trial(with_trial: dict[ast.FunctionDef, str | None]) -> set[str]:
    """Names of functions that others hand their trial over to."""
    called = set()
    for node, trial in with_trial.items():
        for call in ast.walk(node):
            if not isinstance(call, ast.Call):
                continue
            values = [*call.args, *(word.value for word in call.keywords)]
            if any(isinstance(v, ast.Name) and v.id == trial for v in values):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
                name = call.func.id if isinstance(call.func, ast.Name) else name
                if name != node.name:
                    called.add(name)
    return called


def _calls_any(node: ast.FunctionDef, names: set[str], module: PythonModule) -> bool:
    """True if a function calls one that proposes, directly or by way of others."""
    seen, waiting = set(), [node]
    while waiting:
        for call in ast.walk(waiting.pop()):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else None
            name = call.func.id if isinstance(call.func, ast.Name) else name
            if name in names or (name in module.classes and _proposes(module.classes[name])):
                return True
            if name in module.functions and name not in seen:
                seen.add(name)
                waiting.append(module.functions[name])
    return False


def _optimized(module: PythonModule) -> set[str]:
    """Names of functions and classes that ``study.optimize`` is called with."""
    names = set()
    for call, _ in module.calls():
        is_optimize = isinstance(call.func, ast.Attribute) and call.func.attr == "optimize"
        if is_optimize and (call.args or call.keywords):
            for node in ast.walk(call):
                if isinstance(node, ast.Name):
                    names |= {node.id, *_behind(module, node)}
                elif isinstance(node, ast.Attribute):
                    names.add(node.attr)
    defined = {*module.functions, *module.classes}
    methods = {m.name for c in module.classes.values() for m in c.body if isinstance(m, FUNCTIONS)}
    return names & (defined | methods)


def _behind(module: PythonModule, node: ast.Name) -> set[str]:
    try:
        value, _ = module.value(node)
    except Refused:
        return set()
    return {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}


def _draft(
    source: Source, module: PythonModule, node: ast.FunctionDef, name: str, trial: str
) -> Draft:
    position = source.position(place_of(node))
    draft = Draft("Optuna", f"{position.file}:{position.line}")
    stem = study_name(source.path.stem)
    draft.put(("study",), stem if name == "objective" else study_name(f"{stem}-{name}"))
    draft.put(("objective",), {})
    function = Function(node, {}, self_of(module, node))
    put_proposals(draft, proposals_of(module, OptunaDialect(), function, trial))
    put_study(draft, source, module, node, name)
    return draft
