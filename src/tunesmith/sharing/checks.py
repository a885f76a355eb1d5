"""Checks of a sharing method, which must pass before its scores count.

The claim of a family is not enough: the first shared fit of a *kind* (a sharing method, in these
versions, for these parameters and this kind of data) is compared with fresh fits. Predictions are
compared bit by bit: those of all candidates on a small part of the rows, and those of one
candidate, drawn by a seed, on all rows. A pass is remembered in the ledger, so it is paid for once.
"""

import inspect
import json
import platform
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tunesmith import registry
from tunesmith.data.slices import Slices, own
from tunesmith.sharing.builder import Builder
from tunesmith.sharing.proved import installed, set_params
from tunesmith.system.fingerprint import digest
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Params

N_SMALL = 100
"""Number of training rows of a small part; it has at most half as many test rows."""
SMALL_S = 0.5
"""CPU seconds within which fresh fits of a small part begin, one after the other."""
ASKED = ("predict_proba", "decision_function", "predict", "transform")
PACKAGES = ("tunesmith", "sklearn", "numpy", "scipy", "xgboost", "lightgbm", "catboost")
BY_EACH_OTHER = (*ASKED, "kneighbors")
"""Methods by which others of the same estimator answer."""
MAX_CLASSES = 50


# -- comparing -----------------------------------------------------------------------------------


def answers(model: Any, X: Any) -> dict[str, Any]:
    """Collect all answers of a fitted model for some rows by method; an error is an answer, too."""
    by_method: dict[str, Any] = {}
    for name in ASKED:
        if hasattr(model, name):
            try:
                by_method[name] = getattr(model, name)(X)
            except Exception as error:  # noqa: BLE001 - the comparison is by kind of error
                by_method[name] = type(error).__name__
    return by_method


def ask_once(model: Any, X: Any) -> None:
    """Let a fitted model compute each of its answers for some rows once.

    ``predict`` of many estimators calls ``predict_proba``, which has been asked just before.
    Nearest neighbours would be looked up twice, which takes most of the time of their fits.

    Args:
        model: of nobody else; its methods are replaced.
        X: the rows.
    """
    for name in BY_EACH_OTHER:
        # A class may forbid attributes that it does not name; then everything is computed again.
        with suppress(AttributeError):
            setattr(model, name, _once(getattr(model, name), X))


def _once(method: Callable[..., Any], X: Any) -> Callable[..., Any]:
    kept: dict[str, Any] = {}

    def ask(*given: Any, **named: Any) -> Any:
        # LightGBM names its rows when it calls itself.
        first, *others = given or (named.get("X"),)
        rest = [*others, *((name, named[name]) for name in sorted(named) if name != "X")]
        key = repr(rest)
        # The text of an array may leave out some of its numbers.
        if first is not X or "array" in key:
            return method(*given, **named)
        if key not in kept:
            kept[key] = method(*given, **named)
        # A copy: the caller may write into it.
        return own(kept[key])

    return ask


def are_same(one: Any, other: Any) -> bool:
    """True if two answers have the same type, the same shape and the same bits."""
    # Equality alone would let 1 pass for 1.0.
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(are_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(are_same, one, other))
    if hasattr(one, "tocsr"):
        return are_same(_sparse_parts(one), _sparse_parts(other))
    if isinstance(one, pd.DataFrame | pd.Series):
        # `equals` compares labels and types, but not every bit of the values.
        return bool(one.equals(other)) and are_same(one.to_numpy(), other.to_numpy())
    if isinstance(one, np.ndarray):
        return _are_same_arrays(one, other)
    return bool(one == other) or repr(one) == repr(other)


def _are_same_arrays(one: np.ndarray, other: np.ndarray) -> bool:
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    # Bytes of objects are addresses, which differ for equal content.
    if one.dtype.hasobject:
        return bool(one.tolist() == other.tolist())
    # Bytes, so that equal NaN are the same and -0.0 differs from 0.0.
    return np.ascontiguousarray(one).tobytes() == np.ascontiguousarray(other).tobytes()


def _sparse_parts(matrix: Any) -> list[Any]:
    plain = matrix.tocsr()
    return [matrix.shape, plain.data, plain.indices, plain.indptr]


# -- kinds ---------------------------------------------------------------------------------------


