from typing import Any

import pytest

from tunesmith.analysis.near_equal import MAX_GROUPS, near_equal
from tunesmith.analysis.ranking import ranked
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.testing.records import make_record

SPACE = {
    "boxes": [
        {
            "rate": {"float": [0.001, 1.0], "log": True},
            "depth": {"int": [1, 11]},
            "mode": ["a", "b"],
        }
    ],
    "constraints": [],
}


def groups(points: list[dict[str, Any]], space: Any = SPACE) -> dict[int, tuple[int, ...]]:
    """Groups of trials of which each is worse than the one before."""
    record = make_record(points, [[1 - n / 1000] * 2 for n in range(len(points))])
    return near_equal(ranked(record.history, record.metrics), RecordedSpace.of(space))


def test_trials_join_the_best_one_that_is_near() -> None:
    first = {"rate": 0.1, "depth": 5, "mode": "a"}
    others = [
        {"rate": 0.15, "depth": 6, "mode": "a"},
        # A tenth of a range on a logarithmic scale is a factor of 2 here.
        {"rate": 0.3, "depth": 5, "mode": "a"},
        {"rate": 0.1, "depth": 7, "mode": "a"},
        {"rate": 0.1, "depth": 5, "mode": "b"},
        {"rate": 0.06, "depth": 4, "mode": "a"},
        {"rate": 0.1, "depth": 8, "mode": "a"},
    ]
    assert groups([first, *others]) == {0: (1, 5), 2: (), 3: (6,), 4: ()}


def test_inactive_parameters_are_no_point() -> None:
    points: list[dict[str, Any]] = [{"mode": "a", "rate": 0.1}, {"mode": "a"}] * 2
    assert groups(points) == {0: (2,), 1: (3,)}


@pytest.mark.parametrize("space", [None, {"boxes": [{"n": list(range(100))}], "constraints": []}])
def test_values_of_lists_have_to_be_the_same(space: Any) -> None:
    assert groups([{"n": 1}, {"n": 2}, {"n": 1}], space) == {0: (2,), 1: ()}


def test_every_trial_is_in_one_group() -> None:
    points = [{"n": n} for n in range(MAX_GROUPS + 50)]
    found = groups(points, None)
    assert sorted([*found, *(n for others in found.values() for n in others)]) == list(
        range(MAX_GROUPS + 50)
    )
    assert groups([]) == {}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # The same models: a depth beyond that of the trees changes nothing.
        ([[0.91, 0.87, 0.83], [0.91, 0.87, 0.83], [0.9, 0.87, 0.83]], {0: (1,), 2: ()}),
        # All right in all folds: that may be different models.
        ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.9, 1.0, 1.0]], {0: (), 1: (), 2: ()}),
    ],
)
def test_trials_that_scored_the_same_in_every_fold_are_one_answer(
    scores: list[list[float]], expected: dict[int, tuple[int, ...]]
) -> None:
    points = [{"rate": 0.1, "depth": depth, "mode": "a"} for depth in (1, 6, 11)]
    record = make_record(points, scores)
    ranking = ranked(record.history, record.metrics)
    assert near_equal(ranking, RecordedSpace.of(SPACE)) == expected
