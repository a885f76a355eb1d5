from tunesmith.history import Trial
from tunesmith.objective.objective import Fit
from tunesmith.objective.plan import plan


def test_every_trial_needs_every_fold() -> None:
    trials = [Trial(4, {"a": 1}, "k1", "grid"), Trial(5, {"a": 2}, "k2", "grid")]
    found = [(item.number, item.fold, item.fit) for item in plan(trials, 2)]
    assert found == [
        (4, 0, Fit(0, ({"a": 1},))),
        (4, 1, Fit(1, ({"a": 1},))),
        (5, 0, Fit(0, ({"a": 2},))),
        (5, 1, Fit(1, ({"a": 2},))),
    ]


def test_what_is_known_is_left_out() -> None:
    trials = [Trial(0, {}, "k", "grid")]
    assert [item.fold for item in plan(trials, 3, known={(0, 1), (7, 0)})] == [0, 2]
    assert plan(trials, 2, known={(0, 0): 1, (0, 1): 1}) == []
