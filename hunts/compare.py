"""Runs a case both ways and says what differs."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import model_selection as theirs
from sklearn.base import BaseEstimator
from sklearn.utils import validation

from hunts.case import Case, namespace
from hunts.witness import witnessing
from tunesmith import sklearn as ours

KNOWN = namespace()
NAN, INFINITE = "nan", ("inf", "-inf")
"""A score that is not finite is a failed fold to Tunesmith, and never ranks first."""
ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
# Looked up some thousand times a search, the same each time: half of the time of tiny fits.
_names: Any = cache(BaseEstimator._get_param_names.__func__)
BaseEstimator._get_param_names = classmethod(_names)
# Versions before 1.9 have no such look.
if _is_frame := getattr(validation, "_nw_into_df_or_series", None):
    validation._nw_into_df_or_series = lambda x: type(x) is not np.ndarray and _is_frame(x)


@dataclass(frozen=True)
class Found:
    """What a search gave."""

    columns: dict[str, list[str]] = field(default_factory=dict)
    """Of ``cv_results_``, each value as the text that tells all its bits."""
    error: str = ""
    """The class of what it raised."""
    message: str = ""


@dataclass(frozen=True)
class Verdict:
    """A case that was run both ways."""

    case: Case
    expected: Found
    actual: Found
    n_shared: int
    """Scores that came of a fit, or of first steps, made for another candidate."""
    difference: str
    """The first column that differs, with both contents; empty where all is the same."""


N_AGAIN = 5
"""Number of times that scikit-learn's own search must repeat before a difference counts."""


def judge(case: Case) -> Verdict:
    """Run a case both ways.

    Where scikit-learn's own search does not repeat (random numbers without a seed), nothing can be
    compared.
    """
    code = compile(case.call("search"), "<search>", "eval")
    setup = compile(case.setup, "<data>", "exec")
    before = _global_numbers()
    expected = _found(theirs, setup, code)
    is_random = before != _global_numbers()
    with witnessing() as witness:
        actual = _found(ours, setup, code)
    differs = "" if is_random else difference(expected, actual)
    # A few times: fits that read uninitialised memory (trees by the absolute error with negative
    # weights do) may repeat once by luck.
    if differs and any(difference(expected, _found(theirs, setup, code)) for _ in range(N_AGAIN)):
        differs = ""
    return Verdict(case, expected, actual, witness.n_shared, differs)


def _global_numbers() -> bytes:
    """Where NumPy's global random numbers stand, of which fits without a seed draw."""
    state: Any = np.random.get_state()
    return bytes(state[1].tobytes()) + bytes([state[2] % 251])


def _found(place: Any, setup: Any, code: Any) -> Found:
    names = {**KNOWN, "search": place}
    try:
        with quiet():
            exec(setup, names)  # noqa: S102 - the programs are ours
            search = eval(code, names)  # noqa: S307
    except Exception as error:  # noqa: BLE001 - both must fail alike
        return Found(error=type(error).__name__, message=str(error)[:600])
    columns = {
        name: [ADDRESS.sub("", repr(v)) for v in (column if name == "params" else column.tolist())]
        for name, column in search.cv_results_.items()
        if not name.endswith("_time")
    }
    return Found(columns | {"best": [repr(getattr(search, "best_index_", None))]})


def difference(expected: Found, actual: Found) -> str:
    """The first difference, in words."""
    if expected.error or actual.error:
        if expected.error == actual.error:
            return ""
        return f"expected {_shown(expected)}\n  actual   {_shown(actual)}"
    splits = [name for name in expected.columns | actual.columns if name.startswith("split")]
    found = {name: expected.columns.get(name, []) for name in splits}
    for name in splits:
        wanted = [NAN if score in INFINITE else score for score in found[name]]
        if wanted != actual.columns.get(name):
            return f"{name}\n  expected {wanted}\n  actual   {actual.columns.get(name)}"
    if any(score in INFINITE for scores in found.values() for score in scores):
        return ""  # means and ranks follow
    for name in expected.columns.keys() | actual.columns.keys():
        pair = expected.columns.get(name), actual.columns.get(name)
        if pair[0] != pair[1]:
            return f"{name}\n  expected {pair[0]}\n  actual   {pair[1]}"
    return ""


def _shown(found: Found) -> str:
    return f"{found.error}: {' '.join(found.message.split())[:200]}" if found.error else "scores"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what fits print and warn of from the screen, also where C prints it."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        with Path(os.devnull).open("w") as nowhere, warnings.catch_warnings():
            for number in kept:
                os.dup2(nowhere.fileno(), number)
            warnings.simplefilter("ignore")
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
