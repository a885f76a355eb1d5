"""Every format, read by the programs that will read it."""

import configparser
import json
import os
import subprocess
import tomllib
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from ruamel.yaml import YAML

from tunesmith.formats import FormatError, env, format_of, ini, toml
from tunesmith.formats import json as json_format
from tunesmith.formats import yaml as yaml_format
from tunesmith.testing.formats import FormatContract


class TestYaml(FormatContract):
    name = "yaml"
    place = ("train", "optimizer", "lr")
    missing = ("train", "schedule", "warmup")
    sample = """\
# how the model is trained
train:
  optimizer: # the usual one
    lr: 1   # found by hand
    name: 'adam'
  layers: [64, 32] # widths
"mode": on
"""

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        return [yaml.safe_load(text), YAML(typ="safe", pure=True).load(text)]


class TestJson(FormatContract):
    name = "json"
    place = ("train", "lr")
    missing = ("model", "depth")
    sample = (
        '{\n    "train": {\n        "lr": 1,\n        "é": [1, 2.5]\n    },\n    "z": null\n}\n'
    )

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        return [json.loads(text.removeprefix("\ufeff"))]


class TestToml(FormatContract):
    name = "toml"
    place = ("train", "lr")
    missing = ("train", "schedule", "warmup")
    sample = '# top\ntitle = "x" # here\n\n[train]\nlr = 1 # rate\nlayers = [ 64, 32 ]\n'

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        return [tomllib.loads(text)]


class TestIni(FormatContract):
    name = "ini"
    place = ("train", "lr")
    missing = ("model", "depth")
    is_typed = False
    sample = "# top\n[train]\n; rate\nlr: 1\nname = adam\n\n[other]\nx=2\n"

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        plain = configparser.ConfigParser(interpolation=None)
        usual = configparser.ConfigParser()
        strict = configparser.ConfigParser(inline_comment_prefixes=(";", "#"))
        for parser in (plain, usual, strict):
            parser.read_string(text)
        return [{n: dict(p[n]) for n in p.sections()} for p in (plain, usual, strict)]


class TestEnv(FormatContract):
    name = "env"
    place = ("LR",)
    missing = ("DEPTH",)
    is_typed = False
    sample = "# top\nexport LR=1\nNAME='a b'\n"

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        own = {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}
        return [own, env.read(text)]


def test_a_shell_reads_env_files_too() -> None:
    odd = ["a b", "'", '"', "$HOME", "`id`", "*", "~", "#x", "é☃", "-n", "a=b", "x\\y"]
    text, kept = "", {}
    for number, value in enumerate(odd):
        try:
            text = env.update(text, {(f"V{number}",): value})
        except FormatError:
            continue
        kept[f"V{number}"] = value
    names = " ".join(f'"${name}"' for name in kept)
    script = f"{text}\nprintf '%s\\0' {names}"
    found = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env=os.environ)
    assert found.stdout.decode().split("\0")[:-1] == list(kept.values())
    assert len(kept) >= 10


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("a/b.yaml", "yaml"),
        ("x.yml", "yaml"),
        (".env", "env"),
        ("prod.env", "env"),
        ("a.cfg", "ini"),
    ],
)
def test_the_name_tells_the_format(path: str, form: str) -> None:
    assert format_of(path) == form
    assert format_of("train.txt") is None


