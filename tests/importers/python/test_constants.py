import ast

import pytest

from tunesmith.importers.python.constants import Constants
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.python.values import plain
from tunesmith.importers.refusal import Refused


def value(text: str) -> object:
    module = PythonModule(ast.parse(f"import math\nimport numpy as np\n{text}"))
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    return plain(Constants(module).value(last.value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[int(x) for x in np.linspace(10, 30, num=3)]", [10, 20, 30]),
        ("10 ** -2", 0.01),
        ("[1, 2] + [3] * 2", [1, 2, 3, 3]),
        ("n = 3\n[f'l{i}' for i in range(n) if i != 1]", ["l0", "l2"]),
        ("a = [1]\na.append(None)\na += [2]\na", None),
        ("{'a': 1, **{'b': 2}}['b']", 2),
        ("list(np.arange(0.1, 0.35, 0.1).round(1))", [0.1, 0.2, 0.3]),
        ("sorted({'b': 1, 'a': 2}.keys())", ["a", "b"]),
        ("math.log(1)", 0.0),
        ("2 if len('ab') > 1 else 3", 2),
        ("[1, 2, 3][:2]", [1, 2]),
        ("'a,b'.split(',')", ["a", "b"]),
        ("from sklearn.datasets import load_iris\nd = load_iris()\nx = d.data\nx.shape[1]", 4),
        ("from sklearn import datasets\nx, y = datasets.load_wine().data, 1\nx.shape", [178, 13]),
    ],
)
def test_values(text: str, expected: object) -> None:
    if expected is None:
        with pytest.raises(Refused):
            value(text)
        return
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "__import__('os')",
        "x.y",
        "9 ** 9 ** 9",
        "'a' * 10 ** 9",
        "range(10 ** 9)",
        "np.linspace(0, 1, 10 ** 9)",
        "np.arange(0, 1, 1e-12)",
        "np.random.rand(3)",
        "(lambda: 1)()",
        "1 / 0",
        "[1].__class__",
        "''.join.__globals__",
        "from sklearn.datasets import load_iris\nx = load_iris().data[:, :2]\nx.shape[1]",
        "from mine import load_iris\nload_iris().data.shape",
        "from sklearn.datasets import load_digits\nload_digits(n_class=2).data.shape",
    ],
)
def test_nothing_else_is_evaluated(text: str) -> None:
    with pytest.raises(Refused):
        value(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("np.logspace(-3, 3, 7)", "no import of this file tells what `np` in"),
        ("randint(1, 3)", "no import of this file tells what `randint` in"),
        ("def f(): ...\nf(1)", "known only if the script runs"),
        ("import own\nown.f(1)", "known only if the script runs"),
        ("from numpy import *\nlogspace(1, 2)", "known only if the script runs"),
        ("open('a')", "known only if the script runs"),
    ],
)
def test_a_function_that_nobody_imports_is_named(text: str, message: str) -> None:
    module = PythonModule(ast.parse(text))
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    with pytest.raises(Refused, match=message):
        Constants(module).value(last.value)
