import ast

import pytest

from tunesmith.importers.python.constants import Constants
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused


def at_last_call(text: str) -> object:
    """Value of the first argument of the last call of `use`."""
    module = PythonModule(ast.parse(text))
    call = [call for call, name in module.calls() if name == "use"][-1]
    return Constants(module).value(call.args[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\nuse(x)\nx = 2", 1),
        ("x = 1\nx = 2\nuse(x)", 2),
        ("x = 1\ndef f():\n  use(x)", 1),
        ("x = 1\ndef f():\n  x = 2\n  use(x)", 2),
        ("a, b = 1, 2\nuse(b)", 2),
        ("x = [1]\nx.append(2)\nuse(x)\nx.append(3)", [1, 2]),
        ("x: int = 4\nif y:\n  use(x)", 4),
        ("for i in y:\n  x = 3\n  use(x)", 3),
        ("class A:\n  def __init__(self):\n    self.x = 5\n  def f(self):\n    use(self.x)", 5),
        ("class A:\n  x = 6\n  def f(me):\n    use(me.x)", 6),
        ("class A:\n  def __init__(s):\n    s.__x = [7]\n  def f(s):\n    use(s.__x[0])", 7),
    ],
)
def test_the_value_at_a_place(text: str, expected: object) -> None:
    assert at_last_call(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\nif y:\n  x = 2\nuse(x)",
        "x = 1\nx = 2\ndef f():\n  use(x)",
        "def f(x):\n  use(x)",
        "for x in y:\n  use(x)",
        "x = 1\nfor i in y:\n  use(x)\n  x = 2",
        "x = [1]\nif y:\n  x.append(2)\nuse(x)",
        "x = [1]\nx.sort()\nuse(x)",
        "with open() as x:\n  use(x)",
        "use(x)",
        "x = x\nuse(x)",
        "class A:\n  def __init__(self, x):\n    self.x = x\n  def f(self):\n    use(self.x)",
        "class A:\n  x = 1\n  def f(self):\n    use(self.x)\n  def g(self):\n    self.x = 2",
        "class A:\n  x = 1\n  def f(self):\n    use(self.x)\nclass B(A):\n  x = 2",
        "class A:\n  x = []\n  def f(self):\n    use(self.x)\n  def g(self):\n    self.x.append(2)",
        "class A:\n  x = [1]\n  def f(self):\n    use(self.x)\n  def g(self):\n    self.x[0] = 2",
        "class A:\n  x = 1\n  def f(self):\n    use(self.x)\nsetattr(A, 'x', 2)",
        "class A:\n  def __init__(s):\n    if y:\n      s.x = 1\n  def f(s):\n    use(s.x)",
        "class A:\n  def g(self):\n    self.x = 1\n  def f(self):\n    use(self.x)",
        "class A:\n  x = 1\n  def f(self, other):\n    use(other.x)",
    ],
)
def test_a_value_that_is_not_certain(text: str) -> None:
    with pytest.raises(Refused):
        at_last_call(text)


def test_full_names() -> None:
    module = PythonModule(ast.parse("import a.b as c\nfrom d import e as f\nfrom . import g\n"))
    names = {text: module.dotted(ast.parse(text, mode="eval").body) for text in ("c.x", "f", "g")}
    assert names == {"c.x": "a.b.x", "f": "d.e", "g": "..g"}
