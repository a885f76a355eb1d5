import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tunesmith.analysis.summary import summarise
from tunesmith.config.yaml12 import read_yaml
from tunesmith.errors import UsageError
from tunesmith.formats.yaml_text import yaml_text
from tunesmith.parameters.texts import best_parameters, read_parameters
from tunesmith.testing.records import make_record

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LOOK_ALIKES = [
    "no",
    "on",
    "y",
    "~",
    "1e-3",
    "010",
    "12:30",
    "1_000",
    "0x1F",
    "0o17",
    ".5",
    "-",
    "2026-11-23",
    "null",
    "*x",
    "&x",
    "!x",
    "%x",
    "@x",
    "`x",
    "{",
    "[",
    "'",
    '"',
    "=",
    "<<",
    "+",
    ".inf",
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.sampled_from([*LOOK_ALIKES, "", " ", "a: b", "a #b", "- a", "? a"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def same(left: Any, right: Any) -> bool:
    """Equal in value and type, all the way down."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@example({"é" * 400: None, "a": {"ü" * 500: [1]}, "b": [{"ñ" * 300: {"x": "y"}}]})
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1), values, max_size=4
    )
)
@example({"lr": 1e-05, "big": 1e22, "tiny": 5e-324, "zero": -0.0})
@example({"no": "no", "1": "1", "x": "\x85\u2028\ud7ff\U0001f600"})
def test_both_kinds_of_yaml_readers_find_the_same(params: dict[str, Any]) -> None:
    text = yaml_text({"params": params})
    if not params:
        return
    assert same(yaml.safe_load(text)["params"], params)
    assert same(read_yaml(text).data["params"], params)


def test_numbers_look_as_every_reader_expects() -> None:
    assert yaml_text({"lr": 0.00001, "k": 3, "x": 1e22}) == "lr: 1.0e-05\nk: 3\nx: 1.0e+22\n"


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
def test_every_format_reads_back(tmp_path: Path, suffix: str) -> None:
    record = make_record([{"lr": 1e-05, "mode": "no", "n": 3}, {"lr": 0.1, "mode": "on", "n": 4}])
    path = tmp_path / f"best{suffix}"
    path.write_text(best_parameters(summarise(record), suffix))
    params, meta = read_parameters(path)
    best = record.history.best()
    assert best is not None
    assert same(params, dict(best.params))
    assert meta is not None
    assert meta["trial"] == best.number
    assert meta["mean"] == best.mean("score")


def test_toml_without_null_says_so() -> None:
    record = make_record([{"depth": None}])
    with pytest.raises(
        UsageError, match=r"a TOML file has no null, but the best `depth` holds one"
    ):
        best_parameters(summarise(record), ".toml")


def test_toml_is_toml() -> None:
    record = make_record([{"layers": [64, 32], "lr": 1e-05}])
    text = best_parameters(summarise(record), ".toml")
    assert tomllib.loads(text)["params"] == {"layers": [64, 32], "lr": 1e-05}


@pytest.mark.parametrize("text", ["lr: 0.1\n", '{"lr": 0.1}\n'])
def test_a_file_written_by_hand_may_be_flat(tmp_path: Path, text: str) -> None:
    path = tmp_path / "best.yaml"
    path.write_text(text)
    assert read_parameters(path) == ({"lr": 0.1}, None)


def test_infinity_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        yaml_text({"x": math.inf})


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    (tmp_path / "best.yaml").write_text("params: {C: 1.0}")
    assert read_parameters(str(tmp_path / "best.yaml")) == ({"C": 1.0}, None)
