"""Words for the end of a study."""

from typing import Any

import pytest

from tunesmith.config.stop import StopSection
from tunesmith.runs.plan.ending import ending


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ({}, ""),
        ({"trials": 12}, ""),
        ({"trials": 12, "time": "1h"}, "12 trials or 1h 00m of a run"),
        ({"fits": 100}, "100 scores of folds"),
        ({"target": 0.9}, "a trial that reaches f1 0.9"),
        ({"patience": 5}, "5 trials in a row without a better f1"),
        ({"trials": 9, "further_gain": 0.1}, "9 trials or a forecast that 20 further trials would"),
        (
            {"trials": 60, "all": [{"trials": 12}, {"patience": 3}]},
            "60 trials or (12 trials and 3 trials in a row without a better f1)",
        ),
        (
            {"any": [{"time": 60}, {"all": [{"fits": 9, "trials": 3}]}]},
            "1m 00s of a run or (3 trials or 9 scores of folds)",
        ),
    ],
)
def test_one_metric(stop: Any, text: str) -> None:
    assert ending(StopSection.model_validate(stop), ["f1"]).startswith(text)
    assert bool(text) == bool(ending(StopSection.model_validate(stop), ["f1"]))


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ({"patience": 5}, "5 trials in a row without a new one on the Pareto front of f1, r2"),
        ({"target": {"r2": 0.5, "f1": 0.9}}, "a trial that reaches r2 0.5 and f1 0.9"),
        (
            {"target": 0.9},
            (
                "a trial that reaches f1 0.9, once 10 in a row bring nothing new onto the Pareto"
                " front of f1, r2"
            ),
        ),
        (
            {"convergence": {"window": 7}},
            "7 trials that move the Pareto front of f1, r2 by less than the noise of the folds",
        ),
    ],
)
def test_several_metrics(stop: Any, text: str) -> None:
    assert ending(StopSection.model_validate(stop), ["f1", "r2"]) == text
