"""Budgets of studies with several metrics: a parameter may hold them, streamed progress may not."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import define
from tunesmith.errors import ConfigError

OBJECTIVE = {
    "command": ["sh", "train.sh", "{x}"],
    "metrics_file": "m.json",
    "metric": [{"name": name, "direction": "minimize"} for name in ("loss", "size")],
}


def made(root: Path, budget: dict[str, Any], **changes: Any) -> None:
    data = {"study": "s", "space": {"x": [1, 2]}, "budget": {"min": 1, "max": 9, **budget}}
    define({**data, "objective": {**OBJECTIVE, **changes}}, root=root)


def test_a_budget_parameter_takes_several_metrics(tmp_path: Path) -> None:
    made(tmp_path, {"parameter": "epochs"}, command=["sh", "train.sh", "{x}", "{epochs}"])


def test_streamed_progress_is_of_one_metric(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a trial is stopped by one metric"):
        made(tmp_path, {"rule": "median"}, progress_file={"path": "p.jsonl"})
