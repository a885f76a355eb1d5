"""The table that a script reads, as far as it tells; the rest is left for you to name."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.constants import Constants
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Place, Refused, place_of
from tunesmith.importers.scikit.columns import READERS, ColumnReader, FittedColumns
from tunesmith.importers.scikit.estimator import resolved

HERE = ("objective", "data")
SAY = "say with `drop:` or `features:` which columns are meant"
REMOVED = {"load_boston": "1.2"}
"""Data sets that scikit-learn no longer has, and the version that took them out."""
Locate: TypeAlias = Callable[[Place], str]
"""Gives ``file:line`` of a place."""


def put_rows(draft: Draft, module: PythonModule, search: ast.Call, locate: Locate) -> None:
    """Set ``data``: the only table that the script reads, its columns, and a hold-out."""
    path, target = _table(module), _target(module)
    if path is None:
        draft.put((*HERE, "path"), "data.csv", _asked(module))
    else:
        note = "the only table that the script reads: see that `fit` gets it as it is"
        draft.put((*HERE, "path"), path, note)
    if target is None:
        draft.put((*HERE, "target"), "target", "name the column to predict")
    else:
        draft.put((*HERE, "target"), target, "the column that the script takes as `y`")
    put_columns(draft, module, search, locate)
    split = _split(module, search)
    if split is not None:
        _put_holdout(draft, module, split, locate)


def _asked(module: PythonModule) -> str:
    """Note on a table that stands in no file; data sets of scikit-learn are named."""
    names = [name for _, name in module.calls() if name.startswith("sklearn.datasets.")]
    loaders = {name.rpartition(".")[2] for name in names}
    if len(loaders) != 1:
        return "name the table that the script gives to `fit`"
    (loader,) = loaders
    if loader in REMOVED:
        return f"scikit-learn {REMOVED[loader]} removed `{loader}`: name a file with its table"
    return f"the script's rows come from `{loader}`: write them to a file, and name it"


def put_columns(draft: Draft, module: PythonModule, search: ast.Call, locate: Locate) -> None:
    """Set ``target``, ``features`` or ``drop``, ``groups`` and ``weights`` as ``fit`` has them."""
    fit = fit_arguments(module, search)
    if fit is None:
        where = locate(place_of(search))
        draft.note(HERE, f"no single `fit` of the search in {where} is found; {SAY}")
        return
    reader, data = ColumnReader(module), draft.content["objective"]["data"]
    keys = {"y": "target", "groups": "groups", "sample_weight": "weights"}
    for argument, node in fit.words.items():
        # Splits without groups take no notice of them.
        if argument in keys and (argument != "groups" or "groups" in data):
            _put_column(draft, reader, node, (argument, keys[argument]), locate)
        elif argument not in ("X", "groups"):
            where = locate(place_of(fit.call))
            draft.note(HERE, f"{where} gives `fit` a `{argument}`, which is not taken over")
    if "X" in fit.words:
        _put_features(draft, reader, fit.words["X"], locate)


def _put_column(
    draft: Draft, reader: ColumnReader, node: ast.expr, names: tuple[str, str], locate: Locate
) -> None:
    argument, key = names
    try:
        column = reader.column(node)
    except Refused as refused:
        where = locate(refused.place)
        draft.note(HERE, f"{where} builds `{argument}` by {refused}; name its column as `{key}:`")
        return
    draft.notes.pop((*HERE, key), None)
    draft.put((*HERE, key), column, f"the column that the script takes as `{argument}`")


def _is_known(draft: Draft, key: str) -> bool:
    """True if the script tells a column, and the draft does not ask for its name."""
    notes = draft.notes.get((*HERE, key), ())
    is_asked = any(note.startswith("name the column") for note in notes)
    return key in draft.content["objective"]["data"] and not is_asked


def _put_features(draft: Draft, reader: ColumnReader, node: ast.expr, locate: Locate) -> None:
    data = draft.content["objective"]["data"]
    try:
        columns = _columns(reader, node)
    except Refused as refused:
        draft.note(HERE, f"{locate(refused.place)} builds X by {refused}; {SAY}")
        return
    keys = [key for key in ("target", "groups", "weights") if _is_known(draft, key)]
    special = {str(data[key]) for key in keys}
    if columns.selected is None:
        given = special - set(columns.dropped)
        key, names = "drop", [name for name in columns.dropped if name not in special]
    else:
        given = special & set(columns.selected)
        key, names = "features", [name for name in columns.selected if name not in special]
    if names:
        note = f"as the script builds the X that {locate(place_of(node))} fits"
        draft.put((*HERE, key), names, note)
    for name in sorted(given):
        draft.note(
            HERE, f"{locate(place_of(node))} learns from `{name}`, too; here it is no feature"
        )


def _columns(reader: ColumnReader, node: ast.expr) -> FittedColumns:
    """Return the columns of a table; a single column is what transformers of text get."""
    try:
        return reader.columns(node)
    except Refused as refused:
        try:
            return FittedColumns([reader.column(node)])
        except Refused:
            raise refused from None


@dataclass
class FitArguments:
    """Arguments of the search's ``fit``."""

    call: ast.Call
    words: dict[str, ast.expr]


