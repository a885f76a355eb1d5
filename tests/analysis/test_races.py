"""The result of a race: what it saved, and what it may have cost."""

import numpy as np
import pytest

from tunesmith.analysis.importance import importance
from tunesmith.analysis.races import race_result
from tunesmith.history import FoldResult, History, Metric, Trial
from tunesmith.ledger.recorded_study import RecordedSpace


def history_of(*rows: tuple[float, ...]) -> History:
    trials = [Trial(n, {"x": n}, key=f"{n}", origin="random") for n in range(len(rows))]
    return History.of(
        (Metric("loss", "minimize"),),
        [
            trial.completed([FoldResult(f, {"loss": one}) for f, one in enumerate(row)], 4)
            for trial, row in zip(trials, rows, strict=True)
        ],
    )


def test_the_cost_is_estimated_from_how_folds_differ() -> None:
    complete = [(1.0, 2.0, 3.0, 4.0), (1.1, 2.3, 3.0, 4.4), (1.5, 2.4, 3.2, 4.4)]
    found = race_result(history_of(*complete, (5.0,), (1.02, 2.0)))
    assert found is not None
    assert (found.n_stopped, found.fewest_folds, found.most_folds) == (2, 1, 2)
    assert found.share_left_out == pytest.approx(5 / 20)
    # One that is far behind hardly counts; one that is level would pass with a chance near 1 / 2.
    assert found.n_expected_to_pass == pytest.approx(0.5, abs=0.15)
    assert race_result(history_of(*complete)) is None
    same = race_result(history_of(complete[0], complete[0], (5.0,)))
    assert same is not None
    assert same.n_expected_to_pass is None


def test_stopped_trials_count_for_importance_with_estimated_scores() -> None:
    rng = np.random.default_rng(0)
    metric, trials = Metric("loss", "minimize"), []
    for number, (x, y) in enumerate(rng.random((40, 2))):
        folds = [float(x + 0.1 * y + 0.2 * fold + 0.01 * rng.normal()) for fold in range(4)]
        n_known = 4 if number < 10 or x < 0.3 else 1
        trial = Trial(number, {"x": float(x), "y": float(y)}, key=f"{number}", origin="random")
        known = [FoldResult(fold, {"loss": loss}) for fold, loss in enumerate(folds[:n_known])]
        trials.append(trial.completed(known, 4))
    n_stopped = sum(trial.is_raced for trial in trials)
    assert len(trials) - n_stopped < 25
    content = {"boxes": [{name: {"float": [0.0, 1.0]} for name in "xy"}], "constraints": []}
    found = importance(History.of((metric,), trials), RecordedSpace.of(content), metric)
    assert found.shares[0][0] == "x"
    assert found.shares[0][1] == pytest.approx(0.99, abs=0.02)
    assert f"{n_stopped} of them were stopped by the race" in found.basis
