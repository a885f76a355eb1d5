import math

from hypothesis import example, given
from hypothesis import strategies as st

from tunesmith.history import Metric
from tunesmith.reporting.drawing.scales import (
    category_axis,
    count_axis,
    linear_axis,
    log_axis,
    nice_ticks,
    score_axis,
    share,
)

numbers = st.floats(-1e12, 1e12, allow_subnormal=False)
positive = st.floats(1e-12, 1e12)


@given(numbers, numbers)
def test_linear_ticks_are_few_evenly_spaced_and_within(a: float, b: float) -> None:
    axis = linear_axis("x", min(a, b), max(a, b))
    ticks = [tick for tick, _ in axis.ticks]
    assert axis.low < axis.high
    assert 1 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))
    assert len({text for _, text in axis.ticks}) >= 1


@given(positive, positive)
@example(1e-12, math.nextafter(1e-12, 1))
def test_log_axes_hold_their_range(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    axis = log_axis("x", low, high)
    assert 0 < axis.low <= low <= high <= axis.high
    assert 1 <= len(axis.ticks) <= 12
    assert 0 <= share(axis, low) <= share(axis, high) <= 1


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30))
def test_any_scores_have_an_axis(scores: list[float]) -> None:
    axis = score_axis(scores, Metric("m"))
    assert math.isfinite(axis.low)
    assert axis.low < axis.high < math.inf


def test_steps_are_ones_twos_and_fives() -> None:
    assert nice_ticks(0, 7) == [0, 2, 4, 6]
    assert nice_ticks(0, 0.3) == [0, 0.1, 0.2, 0.3]
    assert nice_ticks(-1000, 1000) == [-1000, -500, 0, 500, 1000]


def test_of_many_categories_some_are_written() -> None:
    axis = category_axis("x", [str(i) for i in range(100)])
    assert (axis.low, axis.high) == (-0.5, 99.5)
    assert len(axis.ticks) <= 12


def test_trials_are_counted_in_whole_numbers() -> None:
    assert all(tick == int(tick) for tick, _ in count_axis("trial", 3).ticks)
