"""Entries set in and removed from a file of parameters; nothing else in it changes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.formats import FormatError
from tunesmith.formats import json as json_format
from tunesmith.formats import toml as toml_format
from tunesmith.formats import yaml as yaml_format
from tunesmith.formats.edit import edit
from tunesmith.formats.new import new_text

FORMS = {".json": json_format, ".yaml": yaml_format, ".toml": toml_format}
names = st.sampled_from(["lr", "depth", "a b", "x.y", "é", "meta", "0"])
values = st.one_of(
    st.booleans(), st.integers(-99, 99), st.floats(-1e3, 1e3), st.text("ab:#", max_size=3)
)
mappings = st.dictionaries(names, values, min_size=1, max_size=5)


@pytest.mark.parametrize("suffix", FORMS)
@settings(max_examples=40, deadline=None)
@given(before=mappings, after=mappings, is_placed=st.booleans())
def test_exactly_what_was_asked_for_changes(
    suffix: str, before: dict[str, Any], after: dict[str, Any], is_placed: bool
) -> None:
    other: dict[str, Any] = {"other": [1, "two"], "kept": {"deep": {"x": 1.5}}}
    place = ("kept", "params") if is_placed else ()
    content: dict[str, Any] = {**before, **other}
    if is_placed:
        content = {**other, "kept": {**other["kept"], "params": before}}
    text = new_text(content, suffix)
    removed = [(*place, name) for name in before if name not in after]
    found = edit(text, f"x{suffix}", {(*place, k): v for k, v in after.items()}, removed)
    read = FORMS[suffix].read(found)
    wanted = {**other, **after}
    if is_placed:
        wanted = {**other, "kept": {**other["kept"], "params": after}}
    assert json.dumps(read, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def test_values_that_stand_there_keep_their_layout() -> None:
    text = '{ "lr" : 1e-1,\n\t"depth":3 }\n'
    assert edit(text, "x.json", {("lr",): 0.1, ("depth",): 3}, []) == text
    assert edit(text, "x.json", {("depth",): 4}, []) == '{ "lr" : 1e-1,\n\t"depth":4 }\n'


def test_comments_of_what_stays_stay() -> None:
    text = "# head\nlr: 0.1  # rate\n# deep\ndepth: 3\nseed: 1\n"
    assert (
        edit(text, "x.yaml", {("lr",): 0.2}, [("depth",)]) == "# head\nlr: 0.2  # rate\nseed: 1\n"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("x.json", '{"a": 1}'), ("x.yaml", "a: 1\n"), ("x.toml", "a = 1\n")],
)
def test_what_is_not_there_cannot_be_removed(name: str, text: str) -> None:
    with pytest.raises(FormatError):
        edit(text, name, {}, [("b",)])


def test_an_anchor_that_others_need_is_refused() -> None:
    text = "base: &b {lr: 0.1}\nuse: *b\n"
    with pytest.raises(FormatError):
        edit(text, "x.yaml", {}, [("use", "lr")])


def test_comments_of_a_mapping_in_braces_stay() -> None:
    text = "train: {\n  depth: 3,  # mine\n  drop: 1,  # old\n  lr: 0.1  # small\n  }\nz: 1\n"
    for name, left in (("drop", "  drop: 1,  # old\n"), ("lr", "  lr: 0.1  # small\n")):
        for mark in ("", "\ufeff"):
            edited = edit(mark + text, "a.yaml", {("train", "depth"): 4}, [("train", name)])
            assert edited == mark + text.replace("depth: 3", "depth: 4").replace(left, "")
