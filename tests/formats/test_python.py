"""Python modules as parameter files: every edit is judged by running the edited module."""

import dataclasses
import json
import sys
import types
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.formats import FormatError, format_of, python
from tunesmith.testing.formats import FormatContract, scalars


def run(text: str) -> dict[str, Any]:
    """What a module defines when it is run, as its own bytes."""
    module = types.ModuleType("settings")
    sys.modules["settings"] = module
    exec(compile(text.encode(), "settings.py", "exec"), module.__dict__)  # noqa: S102
    return module.__dict__


def plain(value: Any) -> Any:
    """A module's value as JSON would have it."""
    if isinstance(value, type):
        return {n: plain(v) for n, v in vars(value).items() if not n.startswith("_")}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return vars(value) if isinstance(value, types.SimpleNamespace) else value


class TestPython(FormatContract):
    name = "python"
    place = ("LR",)
    missing = ("MOMENTUM",)
    sample = '''\
"""How the model is trained: ünicode before the values."""
from __future__ import annotations

é = "ä"; LR = 1  # found by hand
NAME = 'adam'
LAYERS = [
    64,  # first
    32,
]


def train() -> float:
    LR = 5  # a local one
    return LR
'''

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        return [run(text), python.read(text)]


MODULE = '''\
# -*- coding: utf-8 -*-
"""Ünïcode."""
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    LR = "never run"

LR: Final = -1e-3; DEPTH = 3  # ünïcode and a semicolon
NAME = ("ad"
        "am")  # put together
BETAS = 0.9, 0.999
FIRST, (SECOND, THIRD) = "é", [True, None]
LONG = """two
lines"""
CONFIG = {
    "optimizer": {"lr": 0.1, 'name': "é"},  # nested
    "layers": [64, (32, 16)],
    1: 2.5,
}
RUN = SimpleNamespace(lr=0.1, steps=10)
MADE = dict(lr=float("1e-3"), wd=+0.5)

@dataclass
class Config:
    lr: float = 0.1
    tags: list[str] = field(default_factory=list)
    depth: int = field(default=4, repr=False)
    name = "é"

    class Inner:
        dropout = 0.5

if __name__ == "settings":
    pass
'''
PLACES = (
    *("LR", "DEPTH", "NAME", "BETAS", "BETAS.1", "FIRST", "SECOND", "THIRD", "LONG"),
    *("CONFIG.optimizer.lr", "CONFIG.optimizer.name", "CONFIG.optimizer", "CONFIG.layers.0"),
    *("CONFIG.layers.1.0", "CONFIG.1", "RUN.lr", "MADE.wd", "Config.lr", "Config.depth"),
    *("Config.name", "Config.Inner.dropout"),
)


def value_in(found: Mapping[str, Any], place: str) -> Any:
    first, *keys = place.split(".")
    value = found[first]
    if first == "Config" and keys == ["depth"]:
        return {f.name: f.default for f in dataclasses.fields(value)}["depth"]
    for key in keys:
        if isinstance(value, dict):
            value = value[int(key) if key.isdecimal() else key]
        elif isinstance(value, list | tuple):
            value = value[int(key)]
        else:
            value = getattr(value, key)
    return plain(value)


def as_json(value: Any) -> str:
    return json.dumps(value)


values = st.one_of(scalars, st.none(), st.lists(scalars, max_size=3))


