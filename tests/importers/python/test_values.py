import numpy as np
import pytest

from tunesmith.importers.python.values import choices, has_tuple, plain
from tunesmith.importers.refusal import Refused


def test_plain_values() -> None:
    assert plain(np.array([1.5, 2.0])) == [1.5, 2.0]
    assert plain(range(2)) == [0, 1]
    for value in (float("nan"), int, {1: 2}, 1j):
        with pytest.raises(Refused):
            plain(value)


def test_choices_are_told_apart_as_in_json() -> None:
    assert choices([1, 1.0, True, "1"], (1, 1)) == [1, 1.0, True, "1"]
    for values in ([], [1, 1], None):
        with pytest.raises(Refused):
            choices(values, (1, 1))
    assert has_tuple([(1,)])
    assert not has_tuple([[1]])
