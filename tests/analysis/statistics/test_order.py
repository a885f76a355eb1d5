import numpy as np

from tunesmith.analysis.statistics.order import order_matters


def test_neighbours_that_leak_are_seen() -> None:
    ordered = np.array([0.61, 0.58, 0.64, 0.60, 0.57])
    shuffled = np.array([[0.9, 0.91, 0.88, 0.92, 0.9]])
    assert order_matters(ordered, shuffled)
    assert not order_matters(shuffled[0], ordered[None])


def test_rows_without_an_order_seldom_alarm() -> None:
    rng = np.random.default_rng(0)
    alarms = [
        order_matters(rng.normal(0.7, 0.05, 5), rng.normal(0.7, 0.05, (repeats, 5)))
        for repeats in (1, 4)
        for _ in range(500)
    ]
    assert sum(alarms) <= 3


def test_scores_without_noise() -> None:
    same = np.full((1, 3), 0.5)
    assert not order_matters(same[0], same)
    assert order_matters(same[0], same + 0.1)
