import json
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import UsageError
from tunesmith.objective.program.passing.argv import blockers, fill, risky
from tunesmith.objective.program.passing.hydra import blockers as not_overrides
from tunesmith.objective.program.passing.hydra import hydra

ODD = [
    "a b",
    "$(id)",
    "'",
    '"',
    "\\",
    "\\'",
    "a\\",
    "new\nline",
    "-x",
    "",
    "é☃",
    "{x}",
    "null",
    "1e3",
]
texts = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs", "Cc"])))


@given(texts)
def test_a_value_stays_within_its_item(value: str) -> None:
    command = ["run", "--name={name}", "x{name}y", "{{name}}"]
    assert fill(command, {}, {"name": value}) == ["run", f"--name={value}", f"x{value}y", "{name}"]


def test_files_and_folds_have_names_too() -> None:
    command = ["run", "--params={params}", "{fold}"]
    assert fill(command, {"params": "/a b", "fold": "3"}, {}) == ["run", "--params=/a b", "3"]


def test_items_with_parameters_that_are_not_active_are_left_out() -> None:
    command = ["run", "--degree={degree}", "--kernel={kernel}", "end"]
    assert fill(command, {}, {"kernel": "rbf"}) == ["run", "--kernel=rbf", "end"]


def test_a_null_byte_is_refused() -> None:
    with pytest.raises(UsageError, match="null byte"):
        fill(["{a}"], {}, {"a": "x\0y"})


def test_all_mistakes_are_named_at_once() -> None:
    found = list(blockers(["run", "--lr={learning_rat}", "{", "{fold}"], ["learning_rate", "fold"]))
    assert len(found) == 2
    assert "objective.command.1: nothing is named `{learning_rat}`" in found[0]
    assert "Did you mean `learning_rate`?" in found[0]
    assert "written twice" in found[1]


def test_items_that_a_value_could_turn_into_options_are_found() -> None:
    assert risky(["run", "{lr}", "--lr={lr}", "{fold}"], ["lr"]) == ["{lr}"]


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**9), 10**9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
        st.sampled_from(ODD),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(deadline=None)  # the parser builds its tables with the first call
@given(st.dictionaries(st.sampled_from(["lr", "train.opt.lr", "model"]), values, min_size=1))
def test_hydra_reads_what_was_meant(params: dict[str, Any]) -> None:
    found = OverridesParser.create().parse_overrides(hydra(params))
    assert [override.key_or_group for override in found] == sorted(params)
    for override in found:
        wanted = params[override.key_or_group]
        assert json.dumps(override.value()) == json.dumps(wanted)


KEYS = st.one_of(
    st.text("abzAZ019_-./@$ é:=[],+~", min_size=1, max_size=6),
    st.sampled_from(["lr", "a.b", "null"]),
)


@settings(deadline=None)
@given(key=KEYS, inner=KEYS)
def test_a_key_that_hydra_would_read_otherwise_is_refused(key: str, inner: str) -> None:
    params: dict[str, Any] = {key: {inner: 1}}
    if list(not_overrides(params)):
        return
    (found,) = OverridesParser.create().parse_overrides(hydra(params))
    package = f"@{found.package}" if found.package else ""
    assert f"{found.key_or_group}{package}" == key.lstrip("+")
    assert found.value() == {inner: 1}


@pytest.mark.parametrize(
    "key", ["lr", "train.lr", "a-b", "_x", "layers.0", "db/kind", "+new", "a@b"]
)
def test_usual_keys_are_not_refused(key: str) -> None:
    assert not list(not_overrides({key: {"a": [1, {"b.c": 2}]}}))


@pytest.mark.parametrize("key", ["learning rate", "é", "a=b", "~lr", "1st"])
def test_keys_that_need_quotes_are_refused(key: str) -> None:
    assert "cannot name" in "".join(not_overrides({key: 1}))
    assert "cannot name" in "".join(not_overrides({"x": [{key: 1}]}))
