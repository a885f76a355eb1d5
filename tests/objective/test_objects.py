"""Values that JSON cannot hold, as tokens."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import SVC

from tunesmith.objective.objects import Objects
from tunesmith.space.parameter import canonical_json

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(PLAIN | st.tuples(PLAIN, PLAIN) | st.lists(PLAIN) | st.just(SVC()))
def test_every_value_comes_back(value: Any) -> None:
    objects = Objects()
    encoded = objects.encode(value)
    canonical_json(encoded)
    found = objects.decode(encoded)
    assert type(found) is type(value)
    assert found is value or found == value


def test_plain_values_are_themselves() -> None:
    for value in (None, True, 3, 0.5, "text"):
        assert Objects().encode(value) is value


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.int64(3), 3), (np.float64(0.5), 0.5), (np.bool_(True), True), (np.str_("a"), "a")],
)
def test_numpys_values_are_the_plain_ones(value: Any, plain: Any) -> None:
    encoded = Objects().encode(value)
    assert encoded == plain
    assert type(encoded) is type(plain)


def test_numbers_that_json_lacks_are_objects() -> None:
    objects = Objects()
    assert np.isnan(objects.decode(objects.encode(float("nan"))))
    narrow = np.float32(0.1)
    assert objects.decode(objects.encode(narrow)) is narrow


def test_equal_content_has_one_token_and_other_content_another() -> None:
    objects = Objects()
    assert objects.encode(SVC(C=2)) == objects.encode(SVC(C=2)) != objects.encode(SVC(C=3))


def test_tokens_are_the_same_in_every_process() -> None:
    code = (
        "from sklearn.svm import SVC; from tunesmith.objective.objects import Objects;"
        "print(Objects().encode((SVC(C=2), 'a', 1.5))['digest'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == Objects().encode((SVC(C=2), "a", 1.5))["digest"]  # type: ignore[index, call-overload]


def test_they_travel() -> None:
    objects = Objects()
    params = {"clf": objects.encode(SVC(C=2)), "C": 1}
    again = pickle.loads(pickle.dumps(objects))
    assert repr(again.decoded(params)) == repr({"clf": SVC(C=2), "C": 1})


def test_what_has_no_content_is_noted() -> None:
    objects = Objects()
    values = (value for value in [1])
    assert objects.decode(objects.encode(values)) is values
    assert len(objects.contents.doubts) == 1


def test_code_is_known_by_its_content() -> None:
    objects = Objects()
    first, same, other = (objects.encode(f) for f in (lambda: 1, lambda: 1, lambda: 2))
    assert first["digest"] == same["digest"] != other["digest"]  # type: ignore[index, call-overload]
    assert not objects.contents.doubts


def test_a_token_names_no_address() -> None:
    def kernel() -> None: ...

    class Own:
        def __repr__(self) -> str:
            return f"Own[{object.__repr__(self)}, {hex(id(self))}]"

    for value in (kernel, lambda: 1, Own(), object(), [object()]):
        token = Objects().encode(value)
        assert isinstance(token, dict)
        assert "0x" not in str(token["object"])
    objects = Objects()
    first, second = (objects.encode(value) for value in (lambda: 1, lambda: 2))
    assert first != second
    assert objects.decode(first)() == 1
