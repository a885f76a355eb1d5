import numpy as np
import pytest

from tunesmith.data.leaks.rows import likeness

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("is_classification", [True, False])
def test_targets_of_a_group_are_alike_by_more_than_chance(is_classification: bool) -> None:
    marks = RNG.integers(0, 100, size=400)
    of_group = RNG.integers(0, 2, size=100)[marks]
    by_chance = RNG.permutation(of_group)
    assert likeness(marks, of_group, is_classification=is_classification) == pytest.approx(1)
    assert abs(likeness(marks, by_chance, is_classification=is_classification)) < 0.15


def test_a_group_a_row_tells_nothing() -> None:
    assert likeness(np.arange(50), RNG.normal(size=50), is_classification=False) == 0
    assert likeness(np.full(50, -1), RNG.normal(size=50), is_classification=False) == 0
