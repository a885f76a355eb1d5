import re

from tunesmith.analysis.summary import summarise
from tunesmith.reporting.markdown import render
from tunesmith.reporting.wording.terms import LINK, TERMS, explained, linked, unlinked
from tunesmith.testing.records import make_record


def test_every_term_of_a_report_is_explained_once() -> None:
    text = render(summarise(make_record([{"n": n % 4, "x": n / 40} for n in range(40)])))
    used = set(LINK.findall(text))
    assert used
    assert used <= set(TERMS)
    for term in used:
        assert text.count(f"- **{term}**: ") == 1
    assert text.count("## Terms\n") == 1


def test_only_what_is_used_is_explained() -> None:
    assert explained("nothing") == ""
    assert explained(linked("ties")).count("- **") == 1
    assert unlinked(explained(linked("ties"))) == explained(linked("ties"))


def test_explanations_are_short_and_plain() -> None:
    for meaning in TERMS.values():
        assert len(meaning) < 200
        assert not re.search(r"[`*|<\[]", meaning)
