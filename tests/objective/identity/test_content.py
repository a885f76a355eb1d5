"""Loaded code is known by all that it does, and doubted where that is not proved."""

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer

from tunesmith.objective.identity.content import Contents

BEFORE = """
import math
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score

THRESHOLD = 0.5
TABLE = {"a": [1, 2], "b": np.arange(3.0)}

def helper(x):
    return x + THRESHOLD

def score(y, p, shift=1):
    return helper(f1_score(y, p)) + shift + math.sqrt(TABLE["b"][1])

def made(factor):
    def inner(y, p):
        return factor * np.mean(y == p)
    return inner

class Base(BaseEstimator):
    bias = 1

    def predict(self, X):
        return np.zeros(len(X)) + self.bias

class Model(Base):
    def __init__(self, alpha=1.0):
        self.alpha = alpha

    @property
    def twice(self):
        return 2 * self.alpha

    def fit(self, X, y):
        return self
"""
CHANGES = {
    "a number in the function": ("+ shift +", "+ 2 * shift +"),
    "a default": ("shift=1", "shift=2"),
    "a function that it calls": ("return x + THRESHOLD", "return x - THRESHOLD"),
    "a global behind it": ("THRESHOLD = 0.5", "THRESHOLD = 0.6"),
    "an array": ("np.arange(3.0)", "np.arange(4.0)"),
    "another library function": ("import f1_score", "import recall_score as f1_score"),
    "another module": ("import math\n", "import numpy as math\n"),
}
MODEL_CHANGES = {
    "a method": ("np.zeros(len(X)) +", "np.ones(len(X)) +"),
    "an attribute of the base": ("bias = 1", "bias = 2"),
    "a property": ("2 * self.alpha", "3 * self.alpha"),
    "a default": ("alpha=1.0", "alpha=2.0"),
}


def loaded(text: str) -> dict[str, Any]:
    """The names of a notebook with this content."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(text, names)  # noqa: S102 - as a notebook does
    return names


def token(value: Any) -> str:
    contents = Contents()
    found = contents.of("it", value)
    assert not contents.doubts
    return found


def test_the_same_code_has_the_same_token() -> None:
    first, second = loaded(BEFORE), loaded(f"\n\n# moved\n{BEFORE}")
    for name in ("score", "Model"):
        assert token(first[name]) == token(second[name])
    assert token(first["Model"](alpha=2)) == token(second["Model"](alpha=2))
    assert token(make_scorer(first["score"])) == token(make_scorer(second["score"]))


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_function_depends_on_counts(change: str) -> None:
    old, new = CHANGES[change]
    assert old in BEFORE
    assert token(loaded(BEFORE)["score"]) != token(loaded(BEFORE.replace(old, new))["score"])


@pytest.mark.parametrize("change", MODEL_CHANGES)
def test_whatever_a_class_depends_on_counts(change: str) -> None:
    old, new = MODEL_CHANGES[change]
    assert old in BEFORE
    classes = [loaded(text)["Model"] for text in (BEFORE, BEFORE.replace(old, new))]
    assert token(classes[0]) != token(classes[1])
    assert token(classes[0](alpha=3.0)) != token(classes[1](alpha=3.0))


LABELLED = {
    "the name of a class": ("class A{v}: pass", "Q=A{v}", "Q.__name__"),
    "the name that a function was given": ("def f(): pass", "f.__name__='{v}'", "f.__name__"),
    "what it says of itself": ("def f():\n    '{v}'", "", "f.__doc__"),
    "an annotation": ("def f(a: {v}): pass", "", "f.__annotations__"),
    "the same, by a text": ("def f(a: {v}): pass", "", "getattr(f, '__annotations__')"),
    "one of a class": (
        "import typing\nclass A:\n    k: typing.Literal[{v}]",
        "",
        "typing.get_type_hints(A)",
    ),
    "by another name": (
        "from typing import Literal, get_type_hints as hints\nclass A:\n    k: Literal[{v}]",
        "",
        "hints(A)",
    ),
}


@pytest.mark.parametrize("case", LABELLED)
def test_labels_count_if_the_code_reads_them(case: str) -> None:
    *cells, read = LABELLED[case]

    def whole(value: int, text: str) -> tuple[Any, ...]:
        code = "\n".join([*cells, f"def loss(params): return {text}"]).format(v=value)
        contents = Contents()
        found = contents.of("it", loaded(code)["loss"])
        return found, contents.labels(), contents.doubts

    first = whole(1, read)
    assert first == whole(1, read)
    assert first[:2] != whole(2, read)[:2]
    assert not first[2]
    assert whole(1, "f(1)" if "def f" in cells[0] else "0")[1] == []


def test_closures_count() -> None:
    made = loaded(BEFORE)["made"]
    assert token(made(1)) == token(made(1)) != token(made(2))
    assert token(partial(made(1), p=1)) != token(partial(made(1), p=2))


def test_installed_code_is_named() -> None:
    contents = Contents()
    contents.of("it", Ridge(alpha=2))
    assert not contents.has_loaded_code
    assert not contents.doubts


def test_a_token_is_the_same_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "cell.py"
    ends = "\nfrom tunesmith.objective.identity.content import Contents\n"
    script.write_text(
        f"{BEFORE}{ends}print(Contents().of('it', [score, Model(2), made({{1, 2}})]))"
    )
    tokens = {
        subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout
        for _ in range(2)
    }
    assert len(tokens) == 1


RNG, LOCK, COUNT = np.random.default_rng(0), threading.Lock(), 0


def read_file(params: Any) -> Any:
    return open("data.csv").read()  # noqa: PTH123


def read_array(params: Any) -> Any:
    return np.load("data.npy")


def draw(params: Any) -> Any:
    return np.random.rand()


def draw_from(params: Any) -> Any:
    return RNG.random()


def hold(params: Any) -> Any:
    with LOCK:
        return 1


def count(params: Any) -> Any:
    global COUNT  # noqa: PLW0603
    COUNT += 1
    return COUNT


def evaluate(params: Any) -> Any:
    return eval("1 + 1")  # noqa: S307


def late(params: Any) -> Any:
    import random

    return random.random()


def lines(params: Any) -> Any:
    return draw.__code__.co_firstlineno


def heirs(params: Any) -> Any:
    return len(BaseEstimator.__subclasses__())


def undefined(params: Any) -> Any:
    return nowhere  # type: ignore[name-defined]  # noqa: F821


def there(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function as a notebook has it: in no module of that name."""
    function.__module__ = function.__globals__["__name__"]
    function.__qualname__ = "cell.<locals>.function"
    return function


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (read_file, "calls `open`"),
        (read_array, "calls `load`"),
        (draw, "calls `rand`"),
        (draw_from, "draws from the generator `RNG`"),
        (hold, "`LOCK` of .* has no content"),
        (count, "changes the global `COUNT`"),
        (evaluate, "calls `eval`"),
        (late, "uses the module `random`"),
        (lines, "reads `__code__`"),
        (heirs, "reads `__subclasses__`"),
        (undefined, "reads `nowhere`"),
    ],
)
def test_what_is_not_proved_is_doubted(function: Any, why: str) -> None:
    contents = Contents()
    contents.of("the function", there(function))
    assert any(__import__("re").search(why, doubt) for doubt in contents.doubts), contents.doubts


def test_a_class_that_is_its_own_attribute() -> None:
    class Node(BaseEstimator):  # type: ignore[misc]
        def again(self) -> Any:
            return Node()

    assert token(Node())
