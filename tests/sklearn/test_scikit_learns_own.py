"""scikit-learn's own tests of its searches, run on ours.

The installed ``sklearn/model_selection/tests/test_search.py`` is imported with our classes in the
places of theirs. What differs is listed, each with its reason.
"""

import importlib
import sys
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from typing import Any

import pytest
import sklearn.model_selection

from tunesmith import sklearn as ours

THEIRS = "sklearn.model_selection.tests.test_search"
DIFFERENCES = {
    "test_custom_run_search": "wants every attribute of ours on scikit-learn's base class, too;"
    " `n_fits_`, `n_reused_` and `stopped_by_` are not there",
}
"""Test -> why it fails."""


@contextmanager
def substituted() -> Iterator[None]:
    """Our classes in scikit-learn's namespace."""
    names = ("GridSearchCV", "RandomizedSearchCV")
    before = {name: getattr(sklearn.model_selection, name) for name in names}
    for name in names:
        setattr(sklearn.model_selection, name, getattr(ours, name))
    try:
        yield
    finally:
        for name, cls in before.items():
            setattr(sklearn.model_selection, name, cls)


def imported() -> Any:
    """Their tests, made anew."""
    sys.modules.pop(THEIRS, None)
    with substituted():
        return importlib.import_module(THEIRS)


def taken_over(test: Any) -> Any:
    """One of their tests, in a form that our stricter settings collect."""
    marks = [listed(mark) for mark in getattr(test, "pytestmark", ())]
    test.pytestmark = [*marks, pytest.mark.filterwarnings("default").mark]
    reason = DIFFERENCES.get(test.__name__)
    return pytest.mark.xfail(reason=reason, strict=True)(test) if reason else test


def listed(mark: pytest.Mark) -> pytest.Mark:
    """The mark with a list in the place of a generator, which a coming pytest will refuse."""
    if mark.name != "parametrize" or isinstance(mark.args[1], Sized):
        return mark
    names, values = mark.args
    return pytest.mark.parametrize(names, list(values), **mark.kwargs).mark


module = imported()
globals().update({n: taken_over(t) for n, t in vars(module).items() if n.startswith("test_")})
