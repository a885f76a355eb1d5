import ast
from typing import Any

import pytest

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.grids import Grids, of_scikit

IMPORTS = "import numpy as np\nfrom scipy.stats import *\nfrom scipy import stats\n"


def space(text: str) -> Any:
    module = PythonModule(ast.parse(f"{IMPORTS}{text}\ngrid"))
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    draft = Draft("tool", "a.py:1")
    Grids(module, of_scikit(module)).put(draft, last.value)
    return draft.content["space"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grid = {'a': [1, None], 'b': (True, 'x')}", {"a": [1, None], "b": [True, "x"]}),
        ("grid = dict(a=range(3))\ngrid['b'] = [2]", {"a": [0, 1, 2], "b": [2]}),
        ("grid = {'a': [1]}\ngrid.update({'a': [2]})", {"a": [2]}),
        ("grid = [{'a': [1]}, {'b': np.arange(2)}]", [{"a": [1]}, {"b": [0, 1]}]),
        ("grid = {'a': stats.loguniform(1e-2, 1)}", {"a": {"float": [0.01, 1.0], "log": True}}),
        ("grid = {'a': stats.randint(1, 4)}", {"a": {"int": [1, 3]}}),
        (
            "grid = {'a': stats.expon(scale=2)}",
            {"a": {"scipy": "expon", "args": [], "kwds": {"scale": 2}}},
        ),
    ],
)
def test_grids(text: str, expected: Any) -> None:
    assert space(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "grid = {'a': [1, 1]}",
        "grid = {'a': 'abc'}",
        "grid = {'a': [float('nan')]}",
        "grid = {1: [1]}",
        "grid = make()",
        "grid = {'a': [1]}\ngrid.pop('a')",
        "grid = {'a': stats.nothing(1)}",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(Refused):
        space(text)