def fit_arguments(module: PythonModule, search: ast.Call) -> FitArguments | None:
    """Return the arguments of the only ``fit`` of a search; ``None`` if no such call is found."""
    calls = list(_fits(module, search))
    if len({ast.unparse(call) for call in calls}) != 1:
        return None
    call = calls[0]
    words = dict(zip(("X", "y"), call.args, strict=False))
    words |= {str(word.arg): word.value for word in call.keywords}
    return FitArguments(call, words)


def _fits(module: PythonModule, search: ast.Call) -> Iterator[ast.Call]:
    around = module.parents.get(search)
    name = around.targets[0] if isinstance(around, ast.Assign) else None
    for call, _ in module.calls():
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr == "fit":
            owner = func.value
            is_named = isinstance(owner, ast.Name) and isinstance(name, ast.Name)
            if owner is search or (is_named and ast.unparse(owner) == ast.unparse(name)):  # type: ignore[arg-type]
                yield call


def _table(module: PythonModule) -> str | None:
    paths = []
    for call, name in module.calls():
        if name in READERS and call.args:
            try:
                path = Constants(module).value(call.args[0])
            except Refused:
                return None
            is_plain = isinstance(path, str) and "://" not in path and not path.startswith("/")
            if not is_plain or any(word.arg in ("sep", "delimiter") for word in call.keywords):
                return None
            paths.append(path)
    return str(paths[0]) if len(set(paths)) == 1 else None


def _target(module: PythonModule) -> str | None:
    columns = set()
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1):
            continue
        name, value = node.targets[0], node.value
        if not (isinstance(name, ast.Name) and name.id in ("y", "target", "labels", "Y")):
            continue
        if isinstance(value, ast.Attribute) and value.attr == "values":
            value = value.value
        if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
            columns.add(value.slice.value)
        else:
            columns.add(None)
    column = columns.pop() if len(columns) == 1 else None
    return column if isinstance(column, str) else None


def _split(module: PythonModule, search: ast.Call) -> ast.Call | None:
    """Return the call of ``train_test_split`` whose first part is fitted."""
    splits = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and (module.dotted(node.value.func) or "").endswith("train_test_split")
    ]
    if len(splits) != 1 or not isinstance(splits[0].targets[0], ast.Tuple):
        return None
    first = splits[0].targets[0].elts[0]
    around = module.parents.get(search)
    name = around.targets[0] if isinstance(around, ast.Assign) else None
    for call, _ in module.calls():
        func = call.func
        is_fit = isinstance(func, ast.Attribute) and func.attr == "fit" and call.args
        if is_fit and isinstance(func, ast.Attribute) and isinstance(name, ast.Name):
            is_own = isinstance(func.value, ast.Name) and func.value.id == name.id
            if is_own and ast.unparse(call.args[0]) == ast.unparse(first):
                value = splits[0].value
                return value if isinstance(value, ast.Call) else None
    return None


def _put_holdout(draft: Draft, module: PythonModule, call: ast.Call, locate: Locate) -> None:
    words = {str(word.arg): word.value for word in call.keywords}
    try:
        size = Constants(module).value(words["test_size"]) if "test_size" in words else 0.25
        seed: Any = None
        if "random_state" in words:
            seed = Constants(module).value(words["random_state"])
    except Refused:
        size, seed = None, None
    if not isinstance(size, float) or set(words) - {"test_size", "random_state", "stratify"}:
        where = locate(place_of(call))
        draft.note(HERE, f"the split in {where} has no equal: all rows take part")
        return
    holdout = {"fraction": size, "seed": 0 if seed is None else seed, "shuffle": True}
    if "stratify" in words and not _is_none(module, words["stratify"]):
        holdout["stratify"] = True
    why = "" if seed is not None else "; the script draws other rows each time"
    place = locate(place_of(call))
    note = f"the rows that `train_test_split` in {place} keeps from the search{why}"
    draft.put((*HERE, "holdout"), holdout, note)


def _is_none(module: PythonModule, node: ast.expr) -> bool:
    try:
        value = resolved(module, node)
    except Refused:
        # Rows that only a run tells are not `None`.
        return False
    return isinstance(value, ast.Constant) and value.value is None
