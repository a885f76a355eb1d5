"""What a text says changes as asked, and no other line does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.formats import FormatError, yaml
from tunesmith.formats.yaml_blocks import block, moved, rewrite

PIPELINE = """\
# The pipeline of the team.
stages:
  # cleans
  prepare:
    cmd: |
      python prepare.py
      # done
    deps: &raw
    - raw.csv   # as it came
    outs: [data.csv]

  # trains
  training:
    cmd: python train.py
    deps:
      # the program
      - train.py
      - data.csv # the table
    # scores
    metrics:
      - m.json: {cache: false}

# the end
"""


def read() -> dict[str, Any]:
    return yaml.read(PIPELINE)


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_items_are_added_replaced_and_taken_out_in_their_lines() -> None:
    content = read()
    training = content["stages"]["training"]
    training["deps"] = ["first.py", "train.py", "src"]
    training["metrics"] = [{"m.json": {"cache": False, "persist": True}}]
    old, new = lines(PIPELINE), lines(rewrite(PIPELINE, content))
    assert [line for line in new if line not in old] == [
        "      - first.py",
        "      - src",
        "      - m.json: {cache: false, persist: true}",
    ]
    assert [line for line in old if line not in new] == [
        "      - data.csv # the table",
        "      - m.json: {cache: false}",
    ]


def test_new_entries_stand_before_what_follows_them() -> None:
    content = read()
    names = content["stages"]
    content["stages"] = {
        "prepare": names["prepare"],
        "tuning": {"cmd": "tunesmith run", "deps": ["data.csv"], "params": [{"tuning.yaml": None}]},
        "training": names["training"],
    }
    content["plots"] = [{"tuning": {"x": "trial", "y": {"trials.csv": ["mean", "best"]}}}]
    text = rewrite(PIPELINE, content)
    added = """\
  tuning:
    cmd: tunesmith run
    deps:
      - data.csv
    params:
      - tuning.yaml:

  # trains
"""
    assert added in text
    plots = """
plots:
  - tuning:
      x: trial
      "y":
        trials.csv: [mean, best]

# the end
"""
    assert text.endswith(plots)
    assert text.replace(added, "  # trains\n").replace(plots, "\n# the end\n") == PIPELINE


def test_an_entry_moves_with_the_comment_over_it() -> None:
    text = moved(PIPELINE, ("stages", "training"), "prepare")
    assert list(yaml.read(text)["stages"]) == ["training", "prepare"]
    assert text.index("# trains") < text.index("training:") < text.index("# cleans")
    assert sorted(lines(text)) == sorted(lines(PIPELINE))


@pytest.mark.parametrize("text", ["", "stages:\n", "stages: {}\n", "stages: {} # none", "# x\n"])
def test_empty_places_are_filled(text: str) -> None:
    found = rewrite(text, {"stages": {"a": {"cmd": "x"}}})
    assert yaml.read(found) == {"stages": {"a": {"cmd": "x"}}}
    assert "\n    cmd: x" in found


def test_line_ends_and_marks_stay() -> None:
    text = "\ufeffa: 1\r\nb:\r\n  - x\r\n"
    assert rewrite(text, {"a": 1, "b": ["x", "z"]}) == text + "  - z\r\n"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: &x\n  - 1\nb: *x\n", {"a": [1, 2], "b": [1]}),
        ("a: &x\n  - 1\nb: *x\n", {"a": [1], "b": [1, 2]}),
        ("a: &x 1\nb:\n  - *x\n  - 2\n", {"a": 1, "b": [1, 3]}),
        ("{a: {b: 1}}", {"a": {"b": 1}, "c": {"d": [1]}}),
    ],
)
def test_what_is_tied_to_something_else_is_refused(text: str, content: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        rewrite(text, content)


def test_nothing_moves_before_its_anchor() -> None:
    with pytest.raises(FormatError, match="cannot stand before `a`"):
        moved("a: &x 1\nb:\n  - *x\n", ("b",), "a")


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.text("ab :#-{}['\"\n\\é", max_size=6)
)
NAMES = st.text("abc. /$", min_size=1, max_size=5)
ITEMS = SCALARS | st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=2), max_size=2)
STAGE = st.dictionaries(NAMES, SCALARS | st.lists(ITEMS, max_size=4), max_size=4)
STAGES = st.dictionaries(NAMES, STAGE, max_size=3)


@settings(max_examples=60, deadline=None)
@given(before=STAGES, after=STAGES)
def test_any_text_can_be_made_to_say_anything(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    text = block(before)
    assert yaml.read(text) == before
    assert yaml.read(rewrite(text, after)) == after
