"""Conditions under which statements are reached."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import ConfigError
from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import Source

HEAD = """\
import optuna
def objective(trial):
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    n = trial.suggest_int("n", 1, 3)
"""
X = 'x = trial.suggest_float("x", 0, 1)'


def when(body: str) -> Any:
    lines = "\n    ".join(body.replace("X", X).splitlines())
    source = Source(Path("a.py"), f"{HEAD}    {lines}\n")
    (setup,) = find(source, "optuna")
    definition = convert(source, setup).content["space"]["x"]
    return definition.get("when")


@pytest.mark.parametrize(
    ("body", "conditions"),
    [
        ("if kind == 'a':\n  X\nelif kind == 'b':\n  X", {"kind": ["a", "b"]}),
        ("if kind == 'a':\n  X\nelse:\n  X", None),
        ("if kind == 'a':\n  if n > 1:\n    return 0\nX\n", "refused"),
        ("if kind == 'a':\n  return 0\nelif kind == 'b':\n  return 1\nX", {"kind": "c"}),
        ("if n > 1:\n  raise ValueError\nX", None),
        ("if trial.should_prune():\n  raise optuna.TrialPruned\nX", "refused"),
        ("if not data.ok:\n  raise ValueError\nX", None),
        ("match kind:\n  case 'a' | 'b':\n    X", {"kind": ["a", "b"]}),
        ("match kind:\n  case 'a':\n    pass\n  case _:\n    X", {"kind": ["b", "c"]}),
        ("for i in range(5):\n  if i >= n:\n    break\n  if i == 2:\n    X", {"n": 3}),
        ("for fold in data:\n  X", None),
        ("for fold in data:\n  if fold.bad:\n    break\n  X", "refused"),
        ("while data:\n  X", "refused"),
        ("try:\n  X\nexcept ValueError:\n  pass", None),
        ("try:\n  load()\nexcept ValueError:\n  X", "refused"),
        ("with open('x') as f:\n  X", None),
        ("kind = data.kind\nif kind == 'a':\n  X", "refused"),
        ("if kind == 'd':\n  pass\nelse:\n  X", None),
    ],
)
def test_conditions(body: str, conditions: Any) -> None:
    if conditions == "refused":
        with pytest.raises(ConfigError, match=r"a\.py:"):
            when(body)
        return
    assert when(body) == conditions


def test_a_function_that_calls_itself_is_refused() -> None:
    text = "def objective(trial):\n  trial.suggest_int('x', 1, 2)\n  objective(trial)\n"
    source = Source(Path("a.py"), text)
    with pytest.raises(ConfigError, match="calls itself"):
        convert(source, find(source)[0])
