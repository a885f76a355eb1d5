"""The ``cv`` of a scikit-learn search as a section of the configuration."""

import ast
from typing import Any

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.constants import Constants, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.estimator import resolved

HERE = ("objective", "cv")
SPLITTERS = {
    "KFold": "kfold",
    "StratifiedKFold": "stratified",
    "GroupKFold": "group",
    "StratifiedGroupKFold": "stratified_group",
    "TimeSeriesSplit": "time_series",
    "ShuffleSplit": "shuffle_split",
    "StratifiedShuffleSplit": "stratified_shuffle_split",
    "RepeatedKFold": "kfold",
    "RepeatedStratifiedKFold": "stratified",
    "LeaveOneGroupOut": "leave_one_group_out",
}
KEYS = {
    "n_splits": "folds",
    "shuffle": "shuffle",
    "random_state": "seed",
    "test_size": "test_fraction",
    "gap": "gap",
    "n_repeats": "repeats",
}
POSITIONS = {
    "KFold": ("n_splits",),
    "StratifiedKFold": ("n_splits",),
    "GroupKFold": ("n_splits",),
    "StratifiedGroupKFold": ("n_splits",),
    "TimeSeriesSplit": ("n_splits",),
    "ShuffleSplit": ("n_splits",),
    "StratifiedShuffleSplit": ("n_splits",),
}
OTHER_FOLDS = "the script draws other folds each time; here their seed is 0"
UNREAD = ("n_splits", "n_repeats", "random_state")
"""Arguments that you can set yourself if the script does not tell them."""
AS_THEY_ARE = ("LeaveOneOut", "LeavePOut")
"""Splitters that have no method of their own."""
RANDOM = ("ShuffleSplit", "StratifiedShuffleSplit", "RepeatedKFold", "RepeatedStratifiedKFold")
GROUPED = ("group", "stratified_group", "leave_one_group_out")


def put_folds(draft: Draft, module: PythonModule, node: ast.expr | None) -> None:
    """Set ``cv``.

    Raises:
        Refused: the splits have no equal.
    """
    if node is None:
        draft.put(HERE, 5, "the script names no `cv`: scikit-learn's own default is 5 folds")
        return
    try:
        made = resolved(module, node)
        if not isinstance(made, ast.Call):
            Constants(module).value(node)
    except Refused:
        note = f"the script's `cv` is `{source(node)}`, which only a run tells: set it here"
        draft.put(HERE, 5, note)
        return
    if isinstance(made, ast.Call):
        name = (module.dotted(made.func) or "").rpartition(".")[2]
        if name in SPLITTERS:
            _put_either(draft, module, made, name)
            return
        if name in AS_THEY_ARE:
            _put_as_it_is(draft, module, made, name)
            return
        raise Refused(f"the splits of `{source(made)}` have no equal.", made)
    number = Constants(module).value(node)
    if number is None:
        put_folds(draft, module, None)
    elif isinstance(number, int) and not isinstance(number, bool) and number >= 2:
        draft.put(HERE, number)
    else:
        raise Refused(f"`cv={source(node)}` has no equal.", node)


def _put_either(draft: Draft, module: PythonModule, call: ast.Call, name: str) -> None:
    """Set the method that equals a splitter, or name the splitter if an argument has no equal."""
    try:
        _put_splitter(draft, module, call, name)
    except Refused as refused:
        if SPLITTERS[name] in GROUPED:
            # A column of groups belongs to a method, not to a splitter of your own.
            raise
        try:
            _put_as_it_is(draft, module, call, name)
        except Refused:
            raise refused from None


def _put_as_it_is(draft: Draft, module: PythonModule, call: ast.Call, name: str) -> None:
    """Name a splitter of scikit-learn with its arguments.

    Raises:
        Refused: they are not constant, or scikit-learn does not take them.
    """
    from inspect import signature

    from sklearn import model_selection

    kind = getattr(model_selection, name)
    words = by_name(call, tuple(signature(kind).parameters))
    params = {key: Constants(module).value(value) for key, value in words.items()}
    is_random = name in RANDOM or params.get("shuffle")
    if is_random and params.get("random_state") is None:
        params["random_state"] = 0
        draft.note(HERE, OTHER_FOLDS)
    try:
        kind(**params)
    except (TypeError, ValueError) as error:
        raise Refused(f"scikit-learn does not take it today: {error}.", call) from None
    section: dict[str, Any] = {"splitter": f"sklearn.model_selection.{name}"}
    draft.put(HERE, section | ({"params": params} if params else {}))


def _put_splitter(draft: Draft, module: PythonModule, call: ast.Call, name: str) -> None:
    given = dict(zip(POSITIONS.get(name, ()), call.args, strict=False))
    if len(call.args) > len(given):
        raise Refused(f"the arguments of `{source(call)}` must be named.", call)
    given |= {str(word.arg): word.value for word in call.keywords}
    section: dict[str, Any] = {"method": SPLITTERS[name]}
    for key, node in given.items():
        try:
            value = Constants(module).value(node)
        except Refused:
            if key not in UNREAD:
                raise
            note = f"the script's `{key}` is `{source(node)}`, which only a run tells: set it here"
            draft.note(HERE, note)
            continue
        if key not in KEYS:
            if value is None:
                continue
            raise Refused(f"`{key}` of `{name}` has no equal.", given[key])
        if value is not None:
            section[KEYS[key]] = value
    _adjust(draft, section, name, call)
    draft.put(HERE, section)


def _adjust(draft: Draft, section: dict[str, Any], name: str, call: ast.Call) -> None:
    method = section["method"]
    if name.startswith("Repeated"):
        section.setdefault("repeats", 10)
        section["shuffle"] = True
    if "ShuffleSplit" in name:
        section.setdefault("folds", 10)
        section.setdefault("test_fraction", 0.1)
        if not isinstance(section["test_fraction"], float):
            raise Refused("`test_size` as a number of rows has no equal.", call)
    elif "test_fraction" in section:
        raise Refused(f"`test_size` of `{name}` has no equal.", call)
    is_random = section.get("shuffle") or "ShuffleSplit" in name
    if not is_random:
        section.pop("shuffle", None)
        # Without a shuffle, the seed means nothing.
        section.pop("seed", None)
    elif "seed" not in section:
        draft.note(HERE, OTHER_FOLDS)
    if method in GROUPED:
        draft.put(
            ("objective", "data", "groups"),
            "group",
            "name the column that the script gives to `fit(…, groups=…)`",
        )
