"""Names and values of parameters in the forms that scripts give them."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import Source


def space(body: str) -> Any:
    lines = "\n    ".join(body.splitlines())
    source = Source(
        Path("a.py"), f"import numpy as np\nclass A:\n  def objective(self, trial):\n    {lines}\n"
    )
    (setup,) = find(source, "optuna")
    return convert(source, setup).content["space"]


@pytest.mark.parametrize(
    "body",
    [
        "i = 1\ntrial.suggest_int(f'x{i}', 1, 2)",
        "trial.suggest_int('x{}'.format(1), 1, 2)",
        "trial.suggest_int('x%d' % 1, 1, 2)",
        "name = 'x' + str(1)\ntrial.suggest_int(name, 1, 2)",
        "low, high = 1, 2\ntrial.suggest_int('x1', low, high)",
        "bounds = {'x1': (1, 2)}\nfor n, (a, b) in bounds.items():\n  trial.suggest_int(n, a, b)",
        "[trial.suggest_int(f'x{i}', 1, 2) for i in range(1, 2)]",
        "f = lambda t: t.suggest_int('x1', 1, 2)\nf(trial)",
        "def f():\n  return trial.suggest_int('x1', 1, 2)\nf()",
        "self.trial = trial\nself.trial.suggest_int('x1', 1, 2)",
        "p = dict(a=trial.suggest_int('x1', 1, 2))",
        "x = [1, 2]\nx = trial.suggest_int('x1', x[0], x[-1])",
        "x = trial.suggest_int('x1', 1, 2) if True else 3",
    ],
)
def test_one_parameter(body: str) -> None:
    assert space(body) == {"x1": {"int": [1, 2]}}


def test_values_that_follow_from_a_choice() -> None:
    body = """\
kind = trial.suggest_categorical("kind", ["a", "b", "c"])
size = {"a": 1, "b": 2, "c": 2}[kind]
if size > 1:
  trial.suggest_float("x", 0, 1)
y = trial.suggest_float("y", 0, 1) if kind in ["a"] else 0
for i in range(size):
  trial.suggest_float(f"z{i}", 0, 1)"""
    result = space(body)
    assert result["x"]["when"] == {"kind": ["b", "c"]}
    assert result["y"]["when"] == {"kind": "a"}
    assert "when" not in result["z0"]
    assert result["z1"]["when"] == {"kind": ["b", "c"]}