@dataclass(eq=False)
class Kinds:
    """Tells the kind of sharing of a fit.

    Args:
        builder: params -> estimators.
        fit_names: names of the arguments of ``fit`` besides X and y.
    """

    builder: Builder
    fit_names: Collection[str] = ()

    def __post_init__(self) -> None:
        self._fixed: dict[str, tuple[list[str], list[str]]] = {}
        self._data: dict[int, str] = {}
        self._code: dict[str, str] = {}
        self._found: dict[object, str] = {}

    def of(self, way: str, params: Params, fold: int, rows: Slices) -> str:
        """Describe the kind of sharing as JSON.

        Args:
            way: the sharing method.
            params: of a candidate.
            fold: number of the fold.
            rows: of the fold.
        """
        choice = self.builder.choice_of(params)
        key = (way, choice, tuple(params), fold)
        if key not in self._found:
            self._found[key] = self._of(way, choice, params, fold, rows)
        return self._found[key]

    def _of(self, way: str, choice: str, params: Params, fold: int, rows: Slices) -> str:
        if way not in self._code:
            self._code[way] = code_of(way)
        if choice not in self._fixed:
            self._fixed[choice] = _classes_and_names(self.builder.prototype(choice).estimator)
        classes, names = self._fixed[choice]
        if fold not in self._data:
            self._data[fold] = kind_of_data(rows)
        content = {
            "way": way,
            "code": self._code[way],
            "estimators": classes,
            "parameters": sorted({*names, *params}),
            "fit": sorted(self.fit_names),
            "data": self._data[fold],
            "versions": versions_now(),
        }
        return json.dumps(content, sort_keys=True)


def _classes_and_names(estimator: Any) -> tuple[list[str], list[str]]:
    """Classes of an estimator and its parts, and names of the parameters that are set."""
    deep = {"": estimator}
    deep |= {n: v for n, v in estimator.get_params(deep=True).items() if hasattr(v, "get_params")}
    names = [f"{owner}__{n}" if owner else n for owner, v in deep.items() for n in set_params(v)]
    classes = {f"{type(part).__module__}.{type(part).__qualname__}" for part in deep.values()}
    return sorted(classes), sorted(names)


def versions_now() -> dict[str, str]:
    """Versions of the packages and the machine, on which the bits of scores depend."""
    versions = {name: installed(name) for name in PACKAGES}
    there = {name: text for name, text in versions.items() if text is not None}
    return {**there, "python": platform.python_version(), "machine": platform.machine()}


def code_of(way: str) -> str:
    """Digest of the code of a sharing method's family: changed code must be checked again."""
    for group in ("submodels", "subtransformers"):
        for name in registry.names(group):
            family = registry.load(group, name)
            if family.__name__ == way:
                return digest([_code(getattr(family, n)) for n in sorted(dir(family))])
    return ""


def _code(part: Any) -> list[Any]:
    code = part if inspect.iscode(part) else getattr(part, "__code__", None)
    if not inspect.iscode(code):
        return []
    # Nested functions are digested in turn: the `repr` of their code holds an address.
    consts = [_code(one) if inspect.iscode(one) else repr(one) for one in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), consts]


def kind_of_data(rows: Slices) -> str:
    """Describe the types, the size and the oddities of rows."""
    X, y = rows.X_train, rows.y_train
    # The order of magnitude is enough: a library may change its algorithm with the size, but one
    # more row must not cost a new check.
    size = len(str(n_rows_of(X)))
    return f"{_kind_of(X)}, {_kind_of(y)}, target {_target(y)}, about 1e{size} rows"


def _kind_of(part: Any) -> str:
    is_frame = isinstance(part, pd.DataFrame)
    dtype = sorted(set(map(str, part.dtypes))) if is_frame else getattr(part, "dtype", "")
    missing = " with gaps" if _has_gaps(part) else ""
    return f"{type(part).__name__} of {dtype}{missing}"


def _has_gaps(part: Any) -> bool:
    if hasattr(part, "tocsr"):
        return False
    try:
        gaps = pd.isna(part)
        return bool(gaps.to_numpy().any() if hasattr(part, "columns") else gaps.any())
    except (AttributeError, TypeError, ValueError):
        return False


def _target(y: Any) -> str:
    from sklearn.utils.multiclass import type_of_target

    try:
        return str(type_of_target(y))
    except Exception:  # noqa: BLE001 - the estimator will say what is wrong
        return "unknown"


