"""Criteria that look at scores, with several metrics: a study goes on while its front moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.history import FoldResult, History, Metric, TrialLog
from tunesmith.search.criteria.scores import SETTLED, Convergence, Patience, TargetScore

METRICS = (Metric("recall"), Metric("cost", "minimize"))
Row = tuple[float, float]


def history(rows: list[Row], noise: float = 0.0) -> History:
    log = TrialLog(METRICS)
    for number, (recall, cost) in enumerate(rows):
        trial = log.ask({"n": number}, str(number), "test")
        spread = (-noise, 0.0, noise) if number % 2 else (noise, 0.0, -noise)
        scores = [{"recall": recall + s, "cost": cost + s} for s in spread]
        log.tell(trial.completed([FoldResult(fold, one) for fold, one in enumerate(scores)]))
    return log.view()


MOVING = [(0.9, 9.0), (0.8, 5.0), (0.7, 3.0), (0.6, 2.0), (0.5, 1.0)]
"""The first metric never improves, and every trial is new on the front."""
STILL = [(0.9, 9.0), (0.9, 9.0), (0.8, 9.0), (0.7, 9.5), (0.6, 10.0)]


def test_patience_counts_trials_that_do_not_move_the_front() -> None:
    assert Patience(3).is_spent(history(MOVING), 0.0) is None
    reason = Patience(3).is_spent(history(STILL), 0.0)
    assert reason == "no new trial on the Pareto front in 3 trials"


def test_an_equal_trial_moves_nothing() -> None:
    assert Patience(2).is_spent(history([(0.9, 1.0)] * 3), 0.0) is not None


def test_convergence_looks_at_every_metric() -> None:
    assert Convergence(window=3).is_spent(history(MOVING), 0.0) is None
    assert Convergence(window=3).is_spent(history(STILL), 0.0) is not None


def test_a_move_within_the_noise_of_the_folds_is_no_gain() -> None:
    near = [(0.9, 5.0), *((0.9 - k / 100, 5.0 - k / 100) for k in range(1, 5))]
    assert Convergence(window=3).is_spent(history(near, noise=0.5), 0.0) is not None
    assert Convergence(window=3).is_spent(history(near), 0.0) is None


def test_one_trial_must_reach_all_targets() -> None:
    target = TargetScore({"recall": 0.8, "cost": 2.0})
    assert target.is_spent(history(MOVING), 0.0) is None
    reached = history([*MOVING, (0.85, 1.5)])
    assert target.is_spent(reached, 0.0) == "a trial reached the targets recall 0.8, cost 2"
    assert TargetScore({"cost": 2.0}).is_spent(history(MOVING), 0.0) == "cost reached the target 2"


def test_a_target_for_the_first_metric_alone_waits_for_the_front() -> None:
    target = TargetScore(0.9)
    assert target.is_spent(history(MOVING), 0.0) is None
    still = history([*MOVING, *[(0.5, 9.0)] * SETTLED])
    assert target.is_spent(still, 0.0) == (
        "recall reached the target 0.9, and no new trial on the Pareto front in 10 trials"
    )


POINTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@given(POINTS)
def test_the_front_of_a_log_is_that_of_its_history(points: list[tuple[int, int]]) -> None:
    found = history([(float(a), float(b)) for a, b in points])
    for n in range(len(points) + 1):
        seen = History(found._log, n, n)
        front = {(t.mean("recall"), t.mean("cost")) for t in seen.front()}
        numbers = seen.front_at(n)
        assert {(t.mean("recall"), t.mean("cost")) for t in map(seen.__getitem__, numbers)} == front
        assert len(numbers) == len(front)
        best = seen.best()
        assert (best is None) == (n == 0)
        if best is not None:
            key = max((a, -b) for a, b in front)
            assert (best.mean("recall"), -best.mean("cost")) == key


@pytest.mark.parametrize("criterion", [Patience(2), Convergence(2), TargetScore({"cost": -1.0})])
def test_no_trial_ends_nothing(criterion: Patience) -> None:
    assert criterion.is_spent(history([]), 0.0) is None