@settings(max_examples=40, deadline=None)
@given(
    place=st.sampled_from(PLACES),
    value=values,
    mark=st.sampled_from(["", "\ufeff"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_the_module_that_is_run_has_the_value_and_all_the_others(
    place: str, value: Any, mark: str, end: str
) -> None:
    before = mark + MODULE.replace("\n", end)
    try:
        text = python.update(before, {tuple(place.split(".")): value})
    except FormatError as error:
        assert "a dataclass takes no list" in str(error) and isinstance(value, list)  # noqa: PT018, PT017
        return
    ran, was, seen = run(text), run(before), python.read(text)
    assert as_json(value_in(ran, place)) == as_json(value)
    related = {p for p in PLACES if f"{p}.".startswith(f"{place}.") or place.startswith(f"{p}.")}
    for other in [p for p in PLACES if p not in related]:
        assert as_json(value_in(ran, other)) == as_json(value_in(was, other))
        assert as_json(value_in(ran, other)) == as_json(_read(seen, other))
    assert as_json(_read(seen, place)) == as_json(value)
    assert text.replace(end, "\n").count("#") >= MODULE.count("#")
    back = python.update(text, {tuple(place.split(".")): value_in(was, place)})
    assert as_json(python.read(back)) == as_json(python.read(before))


def _read(found: Any, place: str) -> Any:
    for key in place.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def test_layout_and_comments_stay() -> None:
    places: dict[tuple[str, ...], Any] = {
        ("LR",): 0.25,
        ("NAME",): "sgd",
        ("BETAS",): [0.8, 0.9],
        ("CONFIG", "layers"): [1, 2],
    }
    text = python.update(MODULE, {**places, ("Config", "depth"): 7})
    expected = MODULE
    for old, new in (
        ("-1e-3", "0.25"),
        ('"ad"\n        "am"', '"sgd"'),
        ("0.9, 0.999", "(0.8, 0.9)"),
        ("[64, (32, 16)]", "[1, 2]"),
        ("default=4", "default=7"),
    ):
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert text == expected


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("LR = 1\nLR = 2\n", r"`LR` is set more than once \(lines 1, 2\)"),
        ("LR = 1\nif x:\n    LR = 2\n", r"set more than once \(lines 1, 3\)"),
        ("if x:\n    LR = 2\n", r"set within an `if` \(line 2\): it must be set once, at the top"),
        ("for LR in (1, 2): pass\n", r"set within a loop \(line 1\)"),
        ("try:\n    LR = 1\nexcept X:\n    pass\n", r"set within a `try` \(line 2\)"),
        ("LR = 1\nLR *= 2\n", "more than once"),
        ("LR = 1\ndel LR\n", "more than once"),
        ("LR = 1\ndef f():\n    global LR\n    LR = 2\n", "more than once"),
        ("LR = 1\nfor LR in x: pass\n", "more than once"),
        ("LR = 1\nprint(LR := 2)\n", "more than once"),
        ("LR = 1\nfrom other import LR\n", "more than once"),
        ("LR = 1\nwith f() as LR: pass\n", "more than once"),
        ("LR = 1\nmatch x:\n    case {'a': 1, **LR}: pass\n", "more than once"),
        (
            "LR = 1\nfrom local import *\n",
            r"`from local import \*` in line 2 may give `LR` another",
        ),
        ("LR = RATE = 1\n", "shares its value with other names"),
        ("LR, DEPTH = f()\n", "unpacked from something"),
        ("from other import LR\n", r"`LR` is imported \(line 1\)"),
        ("def LR(): pass\n", "is a function"),
        ('LR = float("1e-3")\n', r"the result of a call \(line 1\), no literal constant"),
        ('LR = f"{x}"\n', "an f-string"),
        ("\n\nLR = 2 * 1e-3\n", r"computed \(line 3\)"),
        ("LR = RATE\n", "the value of another name"),
        ("LR = os.environ['LR']\n", "no plain value"),
        ("LR = 1 if x else 2\n", "chosen by a condition"),
        ("LR = {1, 2}\n", "a set"),
        ("LR = b'1'\n", "no plain value"),
        ("LR = [1, x]\n", "the value of another name"),
        ("class LR: pass\n", "a class"),
    ],
)
def test_what_is_no_constant_is_refused_in_words(module: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        python.update(module, {("LR",): 3})
    assert "LR" not in python.read(module)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("C = {'lr': 1, 'lr': 2}\n", r"there twice \(line 1\)"),
        ("C = {'lr': 1, **more}\n", r"`\*\*` in line 1 may give `C.lr` another value"),
        ("C = {'lr': 1}\nC['lr'] = 2\n", r"`C.lr` is changed in line 2"),
        ("C = {'lr': 1}\nC[name] = 2\n", "is changed in line 2"),
        ("C = {'lr': 1}\ndef f():\n    C['lr'] = 2\n", "is changed in line 3"),
        ("C = {'lr': 1}\nC.update(vars(args))\n", "is changed in line 2"),
        ("C = {'lr': 1}\nC.update(lr=2)\n", "is changed in line 2"),
        ("C = {'lr': 1}\nC |= more\n", "more than once"),
        ("class C:\n    lr = 1\nC.lr = 2\n", "is changed in line 3"),
        ("class C:\n    lr = 1\nsetattr(C, 'lr', 2)\n", "is changed in line 3"),
        ("class C:\n    lr = 1\n    lr = 2\n", "more than once"),
        (
            "class C:\n    lr: float = 1\nc = C(lr=2)\n",
            r"`C\(…\)` in line 3 is given another `C.lr`",
        ),
        ("class C:\n    d: int = 1\n    lr: float = 1\nc = C(2, 3)\n", "is given another"),
        ("class C:\n    lr = 1\nc = C()\nc.lr = 2\n", "is changed in line 4"),
        ("class C:\n    lr = 1\ndef f(a):\n    c = C()\n    c.lr = a\n", "is changed in line 5"),
        ("class C:\n    lr = 1\n    def f(self):\n        self.lr = 2\n", "is changed in line 4"),
        ("C = {'lr': 1}\nglobals()['C'] = x\n", "is changed in line 2"),
        ("C = {'lr': 1}\nglobals()[name] = x\n", "is changed in line 2"),
        ("C = {'lr': 1}\nglobals().update(x)\n", "is changed in line 2"),
        ("C = {'lr': 1}\nfor k in a:\n    C[k] = a[k]\n", "is changed in line 3"),
        ("if __name__ == '__main__':\n    C = {}\nelse:\n    C = {'lr': 1}\n", "more than once"),
        ("C = {'lr': 1}\nd = C\nd['lr'] = 2\n", "is changed in line 3"),
        ("C = {'lr': 1}\na, b = C, 2\na['lr'] = 2\n", "is changed in line 3"),
        ("C = {'lr': 1}\nif (d := C):\n    d.pop('lr')\n", "is changed in line 3"),
        ("C = {'lr': 1}\nz.c = C\nz.c['lr'] = 2\n", "is changed in line 3"),
        ("C = {'lr': 1}\ndef f(c):\n    c['lr'] = 2\nf(C)\n", "is changed in line 3"),
        ("C = {'lr': 1}\ndef f():\n    c = C\n    c.update(lr=2)\n", "is changed in line 4"),
        ("C = {'lr': 1}\nC.__setitem__('lr', 2)\n", "is changed in line 2"),
        ("C = {'lr': 1}\ndict.update(C, lr=2)\n", "is changed in line 2"),
        ("C = {'lr': 1}\nimport operator\noperator.setitem(C, 'lr', 2)\n", "in line 3"),
        ("C = {'lr': 1}\nlocals()['C'] = {}\n", "is changed in line 2"),
        ("C = {'lr': 1}\nsys.modules[__name__].C = {}\n", "is changed in line 2"),
        ("C = {'lr': 1}\nsetattr(sys.modules[__name__], 'C', {})\n", "is changed in line 2"),
        ("C = {'lr': 1}\nexec('C = {}')\n", "is changed in line 2"),
        ("C = {'lr': 1}\nclass D:\n    global C\n    C = {}\n", "more than once"),
        ("class C:\n    lr = 1\nD = C\nD.lr = 2\n", "is changed in line 4"),
        ("class C:\n    lr = 1\nc = C()\nsetattr(c, name, 2)\n", "is changed in line 4"),
        ("class C:\n    lr = 1\nc = C()\nvars(c)['lr'] = 2\n", "is changed in line 4"),
        ("class C:\n    lr = 1\nz.c = C()\nz.c.lr = 2\n", "is changed in line 4"),
        ("class C:\n    lr = 1\n    def f(me):\n        me.lr = 2\n", "is changed in line 4"),
        ("class C:\n    lr: float = 1\nc = replace(C(), lr=2)\n", "is changed in line 3"),
        ("class C:\n    lr: float = 1\nc = C(**found)\n", "is given another"),
        ("class C:\n    d: int = 1\n    lr: float = 1\nc = C(*found)\n", "is given another"),
        ("class C:\n    lr: float = 1\nD = C\nc = D(lr=2)\n", "is given another"),
        ("C = Namespace(lr=1)\nC.lr = 2\n", "is changed in line 2"),
        ("C = {'LR': 1}\n", r"there is no `C.lr` \(line 1\)"),
        ("C = 1\n", "there is no `C.lr`"),
        ("x = 1\n", "there is no `C"),
    ],
)
def test_what_is_set_elsewhere_is_refused(module: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        python.update(module, {("C", "lr"): 3})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        *[(f"C['l'].{name}\n", ("C", "l")) for name in ("append(3)", "extend([3])", "sort()")],
        *[(f"C['l'].{name}\n", ("C", "l", "0")) for name in ("insert(0, 3)", "reverse()")],
        ("C['l'][-2] = 3\n", ("C", "l", "0")),
        ("C['l'][:1] = [3]\n", ("C", "l", "0")),
        ("for part in C['o']:\n    part['lr'] = 3\n", ("C", "o", "0", "lr")),
        ("for name, part in C['p'].items():\n    part['lr'] = 3\n", ("C", "p", "a", "lr")),
        ("part = C.get('p')\npart['a']['lr'] = 3\n", ("C", "p", "a", "lr")),
    ],
)
def test_changes_of_lists_and_inner_values_are_refused(change: str, place: tuple[str, ...]) -> None:
    module = "C = {'l': [1, 2], 'o': [{'lr': 1}], 'p': {'a': {'lr': 1}}}\n"
    assert "7" in python.update(module, {place: 7})
    with pytest.raises(FormatError, match="is changed in line"):
        python.update(module + change, {place: 7})
    if "append" in change or "extend" in change:
        assert "7" in python.update(module + change, {("C", "l", "0"): 7})