def n_rows_of(X: Any) -> int:
    """Count the rows."""
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)


# -- a small part of the rows --------------------------------------------------------------------


def small_part(rows: Slices, n: int = N_SMALL) -> Slices:
    """Select some rows of a fold, with all classes of a target that has few.

    Args:
        rows: of a fold.
        n: training rows; half as many test rows.
    """
    train = _chosen(rows.y_train, n_rows_of(rows.X_train), n)
    test = _chosen(rows.y_test, n_rows_of(rows.X_test), n // 2)
    fit_params = {
        name: _taken(value, train) if name == "sample_weight" else value
        for name, value in rows.fit_params.items()
    }
    return Slices(
        _taken(rows.X_train, train),
        _taken(rows.y_train, train),
        _taken(rows.X_test, test),
        _taken(rows.y_test, test),
        fit_params,
    )


def _taken(part: Any, rows: np.ndarray) -> Any:
    from sklearn.utils import _safe_indexing

    return None if part is None else _safe_indexing(part, rows)


def _chosen(y: Any, n_rows: int, n: int) -> np.ndarray:
    """Indices of rows, rising: of each class its share, and at least two."""
    if n_rows <= n:
        return np.arange(n_rows)
    groups = [np.arange(n_rows)]
    try:
        plain = np.asarray(y)
        names, members = np.unique(plain, return_inverse=True) if plain.ndim == 1 else ((), ())
        if 1 < len(names) <= MAX_CLASSES:
            groups = [np.flatnonzero(members == place) for place in range(len(names))]
    except TypeError:  # what cannot be sorted has no classes
        pass
    # Two: estimators that split their rows again refuse a class with one member.
    chosen = [_spread(group, max(2, round(n * len(group) / n_rows))) for group in groups]
    return np.sort(np.concatenate(chosen))


def _spread(rows: np.ndarray, n: int) -> np.ndarray:
    places = np.linspace(0, len(rows) - 1, min(n, len(rows))).astype(int)
    spread: np.ndarray = rows[np.unique(places)]
    return spread


def copied(rows: Slices) -> Slices:
    """Copy the rows for one more fit."""
    X_train, y_train, X_test, y_test = map(
        own, (rows.X_train, rows.y_train, rows.X_test, rows.y_test)
    )
    fit_params = {name: own(value) for name, value in rows.fit_params.items()}
    return Slices(X_train, y_train, X_test, y_test, fit_params)


# -- fresh fits ----------------------------------------------------------------------------------


def fresh_answers(builder: Builder, params: Params, rows: Slices) -> dict[str, Any]:
    """Answers for the test rows of a fit that shares nothing.

    Args:
        builder: params -> estimators.
        params: of the candidate.
        rows: for this fit alone.

    Raises:
        Exception: whatever the estimator raises.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = builder.build(params)
        estimator.fit(rows.X_train, rows.y_train, **builder.fit_params(params, rows.fit_params))
        ask_once(estimator, rows.X_test)
        return answers(estimator, rows.X_test)


def small_agree(
    builder: Builder,
    small: Slices,
    models: Iterator[tuple[Params, Any]],
    X_test: Any,
    seconds: float,
) -> bool | None:
    """True if submodels of a small part answer as fresh fits of it do.

    Args:
        builder: params -> estimators.
        small: from ``small_part``.
        models: (candidate, submodel), each valid until the next one is taken.
        X_test: the test rows for which the submodels have their answers ready.
        seconds: of CPU, within which fresh fits begin; the first one always does.

    Returns:
        ``None`` if no candidate could be compared, since all fail on so few rows.
    """
    # CPU time, not time on the clock: on a busy machine as many candidates are compared.
    began, n_compared = time.process_time(), 0
    for params, model in models:
        if n_compared and time.process_time() - began > seconds:
            break
        try:
            expected = fresh_answers(builder, params, copied(small))
        except BaseException as error:
            # Too few rows for this candidate; another one may be compared.
            if is_ours(error):
                raise
            continue
        if not are_same(answers(model, X_test), expected):
            return False
        n_compared += 1
    return True if n_compared else None


def drawn(kind: str, fold: int, n: int) -> int:
    """Draw the candidate, of ``n``, that is compared at full size; return its place."""
    # A digest instead of a generator: every process draws the same one, in any order.
    return int(digest([kind, fold, n])[:8], 16) % n
