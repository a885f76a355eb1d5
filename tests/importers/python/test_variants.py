"""One name with two ranges."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import ConfigError
from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import Source
from tunesmith.space.parse import parse_space


def space(body: str) -> Any:
    source = Source(Path("a.py"), f"def objective(trial):\n{body}")
    (setup,) = find(source, "optuna")
    content = convert(source, setup).content["space"]
    assert not parse_space(content)[1]
    return content


HEAD = '  kind = trial.suggest_categorical("kind", ["a", "b", "c"])\n'


def test_a_box_for_each_value_of_the_parent() -> None:
    body = (
        '  if kind == "a":\n    trial.suggest_float("c", 0, 1)\n'
        '  elif kind == "b":\n    trial.suggest_float("c", 0, 9)\n'
        '  if trial.suggest_categorical("flag", [True, False]):\n    trial.suggest_int("n", 1, 2)\n'
    )
    common = {"flag": [True, False], "n": {"int": [1, 2], "when": {"flag": True}}}
    assert space(HEAD + body) == [
        {"kind": ["a"], "c": {"float": [0.0, 1.0]}, **common},
        {"kind": ["b"], "c": {"float": [0.0, 9.0]}, **common},
        {"kind": ["c"], **common},
    ]


@pytest.mark.parametrize(
    "body",
    [
        '  trial.suggest_float("c", 0, 1)\n  trial.suggest_float("c", 0, 9)\n',
        '  if kind == "a":\n    trial.suggest_float("c", 0, 1)\n  trial.suggest_float("c", 0, 9)\n',
    ],
)
def test_refused(body: str) -> None:
    with pytest.raises(ConfigError, match="range"):
        space(HEAD + body)