@pytest.mark.parametrize(
    "module",
    [
        "C = {'lr': 1}\nd = copy.deepcopy(C)\nd['lr'] = 2\n",
        "C = {'lr': 1}\nd = {**C, 'lr': 2}\nmain(C, **C)\n",
        "C = {'lr': 1}\nd = dict(C)\nd['lr'] = 2\n",
        "C = {'lr': 1}\ndef f(c):\n    c['lr'] = 2\nf({})\n",
        "C = {'lr': 1}\ndef f():\n    locals()['C'] = 2\n",
        "C = {'lr': 1}\nfor k in C:\n    print(k, C[k])\n",
        "C = {'lr': 1}\nlr = C['lr']\nlr = 2\n",
        "C = {'lr': 1}\nexec(open('configurator.py').read())\n",
        "class C:\n    lr: float = 1\nc = C(**{'depth': 2})\n",
        "class C:\n    lr: float = 1\n    def f(self, k):\n        setattr(self, k, 2)\nc = C()\n",
        "class C:\n    lr: float = 1\n    @classmethod\n    def f(a, k):\n        return a(**k)\n",
        "C = {'lr': 1}\ndef f(C):\n    C['lr'] = 2\n",
        "C = {'lr': 1}\ndef f():\n    C = {}\n    C['lr'] = 2\n",
        "C = {'lr': 1}\nC['depth'] = 2\nC.update(depth=3)\nC.update({'depth': 4})\n",
        "C = {**more, 'lr': 1}\n",
        "from more import *\nC = {'lr': 1}\n",
        "class C(Base):\n    lr: float = 1\nc = C(depth=2)\n",
        "if TYPE_CHECKING:\n    C = {}\nC = {'lr': 1}\n",
        "C: dict\nC = {'lr': 1}\n",
        "C = {'lr': 1}\nglobals()['D'] = x\nother.lr = 2\n",
        "if __name__ == '__main__':\n    C = {'lr': 1}\n",
    ],
)
def test_what_only_looks_like_a_change_is_none(module: str) -> None:
    text = python.update(module, {("C", "lr"): 3})
    assert text in (
        module.replace("'lr': 1", "'lr': 3"),
        module.replace("lr: float = 1", "lr: float = 3"),
    )


def test_a_module_of_another_coding_gets_ascii_alone() -> None:
    module = "# coding: latin-1\nNAME = 'a'\n"
    text = python.update(module, {("NAME",): "é"})
    assert run(text)["NAME"] == "é"
    assert text.isascii()


def test_what_is_no_python_is_said_with_its_line() -> None:
    with pytest.raises(FormatError, match=r"is no Python: line 2"):
        python.read("x = 1\ny = (\n")
    with pytest.raises(FormatError, match="no Python"):
        python.read("x = 1\0\n")
    with pytest.raises(FormatError, match="cannot be a name"):
        python.update("", {("learning-rate",): 1})


def test_the_name_tells_the_format() -> None:
    assert format_of("src/settings.py") == "python"
