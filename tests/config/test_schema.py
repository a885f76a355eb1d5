"""What the schema tells an editor is what loading a file says."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tunesmith.config.load import define
from tunesmith.config.schema import json_schema
from tunesmith.errors import ConfigError

BASE: dict[str, Any] = {
    "study": "s",
    "objective": {"estimator": "a.B", "data": {"path": "d.csv", "target": "y"}, "metric": "r2"},
    "space": {"a": [1, 2]},
    "search": {"method": "random"},
    "stop": {"trials": 5},
}
EDITOR = jsonschema.Draft202012Validator(json_schema())
"""Made once: `jsonschema.validate` looks through the whole schema first, every time."""
STEP = {"estimator": "a.B"}
WORDS = ["sh", "train.sh", "{params}", "{metrics}"]


def objective(**changes: Any) -> dict[str, Any]:
    return {"objective": {**BASE["objective"], **changes}}


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"search": {"method": "random", "start_with": "defaults"}},
    {"search": {"method": "random", "start_with": ["defaults", {"a": 1}]}},
    {"stop": {"any": {"trials": 5}}},
    {"stop": {"trials": 3, "all": [{"patience": 5}, {"time": 90}]}},
    {"objective": {"steps": STEP, "data": {"path": ["d.csv"], "target": "y"}, "metric": ["r2"]}},
    objective(cv=3),
    objective(metric={"name": "r2"}, also=["neg_max_error", {"name": "fit_time"}]),
    {"space": [{"a": [1]}, {"b": {"int": [1, 9], "step": 2}}]},
    {"space": {"parameters": {"a": [1, 2]}, "constraints": ["a > 1"]}},
    {"space": {"a": {"scipy": "expon", "kwds": {"scale": 2}}, "b": {"value": None}}},
    {"space": {"k": ["x", "y"], "a": {"float": [0, 1], "log": False, "when": {"k": "x"}}}},
]
PROGRAM: dict[str, Any] = {
    "command": ["sh", "train.sh"],
    "metrics_file": "m.json",
    "metric": {"name": "loss", "direction": "minimize"},
}
ACCEPTED += [
    {"objective": PROGRAM},
    {"objective": {**PROGRAM, "params_file": "p.yaml", "workspace": "shared", "command": WORDS}},
    {"objective": {**PROGRAM, "params_file": {"path": "p", "format": "ini"}, "grace": "1s"}},
    {"objective": {**PROGRAM, "workspace": {"link": "data"}, "depends_on": "*.sh"}},
    {"objective": {**PROGRAM, "artifacts": {"keep": "*.bin"}, "retry": {"signal": 1}}},
    {
        "objective": PROGRAM,
        "execution": {"memory": "2GiB", "slots": {"gpu": 2}, "fit_timeout": "1h30m"},
    },
    {"objective": PROGRAM, "execution": {"memory": 1000}},
    {"objective": PROGRAM, "budget": {"parameter": "epochs", "max": 9, "rule": "median"}},
]
REFUSED: list[dict[str, Any]] = [
    {"stop": {"any": 5}},
    {"stop": {"time": True}},
    {"search": {"start_with": 5}},
    objective(steps="a.B"),
    objective(metric=[]),
    objective(data={"path": [], "target": "y"}),
    objective(data={"path": "d.csv", "target": "y", "features": []}),
    objective(cv={"folds": 1}),
    {"space": {"a": {"int": [1]}}},
    {"space": {}},
    {"outputs": {"best": "best.txt"}},
    {"objective": {**PROGRAM, "command": []}},
    {"objective": {**PROGRAM, "command": "sh train.sh"}},
    {"objective": {**PROGRAM, "workspace": "copied"}},
    {"objective": {**PROGRAM, "retry": {"rain": 1}}},
    {"objective": {**PROGRAM, "grace": -1}},
    {"objective": PROGRAM, "execution": {"memory": 0}},
    {"objective": PROGRAM, "budget": {"parameter": "epochs", "max": 1}},
]


@pytest.mark.parametrize("changes", ACCEPTED)
def test_both_accept(changes: dict[str, Any], tmp_path: Path) -> None:
    data = {**BASE, **changes}
    EDITOR.validate(data)
    define(data, root=tmp_path)


@pytest.mark.parametrize("changes", REFUSED)
def test_both_refuse(changes: dict[str, Any], tmp_path: Path) -> None:
    data = {**BASE, **changes}
    with pytest.raises(jsonschema.ValidationError):
        EDITOR.validate(data)
    with pytest.raises(ConfigError):
        define(data, root=tmp_path)


def test_every_key_is_described_or_is_a_section() -> None:
    schema = json_schema()
    named = {**schema["$defs"], "": schema}
    for name, section in named.items():
        for key, definition in section.get("properties", {}).items():
            if name in ("Parameter", "Constrained") or key == "$schema":
                continue
            is_section = "$ref" in str(definition)
            assert definition.get("description") or is_section, f"{name}.{key}"


def test_a_new_schema_is_made_at_every_call() -> None:
    json_schema()["properties"].clear()
    assert json_schema()["properties"]
