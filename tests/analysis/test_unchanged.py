"""Parameters that changed nothing are called out, as far as that can be said exactly."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tunesmith.analysis.ranking import ranked
from tunesmith.analysis.summary import summarise
from tunesmith.analysis.unchanged import Unchanged, unchanged
from tunesmith.history import Metric
from tunesmith.reporting.markdown import render
from tunesmith.reporting.terminal import closing_text
from tunesmith.testing.records import make_record

GRID = [{"lr": lr, "depth": depth} for lr in (0.1, 0.2) for depth in (1, 2, 3)]


def found(
    points: Sequence[Mapping[str, Any]], scores: Sequence[Sequence[float] | str]
) -> Unchanged:
    record = make_record(points, scores)
    return unchanged(ranked(record.history, record.metrics), record.metrics)


def test_all_the_same() -> None:
    assert found(GRID, [[0.5, 0.6]] * 6) == Unchanged(n_same=6)
    assert found(GRID, [[0.5, 0.6]] * 5 + ["no memory"]) == Unchanged(n_same=5)


@pytest.mark.parametrize(
    "scores",
    [
        [[0.5, 0.6]] * 5 + [[0.5, 0.6000000000000001]],
        [[0.5, 0.6]] * 5 + [[0.6, 0.5]],
    ],
)
def test_a_last_digit_and_a_fold_are_a_difference(scores: Sequence[Sequence[float]]) -> None:
    assert not found(GRID, scores)


def test_one_point_says_nothing() -> None:
    assert not found([{"lr": 1}, {"lr": 1}], [[0.5]] * 2)
    assert not found([], [])


def test_a_parameter_alone() -> None:
    by_lr = [[point["lr"], 0.5] for point in GRID]
    assert found(GRID, by_lr) == Unchanged(alone={"depth": 6})
    by_both = [[point["lr"] * point["depth"]] for point in GRID]
    assert not found(GRID, by_both)
    apart = [{"lr": 0.1, "depth": 1}, {"lr": 0.2, "depth": 2}, {"lr": 0.3, "depth": 3}]
    assert not found(apart, [[0.1], [0.2], [0.2]])


@pytest.mark.parametrize(
    ("tried", "is_told"),
    [
        ((0.2, 0.999992, 0.999996), False),
        ((0.2, 0.4, 0.999996), True),
        ((0, 0.4, 1), True),
        ((0, 0.6, 1), False),
        ((1e-5, 0.4, 1), False),  # half of the range, but not of its orders of magnitude
        ((1e-5, 1e-4, 1), True),
        (("a", "b", "c"), True),
        ((False, 3, True), True),
        ((None, 10, 11), True),
        ((40, 10, None), True),
    ],
)
def test_neighbours_say_nothing_of_the_rest_of_a_range(
    tried: tuple[Any, Any, Any], is_told: bool
) -> None:
    far, *pair = tried
    points = [{"lr": 0.1, "x": far}, *({"lr": 0.2, "x": value} for value in pair)]
    assert found(points, [[0.1], [0.2], [0.2]]) == Unchanged(alone={"x": 2} if is_told else {})


def test_values_that_are_no_numbers_do_not_widen_a_range() -> None:
    points = [{"lr": 0.1, "x": x} for x in (None, 2)] + [{"lr": 0.2, "x": x} for x in (10, 11)]
    assert not found(points, [[0.1], [0.3], [0.2], [0.2]])
    points = [{"lr": lr, "x": x} for lr, x in ((0.1, None), (0.3, 2), (0.2, 10), (0.2, 11))]
    assert not found(points, [[0.1], [0.3], [0.2], [0.2]])


def test_what_else_is_recorded_counts_but_for_measured_times() -> None:
    metrics = (Metric("score"), Metric("fit_time", "minimize"))
    record = make_record(GRID, [[0.5]] * 6, metrics=metrics)
    assert unchanged(ranked(record.history, metrics), metrics).n_same == 6


def test_it_is_said_in_every_form() -> None:
    record = make_record(GRID, [[0.5, 0.6]] * 6)
    summary = summarise(record, with_effects=False)
    words = "All 6 complete trials scored the same to the last digit: none of these parameters"
    assert f"**{words} changed the result.**" in render(summary)
    assert f"warning: {words}" in closing_text(summary, record, [])
    record = make_record(GRID, [[point["lr"], 0.5] for point in GRID])
    assert "`depth` changed nothing: 6 trials differ" in render(summarise(record))


def test_a_wider_range_is_not_advised_for_what_changed_nothing() -> None:
    space = {"boxes": [{"lr": [0.1, 0.2, 0.3], "depth": {"int": [1, 3]}}], "constraints": []}
    scores = [[0.5 + point["lr"], 0.6] for point in GRID]
    record = make_record(GRID, scores, space=space)
    assert [edge.name for edge in summarise(record).edges] == ["depth"]
    text = render(summarise(record))
    assert "`depth` changed nothing" in text
    assert "wider range" not in text
    assert "try `depth`" not in text
