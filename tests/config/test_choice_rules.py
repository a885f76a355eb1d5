"""Rules of sections that name metrics: the trade-off, and targets."""

from typing import Any

import pytest

from tunesmith.config.load import define
from tunesmith.errors import ConfigError

METRICS = ["recall", "precision"]


def problems(metric: Any = METRICS, **sections: Any) -> str:
    data = {
        "study": "s",
        "objective": {
            "estimator": "sklearn.tree.DecisionTreeClassifier",
            "data": {"path": "t.csv", "target": "y"},
            "metric": metric,
        },
        "space": {"max_depth": [1, 2]},
        **sections,
    }
    try:
        define(data)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "sections",
    [
        {"preference": "knee"},
        {"preference": "lexicographic"},
        {"preference": {"weights": {"recall": 2, "precision": 0.5}}},
        {"stop": {"target": {"recall": 0.9}}},
        {"stop": {"target": 0.9}},
        {"stop": {"all": [{"trials": 3}, {"any": [{"target": {"precision": 0.5}}]}]}},
    ],
)
def test_several_metrics(sections: Any) -> None:
    assert problems(**sections) == ""


@pytest.mark.parametrize(
    ("sections", "text"),
    [
        ({"preference": {"weights": {"recal": 1}}}, "Did you mean `recall`?"),
        ({"preference": {"weights": {"recall": 0}}}, "must be more than 0"),
        ({"preference": {"rule": "knee", "weights": {"recall": 1}}}, "both `rule` and `weights`"),
        ({"preference": "kne"}, "Did you mean `knee`?"),
        ({"stop": {"target": {"recal": 1}}}, "stop.target.recal: `recal` is no metric"),
        (
            {"stop": {"any": [{"all": [{"target": {"r": 1}}]}]}},
            "stop.any[0].all[0].target.r: `r` is no metric that decides",
        ),
        ({"stop": {"any": [{"further_gain": 0.1}]}}, "it forecasts one metric"),
    ],
)
def test_mistakes(sections: Any, text: str) -> None:
    assert text in problems(**sections)


def test_one_metric_has_no_trade_off() -> None:
    assert "one metric leaves nothing to weigh" in problems("recall", preference="knee")
    assert problems("recall", preference="lexicographic") == ""
    assert problems("recall", stop={"target": {"recall": 0.9}}) == ""
