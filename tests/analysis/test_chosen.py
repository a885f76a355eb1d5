"""The quick choice of the usual rules is that of the statistics."""

import numpy as np
import pytest

from tunesmith.analysis.chosen import chosen_trial
from tunesmith.analysis.decision import best_by_statistics
from tunesmith.testing.records import make_record


@pytest.mark.parametrize("seed", range(5))
def test_both_ways_choose_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = [{"max_depth": depth} for depth in range(8)]
    # Few values, so that trials are equal, and order and further metrics decide.
    scores = rng.integers(0, 3, size=(8, 3)).astype(float).tolist()
    record = make_record(points, scores)
    quick = chosen_trial(record.history, record.recorded, record.metrics)
    slow = best_by_statistics(record.history, record.recorded, record.metrics)
    assert quick is not None
    assert slow is not None
    assert quick.number == slow.number


def test_without_trials_nothing_is_chosen() -> None:
    record = make_record([])
    for choose in (chosen_trial, best_by_statistics):
        assert choose(record.history, record.recorded, record.metrics) is None
