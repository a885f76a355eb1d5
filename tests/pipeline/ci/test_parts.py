"""Texts keep whole sections when they are shortened, and lead with what was done."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.analysis.summary import summarise
from tunesmith.pipeline.ci.parts import lead_of, sections, shortened, shows
from tunesmith.reporting.markdown import render
from tunesmith.testing.records import make_record

PIECES = st.sampled_from(
    [
        "# one\n",
        "## two\n",
        "```\n# code\n```\n",
        "<details>\n## in\n</details>\n",
        "text\n",
        "é☃ " * 40 + "\n",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.integers(120, 600))
def test_whole_sections_leave(text: str, limit: int) -> None:
    assert "".join(sections(text)) == text
    found = shortened(text, lambda part: len(part) <= limit)
    assert len(found) <= limit
    assert (found == text) == (len(text) <= limit)
    assert found.count("<details") == found.count("</details>")
    assert found.count("```") % 2 == 0


def test_the_first_section_stays_and_the_longest_goes() -> None:
    text = "# Verdict\n" + "## A\n" + "a" * 500 + "\n## B\nb\n"
    found = shortened(text, lambda part: len(part) <= 300)
    assert found.startswith("# Verdict\n\n## B\nb\n\n")
    assert found.endswith("_Left out because of their size: 1 sections._\n")


def test_the_lead_is_what_was_done_and_the_change() -> None:
    points: list[dict[str, Any]] = [{"a|b": 1, "c": None}, {"a|b": 2.5, "c": "x"}]
    report = render(summarise(make_record(points, [[0.5, 0.6, 0.7], [0.9, 0.8, 0.7]])))
    lead, rest = lead_of(report)
    assert lead + rest == report
    assert lead.startswith(
        "# Tuning results: `example`\n\n**Wrote trial 1**: best mean of 2 trials;"
    )
    assert "## Best parameters" in lead
    assert rest.startswith("## How sure this is")
    assert shows(lead, {"a|b": 2.5, "c": "x"})
    assert not shows(lead, {"a|b": 1, "c": None})
    assert not shows(lead, {"a|b": 2.5, "c": "x", "more": 1})


def test_a_text_of_somebody_elses_has_no_lead() -> None:
    assert lead_of("# Mine\n\n## Best parameters\n") == ("", "# Mine\n\n## Best parameters\n")
