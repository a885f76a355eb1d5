"""Runs of a function that gets parts of a search as arguments: one for each call of it."""

import ast
import copy
from collections.abc import Iterator, Mapping

from tunesmith.importers.python.copying import CheckCall, Copier
from tunesmith.importers.python.loops import MAX_RUNS, LoopRun, put_values, stored, words_of
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused


def calls_of_helper(module: PythonModule, call: ast.Call, check_call: CheckCall) -> list[LoopRun]:
    """Return the runs of the function around a call; none if the file does not call it.

    Arguments that the file does not tell, such as the rows, keep their names.

    Args:
        module: the file.
        call: of a search.
        check_call: refuses calls in arguments that must not be taken over.
    """
    function = _outermost(module, call)
    if function is None or module.functions.get(function.name) is not function:
        return []
    callers = list(_callers(module, function))
    if len(callers) > MAX_RUNS:
        # So many calls are no setups that anyone would choose from by name.
        return []
    runs = []
    for number, caller in enumerate(callers or [_bare(function)], start=1):
        values = dict(_values(module, function, caller, check_call))
        if not values:
            # Every call must tell something, or the list of setups would be a part of them.
            return []
        # Texts such as `scoring="f1"` say little; names and classes say which model it is.
        telling = {n: v for n, v in values.items() if "name" in n or isinstance(v, ast.Call)}
        words = words_of(telling, number) if len(callers) > 1 else ""
        note = "" if callers else _of_defaults(function, values)
        runs.append(_run(module, function, call, values, (words, note)))
    return runs


def _outermost(module: PythonModule, call: ast.Call) -> ast.FunctionDef | None:
    """Return the function at the top of the file that a call stands in."""
    node: ast.AST = call
    while not isinstance(module.parents[node], ast.Module):
        node = module.parents[node]
    is_plain = isinstance(node, ast.FunctionDef) and not node.decorator_list
    return node if is_plain else None  # type: ignore[return-value]


def _bare(function: ast.FunctionDef) -> ast.Call:
    """Return a call without arguments, for a function that other files call."""
    return ast.Call(ast.Name(function.name, ast.Load()), [], [])


def _of_defaults(function: ast.FunctionDef, values: Mapping[str, ast.expr]) -> str:
    names = ", ".join(f"`{name}`" for name in values)
    verb = "is an argument" if len(values) == 1 else "are arguments"
    where = f"`{function.name}`, which this file does not call"
    return f"{names} {verb} of {where}: the defaults are taken"


def _callers(module: PythonModule, function: ast.FunctionDef) -> Iterator[ast.Call]:
    for node, name in module.calls():
        if name == function.name and _outermost(module, node) is not function:
            yield node


def _values(
    module: PythonModule, function: ast.FunctionDef, caller: ast.Call, check_call: CheckCall
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments that the file tells, by name."""
    given = _given(function, caller)
    # Names that it sets, and arguments of functions in it, are others than those of the call.
    inner = {node.arg for s in function.body for node in ast.walk(s) if isinstance(node, ast.arg)}
    changed = stored(function.body) | inner
    for name, node in given.items():
        if name in changed:
            continue
        try:
            yield name, Copier(module, check_call).copied(node)
        except Refused:
            # Rows, most of the time.
            continue


def _given(function: ast.FunctionDef, caller: ast.Call) -> Mapping[str, ast.expr]:
    """Return the arguments of a call by name, with the defaults of the others."""
    is_open = any(isinstance(a, ast.Starred) for a in caller.args)
    if is_open or any(word.arg is None for word in caller.keywords):
        return {}
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    defaults = arguments.defaults
    given: dict[str, ast.expr] = dict(
        zip(names[len(names) - len(defaults) :], defaults, strict=True)
    )
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            given[argument.arg] = default
    given |= dict(zip(names, caller.args, strict=False))
    return given | {str(word.arg): word.value for word in caller.keywords}


def _run(
    module: PythonModule,
    function: ast.FunctionDef,
    call: ast.Call,
    values: Mapping[str, ast.expr],
    texts: tuple[str, str],
) -> LoopRun:
    known: dict[int, object] = {}
    tree = copy.deepcopy(module.tree, known)
    own, inner = known[id(function)], known[id(call)]
    assert isinstance(own, ast.FunctionDef)  # noqa: S101 - a copy of the function
    assert isinstance(inner, ast.Call)  # noqa: S101 - a copy of the call
    own.body = put_values(values, own.body)
    return LoopRun(PythonModule(tree), inner, *texts)
