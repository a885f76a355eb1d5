"""Beginnings of branches' names: which can be, and what is said of the others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tunesmith.config.prefixes import Prefixes

GOOD = ["hpo/", "team/hpo/", "tune-", "T_", "a.b/c-", "v1.0/x/"]
BAD = [
    *("", "/", "hpo", "/hpo/", "-x/", ".x/", "a//b/", "a../", "x.lock/", "x./", "a b/", "a\n/"),
    *("é/", "a*/", "a?/", "[a]/", "$(x)/", "a'/", 'a"/', "a:/", "a~/", "a^/", "a\\/", "@{/", "+/"),
    *("a/.b/", "a/-/", "${x}/", "%%{x}/", "x" * 60 + "/"),
]


@pytest.mark.parametrize("value", GOOD)
def test_words_that_end_in_a_sign(value: str) -> None:
    assert Prefixes(tuning=value).branches("one") == (f"{value}one", "training/one")


@pytest.mark.parametrize("value", BAD)
def test_anything_else_is_refused_with_the_rule(value: str) -> None:
    for key in ("tuning", "training"):
        with pytest.raises(ValidationError, match="cannot begin a branch's name"):
            Prefixes.model_validate({key: value})


@pytest.mark.parametrize(
    ("tuning", "training"),
    [("a/", "a/"), ("a/", "A/"), ("a/", "a/b/"), ("A-b/", "a-"), ("training/", "training/")],
)
def test_both_have_to_be_told_apart(tuning: str, training: str) -> None:
    with pytest.raises(ValidationError, match="cannot be told apart"):
        Prefixes(tuning=tuning, training=training)


@pytest.mark.parametrize("default", ["hpo", "HPO", "hpo/main", "train/x"])
def test_the_default_branch_needs_its_room(default: str) -> None:
    assert default in Prefixes(tuning="hpo/", training="train/").blocker(default)


@pytest.mark.parametrize("default", ["main", "hpo-main", "hp", "master", None])
def test_others_do_not_mind(default: str | None) -> None:
    assert Prefixes(tuning="hpo/", training="train/").blocker(default) == ""


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(GOOD), st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"))
def test_a_branch_leads_back_to_its_experiment(value: str, name: str) -> None:
    prefixes = Prefixes(tuning=value)
    assert [prefixes.name_of(branch) for branch in prefixes.branches(name)] == [name, name]
    assert prefixes.name_of(value) is None
