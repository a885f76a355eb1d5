from dataclasses import replace

import pytest
from tests.runs.test_progress import MOMENT

from tunesmith.study.pace import MAX_MARKS, Pace


def steady(n: int, each_s: float, start_s: float = 0.0) -> Pace:
    """So many evaluations, one after another, after a start of some seconds."""
    pace = Pace()
    pace.begin(100.0)
    for i in range(n):
        pace.count(1, 100.0 + start_s + (i + 1) * each_s)
    return pace


@pytest.mark.parametrize("n", [2, 3, 10, 3 * MAX_MARKS])
def test_a_steady_pace_is_found_and_the_start_forgotten(n: int) -> None:
    pace = steady(n, 0.5, start_s=3.0)
    now = 100.0 + 3.0 + n * 0.5
    assert pace.seconds_each(now, 1) == pytest.approx(0.5, rel=0.01)


def test_waiting_counts() -> None:
    assert (steady(4, 0.5).seconds_each(110.0, 1) or 0) > 2


def test_before_the_first_result_nothing_is_known() -> None:
    pace = Pace()
    assert pace.seconds_each(1.0, 2) is None
    pace.begin(0.0)
    assert pace.seconds_each(1.0, 2) is None


def test_evaluations_under_way_are_half_done() -> None:
    pace = Pace()
    pace.begin(0.0)
    pace.count(1, 1.0)
    assert pace.seconds_each(1.0, 2) == pytest.approx(0.5)


def test_the_time_to_go_counts_what_is_left_at_the_clocks_pace() -> None:
    # 30 trials of 5 folds, 25 + 25 of them known, at half a second each.
    assert MOMENT.eta_s() == (150 - 50) * 0.5
    # Extra candidates come free with another fit.
    assert replace(MOMENT, n_evaluated=1025, n_along=1000).eta_s() == (150 - 50) * 0.5
    assert replace(MOMENT, folds_per_trial=3.0).eta_s() == (90 - 50) * 0.5
    assert replace(MOMENT, n_before=10).eta_s() == (100 - 50) * 0.5
    assert replace(MOMENT, n_completed=30).eta_s() == 0
    assert replace(MOMENT, seconds_each=None).eta_s() is None
    assert replace(MOMENT, n_trials=None).eta_s() is None
