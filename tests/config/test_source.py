import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tunesmith.config.document import SourceError
from tunesmith.config.source import parse_document, read_document, read_json, read_toml
from tunesmith.config.yaml12 import core_scalar, read_yaml
from tunesmith.errors import ConfigError, UsageError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc :#'\"\n\t", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("no", "no"), ("on", "on"), ("012", 12), ("0o17", 15), ("0x1F", 31),
        ("1:30", "1:30"), ("~", None), ("Null", None), ("TRUE", True), ("+.5", 0.5), ("1.", 1.0),
        ("1_000", "1_000"), ("-7", -7), ("2026-11-23", "2026-11-23"), (".inf", float("inf")),
    ],
)  # fmt: skip
def test_scalars_are_those_of_the_core_schema(text: str, value: Any) -> None:
    found = core_scalar(text)
    assert (found, type(found)) == (value, type(value))


@given(json_values)
def test_json_reads_the_same_as_json_and_as_yaml(value: Any) -> None:
    text = json.dumps(value, indent=1)
    assert read_json(text).data == value
    assert read_yaml(text).data == value


@given(json_values)
def test_yaml_reads_as_the_reference_reader(value: Any) -> None:
    text = json.dumps(value)
    assert read_yaml(text).data == YAML(typ="safe", pure=True).load(text)


def test_positions_point_at_keys_and_values() -> None:
    positions = read_yaml("a:\n  b: [1, 22]\n").positions
    assert positions.keys["a", "b"] == (2, 3)
    assert positions.values["a", "b", 1] == (2, 10)
    assert positions.find(("a", "b", "nothing")) == (2, 3)
    assert positions.find(("elsewhere",)) == (2, 3) or positions.find(("elsewhere",)) == (1, 1)


def test_json_with_tabs_has_positions() -> None:
    assert read_json('{\n\t"a": {\n\t\t"b": 1}}').positions.keys["a", "b"] == (3, 3)


def test_toml_positions_are_lines() -> None:
    positions = read_toml('study = "x"\n[objective.data]\n  path = "y"\n').positions
    assert positions.find(("objective", "data", "path")) == (3, 3)


def test_aliases_share_a_value() -> None:
    assert read_yaml("a: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 11)
)
ATTACKS = {
    "alias bomb": BOMB,
    "deep flow": "[" * 5000,
    "deep block": "\n".join(" " * i + "- " for i in range(200)),
    "long number": "a: " + "9" * 5000,
    "self": "a: &a [*a]",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_quickly(name: str) -> None:
    began = time.process_time()
    with pytest.raises(SourceError):
        read_yaml(ATTACKS[name])
    assert time.process_time() - began < 2


@pytest.mark.slow
def test_an_alias_bomb_needs_little_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(BOMB)
    code = (
        "import re, sys\nfrom pathlib import Path\n"
        "from tunesmith.config.source import read_document\n"
        "try: read_document(Path(sys.argv[1]))\nexcept Exception as error: print(error)\n"
        # Unlike `ru_maxrss` this does not remember the process that it was forked from.
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "bomb.yaml")],
        capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (10, 10)),
    )  # fmt: skip
    assert int(done.stdout.split()[-1]) < 200


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(10 << 20)
    with pytest.raises(UsageError, match=r"10,485,760 bytes; a configuration has at most"):
        read_document(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.yaml", b"\xff\xfe", "not UTF-8"),
        ("a.txt", b"", "not a configuration file"),
        ("a.json", b'{"a": NaN}', "`NaN` is not JSON"),
        ("a.json", b'{"a": 1, "a": 2}', "the key `a` is given twice"),
        ("a.json", b'{"a": 1,}', "not valid JSON"),
        ("a.toml", b"a = ", "not valid TOML"),
        ("missing.yaml", None, "cannot be read"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((UsageError, ConfigError), match=words):
        read_document(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", '{"a": 1,\n "a": 2}', "a.json:2:2: the key `a` is given twice (first"),
        ("a.json", '{"a": "NaN",\n "b": NaN}', "a.json:2:7: `NaN` is not JSON; numbers"),
        ("a.json", '{"a": ' + "9" * 5000 + "}", "a.json:1:7: a whole number with more"),
        ("a.json", '{"a": ' + "9" * 400 + "}", "a.json:1:7: a whole number with more"),
        ("a.json", '{"a": ' + "[" * 60 + "]" * 60 + "}", "a.json: nested more than 50 deep"),
        ("a.json", "[" * 100_000, "a.json: nested more than 50 deep"),
        ("a.json", " ", "a.json:1:2: not valid JSON: the file is empty"),
        ("a.yaml", 'a: "\\ud800"', "a.yaml:1:1: half of a character"),
        ("a.json", '{"a": {"\\udfff": 1}}', "a.json:1:8: half of a character"),
        ("a.toml", "[a]\nb = [2026-11-24]", "a.toml:2:1: a date or time is no value here"),
        ("a.toml", "a = 1\na = 2", "a.toml: not valid TOML: a key is given twice"),
        ("a.toml", "a = " + "9" * 5000, "a.toml: a whole number with more than 300 digits"),
        ("a.toml", "a." * 3000 + "b = 1", "a.toml: nested more than 50 deep"),
        ("a.toml", "a = " + "[" * 5000, "a.toml: nested more than 50 deep"),
    ],
)  # fmt: skip
def test_what_no_further_part_could_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_document(Path(name))
    assert str(caught.value).startswith(found)


@pytest.mark.parametrize("name", ["tuning.yaml", "tuning.json", "tuning.toml"])
def test_a_merge_that_left_both_sides_is_told(name: str) -> None:
    text = "study: a\n<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> other\n"
    with pytest.raises(ConfigError, match=f"{name}:2: a merge has left both sides"):
        parse_document(text, Path(name))
