from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import define
from tunesmith.errors import ConfigError, dotted

METRIC = {"name": "loss", "direction": "minimize"}
PROGRAM: dict[str, Any] = {
    "command": ["train", "--lr={lr}"],
    "metrics_file": "m.json",
    "metric": METRIC,
}


def found(changes: dict[str, Any], **sections: Any) -> dict[str, str]:
    """What is wrong, by place."""
    objective = {**PROGRAM, **changes}
    kept = {name: value for name, value in objective.items() if value is not ...}
    whole = {"study": "s", "objective": kept, "space": {"lr": [0.1, 1.0]}, "stop": {"trials": 3}}
    try:
        define({**whole, **sections}, root=Path("/nowhere"))
    except ConfigError as error:
        return {dotted(v.path): f"{v.message} {v.hint}" for v in error.violations}
    return {}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"metrics_file": ..., "metrics_pattern": r"loss (\S+)"},
        {"metrics_file": ..., "metrics_pattern": r"(?P<loss>\d+) of (\d+)"},
        {"metrics_file": ..., "progress_file": "p.jsonl"},
        {"progress_file": "p.jsonl", "params_file": {"path": "a.yaml", "at": "x.y"}},
        {"data": "d.csv", "cv": 3, "splits": "csv"} | {"data": {"path": "d.csv", "target": "y"}},
        {"params": {"batch": 32}, "seeds": 5, "retry": {"signal": 2}, "grace": "2s"},
        {"workspace": "shared", "command": ["t", "{metrics}"]},
        {"workspace": {"link": "data", "leave_out": ["docs", "*.png"]}},
        {"environment": {"set": {"A": "1"}, "keep": "HF_TOKEN"}, "artifacts": {"keep": "m.*"}},
    ],
)
def test_sound_programs(changes: dict[str, Any]) -> None:
    assert found(changes) == {}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"command": "python train.py"}, "objective.command", '`["python", "train.py"]`'),
        ({"command": []}, "objective.command", "at least one"),
        ({"metrics_file": ...}, "objective", "nowhere to be found"),
        (
            {"workspace": "shared", "command": ["t", "{metrics}"], "artifacts": {"keep": "m"}},
            "objective.artifacts",
            "into `{run}`",
        ),
        ({"metrics_pattern": "(.)"}, "objective.metrics_pattern", "Keep one"),
        ({"metrics_file": ..., "metrics_pattern": "("}, "objective.metrics_pattern", "no regular"),
        (
            {"metrics_file": ..., "metrics_pattern": "x"},
            "objective.metrics_pattern",
            "single group",
        ),
        (
            {"metrics_file": ..., "metrics_pattern": "(?P<los>.)"},
            "objective.metrics_pattern",
            "no group `(?P<loss>…)`",
        ),
        ({"metric": "loss"}, "objective.metric[0]", "which way?"),
        ({"metric": {**METRIC, "scorer": "a.b"}}, "objective.metric[0].scorer", "`key`"),
        ({"estimator": "a.B"}, "objective.command", "Keep one"),
        ({"preprocess": "auto"}, "objective.preprocess", "for estimators"),
        ({"cv": 5}, "objective.cv", "no table"),
        ({"metrics_file": "/m.json"}, "objective.metrics_file", "leads out"),
        ({"params_file": {"path": "../p.yaml", "at": "x"}}, "objective.params_file.path", "leads"),
        ({"progress_file": "a/../../p"}, "objective.progress_file", "leads out"),
        ({"workspace": "shared"}, "objective.metrics_file", "as `{metrics}`"),
        ({"retry": {"luck": 1}}, "objective.retry.luck", ""),
        ({"params": {"lr": 1}}, "objective.params.lr", "fixed here and varied"),
    ],
)
def test_broken_programs(changes: dict[str, Any], place: str, words: str) -> None:
    problems = found(changes)
    assert place in problems, problems
    assert words in problems[place]


def test_what_belongs_to_programs_is_refused_for_estimators() -> None:
    estimator = {
        "command": ...,
        "estimator": "a.B",
        "data": {"path": "d.csv", "target": "y"},
        "metric": {"name": "r2", "key": "x"},
    }
    problems = found(estimator, execution={"memory": "2GB", "slots": {"gpu": 1}})
    places = {"objective.metrics_file", "objective.metric[0].key"}
    assert set(problems) == places | {"execution.memory", "execution.slots"}
    missing = {**estimator, "metrics_file": ..., "metric": "r2", "data": ...}
    assert "data: {path" in found(missing)["objective.data"]


@pytest.mark.parametrize(
    ("budget", "changes", "place", "words"),
    [
        ({"parameter": "epochs", "min": 9, "max": 9}, {}, "budget.min", "less than `max`"),
        ({"parameter": "lr", "max": 9}, {}, "budget.parameter", "varied in `space`"),
        ({"max": 9}, {}, "budget.parameter", "`progress_file`"),
        (
            {"parameter": "epochs", "max": 9},
            {"params": {"epochs": 3}},
            "budget.parameter",
            "fixed in",
        ),
        (
            {"max": 9},
            {"metric": [METRIC, {"name": "b", "direction": "minimize"}]},
            "budget",
            "a trial is stopped by one metric",
        ),
    ],
)
def test_broken_budgets(
    budget: dict[str, Any], changes: dict[str, Any], place: str, words: str
) -> None:
    assert words in found(changes, budget=budget)[place]


def test_sound_budgets() -> None:
    assert found({}, budget={"parameter": "epochs", "max": 81}) == {}
    assert found({"progress_file": "p"}, budget={"min": 3, "max": 81, "rule": "median"}) == {}


@pytest.mark.parametrize(("text", "n"), [("600MB", 600_000_000), ("2 GiB", 2 << 30), (5000, 5000)])
def test_sizes(text: Any, n: int) -> None:
    whole = {
        "study": "s",
        "objective": PROGRAM,
        "space": {"lr": [0.1]},
        "search": {"method": "grid"},
        "execution": {"memory": text},
    }
    assert define(whole).file.execution.memory == n
    assert "no size" in found({}, execution={"memory": "much"})["execution.memory"]


def test_a_single_fold_has_no_noise_to_compare_with() -> None:
    stop = {"trials": 9, "further_gain": "noise"}
    assert "a single fold has no noise" in found({}, stop=stop)["stop.further_gain"]
    assert "stop.further_gain" in found({"seeds": 1}, stop=stop)
    assert found({"seeds": 3}, stop=stop) == {}
    assert found({}, stop={"trials": 9, "further_gain": 0.01}) == {}
    assert found({}, stop={"trials": 9, "any": [{"further_gain": {"trials": 5}}]})
