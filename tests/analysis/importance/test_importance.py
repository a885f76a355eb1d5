"""Importance against known truths: a small part of ``make simulate-importance``."""

from dataclasses import replace

import numpy as np
import pytest
from tests.analysis.importance.simulate import Tally, tallies
from tests.analysis.importance.situations import METRIC, SITUATIONS

from tunesmith.analysis.importance import MIN_TRIALS, Importance, importance
from tunesmith.history import History
from tunesmith.ledger.recorded_study import RecordedSpace
from tunesmith.testing.records import make_record
from tunesmith.types import State

KINDS = (
    "additive, 30",
    "interacting, 60",
    "log, whole",
    "conditional, noisy, 50",
    "boxes, 50",
    "grid 3x3",
    "grid 5x4x3, 12 failed",
    "hill, by TPE",
    "neighbours, 30",
)


def of_kind(name: str, seed: int = 0) -> tuple[RecordedSpace, History]:
    space, history = SITUATIONS[name]().study(seed)
    return RecordedSpace.of(space.to_json()), history


def test_intervals_hold_and_leaders_are_right() -> None:
    total = Tally()
    for kind in KINDS:
        for _, tally in tallies(range(2), kind):
            total += tally
    assert np.mean(total.held) >= 0.9
    assert np.mean(total.leaders) >= 0.95
    assert len(total.leaders) > total.studies / 2


def test_a_parameter_of_a_branch_is_among_them() -> None:
    recorded, history = of_kind("conditional, 150")
    found = importance(history, recorded, METRIC)
    assert [name for name, _ in found.shares] == ["x", "kind", "idle"]
    assert found.leader == "x"
    assert dict(found.shares)["idle"] < 0.01


def test_the_same_trials_give_the_same_importance() -> None:
    recorded, history = of_kind("additive, 30")
    assert importance(history, recorded, METRIC) == importance(history, recorded, METRIC)


def test_nothing_is_claimed_of_few_trials_that_are_no_grid() -> None:
    recorded, history = of_kind("additive, 30")
    some = History.of((METRIC,), history[: MIN_TRIALS - 1])
    assert importance(some, recorded, METRIC).reason == (
        "needs 25 complete trials in the space (found 24),"
        " or every point of a grid without conditions"
    )


def test_pruned_trials_take_no_part() -> None:
    recorded, history = of_kind("additive, 30")
    # As if the first ones had been stopped at the score of an early step.
    trials = [replace(t, state=State.PRUNED) if t.number < 6 else t for t in history]
    found = importance(History.of((METRIC,), trials), recorded, METRIC)
    assert found.reason.startswith("needs 25 complete trials in the space (found 24)")


def test_a_model_of_noise_claims_nothing() -> None:
    rng = np.random.default_rng(0)
    recorded, history = of_kind("additive, 30")
    params = [trial.params for trial in history]
    record = make_record(params, rng.normal(size=(len(params), 3)).tolist())
    found = importance(record.history, recorded, METRIC)
    assert found.reason == "a model of the trials predicts none of them from the others"


def test_a_grid_of_noise_claims_nothing() -> None:
    recorded, history = of_kind("grid 3x3")
    noise = np.random.default_rng(1).normal(size=(9, 4)).tolist()
    record = make_record([trial.params for trial in history], noise)
    found = importance(record.history, recorded, METRIC)
    assert found == Importance(
        reason="the points of the grid differ no more than chance would make them"
    )


@pytest.mark.parametrize(
    ("params", "scores", "reason"),
    [
        ([], [], "there is no complete trial"),
        ([{"x": 1}, {"x": 2}], [[0.1], [0.2]], "needs two parameters that vary"),
        (
            [{"x": i % 3, "y": i // 3} for i in range(9)],
            [[0.5]] * 9,
            "all trials have the same score",
        ),
    ],
)
def test_reasons(params: list[dict[str, int]], scores: list[list[float]], reason: str) -> None:
    record = make_record(params, scores or None)
    assert importance(record.history, RecordedSpace(), METRIC).reason == reason
