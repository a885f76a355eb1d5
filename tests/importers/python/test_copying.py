import ast

import pytest

from tunesmith.importers.python.constants import unknown
from tunesmith.importers.python.copying import Copier, laid_out
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused

HEAD = """\
import math
from kit import Model, Scale as S, load
from kit import Step
size = 3
names = ["a", "b"]
names.append("c")
data = load("rows.csv")
"""


def check(path: str, call: ast.Call) -> None:
    if path == "kit.load":
        raise unknown(call)


def copy_of(text: str) -> tuple[str, str]:
    """Return the copy of the last line, and the module that it needs."""
    module = PythonModule(ast.parse(HEAD + text))
    last = module.tree.body[-1]
    assert isinstance(last, ast.Expr)
    copier = Copier(module, check)
    made = ast.unparse(copier.copied(last.value))
    return made, copier.text()


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        ("Model(size, n=size * 2)", "Model(3, n=3 * 2)"),
        ("m = Model()\nm.set_params(a=size)\nm", "Model().set_params(a=3)"),
        ("Model(names)", "Model(['a', 'b', 'c'])"),
        ("Model([x * size for x in range(size)])", "Model([x * 3 for x in range(3)])"),
        ("Model(lambda size: size + 1)", "Model(function_1)"),
        (
            "Model([lambda x: x + y for y in range(size)])",
            "Model([lambda x: x + y for y in range(3)])",
        ),
        ('Model("a,b".split(","))', "Model(['a', 'b'])"),
        ("parts = [S(), Step(size)]\nModel(parts[0])", "Model([S(), Step(3)][0])"),
    ],
)
def test_names_have_their_values(text: str, copy: str) -> None:
    assert copy_of(text)[0] == copy


def test_what_a_function_needs_comes_with_it() -> None:
    text = """\
def base(x):
    return x + size
class Own(Model):
    factor = math.pi
    def run(self, x):
        return base(x) * self.factor
Own(S())
"""
    made, needed = copy_of(text)
    assert made == "Own(S())"
    names: dict[str, object] = {}
    fake = (
        "import types, sys\nsys.modules['kit'] = types.SimpleNamespace(Model=object, Scale=int)\n"
    )
    exec(f"{fake}{needed}\nvalue = Own().run(1)", names)  # noqa: S102 - what was copied is run
    assert names["value"] == pytest.approx(4 * 3.141592653589793)
    assert "names" not in needed


def test_a_lambda_becomes_a_function_that_can_travel() -> None:
    made, needed = copy_of("Model(lambda t, n=size: load(t.name) + size)")
    assert made == "Model(function_1)"
    assert needed.endswith("def function_1(t, n=3):\n    return load(t.name) + 3")


@pytest.mark.parametrize(
    "text",
    [
        "Model(data)",
        "Model(data.shape[1])",
        "Model(load('x'))",
        "Model(missing)",
        "Model(lambda t: t + len(data))",
        "def f(n):\n    return n + len(data)\nModel(f)",
        "def f():\n    global size\n    size = 4\nModel(f)",
        "def f():\n    return 1\ndef f():\n    return 2\nModel(f)",
        "if data:\n    size = 4\nModel(size)",
        "m = Model()\nif data:\n    m.set_params(a=1)\nModel(m)",
        "m = Model()\nm.size = data\nModel(m)",
        "Model((y := 3))",
        "names.sort()\nModel(names)",
    ],
)
def test_what_only_a_run_tells_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        copy_of(text)


def test_an_import_in_two_ways_is_refused() -> None:
    other = (
        "try:\n    from kit import Model\nexcept ImportError:\n    from old import Model\nModel()"
    )
    with pytest.raises(Refused, match="several ways"):
        copy_of(other)


def test_long_expressions_have_lines_and_the_same_meaning() -> None:
    text = f"Model([('{'a' * 50}', S(1)), ('{'b' * 50}', S(two=[1, 2], **words))], last=({1},))"
    node = ast.parse(text, mode="eval").body
    shown = laid_out(node, 11, 4)
    assert max(map(len, shown.splitlines())) <= 100
    assert ast.dump(ast.parse(shown, mode="eval").body) == ast.dump(node)
