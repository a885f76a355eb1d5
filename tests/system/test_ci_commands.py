import json

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.system.ci_commands import inert, inert_json, is_ci

PARTS = [
    "::",
    "##[",
    "##vso[",
    "section_start:",
    "section_end:1:x",
    "\n",
    "\r",
    " ",
    "\t",
    "a",
    "\x1b[1m",
    "\ufeff",
    "\u200b",
    "\u202e",
]
UNSEEN = "\ufeff\u200b\u202e"
"""A reader sees nothing of them, and a runner may drop them."""


def is_taken_for_a_command(line: str) -> bool:
    """As runners read a line (GitHub's ``ActionCommand``, GitLab's trace of sections)."""
    plain = line.replace("\x1b[1m", "").translate({ord(sign): None for sign in UNSEEN}).lstrip()
    begins = plain.startswith(("::", "section_start:", "section_end:"))
    return begins or "##[" in line or "##vso[" in line


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_no_line_is_a_command(text: str) -> None:
    made = inert(text)
    lines = made.replace("\r", "\n").split("\n")
    assert not [line for line in lines if is_taken_for_a_command(line)]
    assert inert(made) == made


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_json_says_the_same(text: str) -> None:
    written = inert_json(json.dumps({"a": text}, indent=1))
    assert json.loads(written) == {"a": text}
    assert not [line for line in written.split("\n") if is_taken_for_a_command(line)]


def test_other_text_stays_as_it_is() -> None:
    text = "a::b\n# [x] std::vector ## section_start\n- :: is no list"
    assert inert(text) == text


def test_where_it_matters() -> None:
    assert not is_ci({"GITHUB_ACTIONS": "false"})
    assert is_ci({"TF_BUILD": "True"})
