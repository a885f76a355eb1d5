"""A digest holds all of a value, and is joblib's for values without loaded code."""

import collections
import datetime
import threading
import zoneinfo
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from tunesmith.objective.identity.hashing import hash_of


class Marked(np.ndarray):
    """An array with an attribute."""

    mark: int


def marked(mark: int, dtype: type = float) -> Any:
    array = np.ones(2, dtype=dtype).view(Marked)
    array.mark = mark
    return array


class Plain:
    """An object whose attributes were set in some order."""

    def __init__(self, **named: Any) -> None:
        for name, value in named.items():
            setattr(self, name, value)


AUTUMN = datetime.datetime(2020, 10, 25, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
DIFFERENT = {
    "the order of a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "of one within": ([{"q": {"a": 1, "b": 2}}], [{"q": {"b": 2, "a": 1}}]),
    "of an ordered dict": tuple(
        collections.OrderedDict(items) for items in ([(1, 2), (3, 4)], [(3, 4), (1, 2)])
    ),
    "keys that cannot be sorted and hash alike": ({-1: 0, "a": 1}, {-2: 0, "a": 1}),
    "an attribute of an array": (marked(1), marked(2)),
    "of an array of objects": (marked(1, object), marked(2, object)),
    "the mask of an array": (
        np.ma.array([1, 2], mask=[False, True]),
        np.ma.array([1, 2], mask=[True, False]),
    ),
    "the second hour at the end of summer": (AUTUMN, AUTUMN.replace(fold=1)),
    "an argument of a step": tuple(
        make_pipeline(FunctionTransformer(kw_args=kw), SVC())
        for kw in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    ),
}
ALIKE = {
    "a dict in order": {"a": [1, {"b": 2.0, "c": None}], "d": (np.arange(3), {1, 2})},
    "an estimator": make_pipeline(SVC(C=2, gamma="auto", class_weight={0: 1, 1: 2})),
    "rows": (np.arange(6).reshape(2, 3).T, np.array(["a", "b"], dtype=object)),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_all_of_a_value_counts(what: str) -> None:
    first, second = DIFFERENT[what]
    assert hash_of(first) != hash_of(second)


def test_the_order_of_attributes_does_not() -> None:
    assert hash_of(Plain(a=1, b=2)) == hash_of(Plain(b=2, a=1)) != hash_of(Plain(a=2, b=1))


@pytest.mark.parametrize("what", ALIKE)
def test_ledgers_from_before_know_their_values(what: str) -> None:
    assert hash_of(ALIKE[what]) == joblib.hash(ALIKE[what])


@pytest.mark.parametrize("value", [{"a": {"b": Plain(held=threading.Lock())}}, [marked(1)]])
def test_what_has_no_content_within_a_dict_is_not_left_out(value: Any) -> None:
    if isinstance(value, list):
        value[0].mark = threading.Lock()
    with pytest.raises(TypeError, match="pickle"):
        hash_of(value)