BLOCKS = """\
a: &anchor
  x: 1
b: *anchor
c: &number 5
d: *number
e:
  <<: *anchor
  y: 2
f: |
  text
g:
h: [{k: 1}, 2]
i:
- p: 1
  q: 2
"""


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("b", "x"), 2),
        (("c",), 2),
        (("a",), {"x": 2}),
        (("a", "x", "y"), 2),
        (("h", "7"), 2),
        (("h", "k"), 2),
    ],
)
def test_what_would_change_other_places_is_refused(place: tuple[str, ...], value: Any) -> None:
    with pytest.raises(FormatError):
        yaml_format.update(BLOCKS, {place: value})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("d",), 7),
        (("e", "x"), 3),
        (("e", "y"), "no"),
        (("f",), "one\ntwo"),
        (("g",), 0.5),
        (("g", "deep", "er"), None),
        (("h", "0", "k"), [1, "x"]),
        (("h", "1"), {"m": 1}),
        (("i", "0", "q"), True),
        (("i", "0", "r"), 4),
        (("new", "place"), "x"),
    ],
)
def test_every_kind_of_place_can_be_set(place: tuple[str, ...], value: Any) -> None:
    text = yaml_format.update(BLOCKS, {place: value})
    found: Any = yaml.safe_load(text)
    for key in place:
        found = found[int(key)] if isinstance(found, list) else found[key]
    assert found == value
    others = {k: v for k, v in yaml.safe_load(text).items() if k != place[0]}
    assert others == {k: v for k, v in yaml.safe_load(BLOCKS).items() if k != place[0]}


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2\n", "- 1\n", "a: [1\n", "a: 1\n---\nb: 2\n", "a: !!python/object:x.y {}\n", "x"],
)
def test_broken_yaml_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        yaml_format.update(text, {("a",): 1})


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        (json_format, '{"a": 1, "a": 2}', "twice"),
        (json_format, "[1]", "no keys"),
        (json_format, "{", "no JSON"),
        (toml, "a = ", "no TOML"),
        (ini, "a = 1\n", "no INI"),
    ],
)
def test_other_broken_files_are_refused(form: Any, text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        form.update(text, {("s", "a"): 1})


@pytest.mark.parametrize(
    ("form", "place", "value", "words"),
    [
        (toml, ("a",), None, "TOML has no null, which `a` needs"),
        (toml, ("a",), [1, {"b": None}], "no null"),
        (ini, ("s", "a"), None, "INI has no null"),
        (ini, ("s", "a"), "x\ny", "one line"),
        (ini, ("s", "a"), " x", "drops the spaces"),
        (ini, ("s", "a:b"), 1, "cannot be a key"),
        (env, ("a-b",), 1, "no name of a variable"),
        (env, ("A", "B"), 1, "`names`"),
        (env, ("A",), "'$\\", "no quotes"),
    ],
)
def test_what_a_format_cannot_hold_is_said(
    form: Any, place: tuple[str, ...], value: Any, words: str
) -> None:
    with pytest.raises(FormatError, match=words):
        form.update("", {place: value})


def test_ini_values_over_several_lines_are_replaced_whole() -> None:
    text = "[s]\na = 1\n  2\n  3\nb = 4\n"
    assert ini.update(text, {("s", "a"): 5}) == "[s]\na = 5\nb = 4\n"


@pytest.mark.parametrize(
    "text",
    [
        "[train]\n  lr = 0.1\n  wd = 2\n",
        "[train]\n\tLR: 0.1\n\twd = 2\n",
        " [train]\n lr = 0.1\n wd = 2\n [other]\n lr = 5\n",
        "[other]\ntext =\n [train]\n lr = 5\n[train]\nlr = 0.1\nwd = 2\n",
        "[train]\nwd = 2\nnote = 1\n  lr = 5\nlr = 0.1\n\n  0.2\n",
        "[train]\n; lr = 5\n  # lr = 6\nlr = 0.1\nwd = 2\n",
        "\ufeff[train]\r\nlr=0.1\r\nwd=2\r\n",
    ],
)
def test_ini_lines_are_options_by_their_indentation(text: str) -> None:
    found = ini.update(text, {("train", "lr"): 7.5})
    parser = configparser.ConfigParser()
    parser.read_string(found.removeprefix("\ufeff"))
    assert dict(parser["train"]) | {"note": ""} == {"lr": "7.5", "wd": "2", "note": ""}
    before = configparser.ConfigParser()
    before.read_string(text.removeprefix("\ufeff"))
    for section in before.sections():
        assert {*parser[section]} == {*before[section]}


@pytest.mark.parametrize("line", ["A = 2", "export A =2", "A= 2"])
def test_lines_of_env_files_that_readers_take_differently_are_refused(line: str) -> None:
    with pytest.raises(FormatError, match="`A` has spaces around its `=` in line 2"):
        env.update(f"A=1\n{line}\n", {("A",): 3})
    assert env.update(f"B=1\n{line}\n", {("B",): 3}) == f"B=3\n{line}\n"
    assert env.update("A= # none\n", {("A",): 3}) == "A=3\n"
