"""Order of promotion: the front first, its ends before its middle."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.history import non_dominated
from tunesmith.study.promotion import front_numbers, promotion_order

GAINS = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.tuples(*[st.integers(0, 4)] * n), min_size=1, max_size=12)
)


@given(GAINS)
def test_no_trial_comes_before_one_that_dominates_it(rows: list[tuple[int, ...]]) -> None:
    gains = np.array(rows, dtype=float)
    order = promotion_order(gains)
    assert sorted(order) == list(range(len(rows)))
    for place, number in enumerate(order):
        later = gains[order[place:]]
        own = gains[number]
        beaten = (later >= own).all(axis=1) & (later > own).any(axis=1)
        assert not beaten.any()
    # The best trial of the first metric is always promoted.
    assert gains[order[0]][0] == gains[:, 0].max()


@given(GAINS, st.lists(st.floats(0.125, 4), min_size=4, max_size=4))
def test_a_weighted_sum_orders_each_front(
    rows: list[tuple[int, ...]], factors: list[float]
) -> None:
    gains = np.array(rows, dtype=float)
    weights = factors[: gains.shape[1]]
    order, fronts = promotion_order(gains, weights), front_numbers(gains)
    keys = [(fronts[number], -float(gains[number] @ np.array(weights))) for number in order]
    assert all(a[0] < b[0] or a[1] <= b[1] + 1e-9 for a, b in pairwise(keys))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=20))
def test_one_metric_sorts_by_itself_and_equals_by_their_number(values: list[int]) -> None:
    order = promotion_order(np.array(values, dtype=float).reshape(-1, 1))
    assert order == sorted(range(len(values)), key=lambda n: (-values[n], n))


def test_a_front_is_promoted_from_its_ends() -> None:
    x = np.linspace(0, 1, 9)
    gains = np.column_stack([x, 1 - x**2])
    first, second, *others = promotion_order(gains)
    assert (first, second) == (8, 0)
    assert non_dominated(gains).all()
    assert len(others) == 7


def test_nothing_is_ordered() -> None:
    assert promotion_order(np.empty((0, 2))) == []


def test_the_largest_numbers_have_an_order() -> None:
    gains = np.array([[1e308, -1e308], [0.0, 0.0], [-1e308, 1e308], [-1e308, -1e308]])
    assert promotion_order(gains) == [0, 2, 1, 3]


@pytest.mark.parametrize("value", [0.0, 1e308, -1e308])
def test_equal_trials_come_as_they_are(value: float) -> None:
    assert promotion_order(np.full((4, 2), value)) == [0, 1, 2, 3]
