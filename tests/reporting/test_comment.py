"""The report as a Git host renders it: cells counted, nothing alive, whole sections or none."""

from html.parser import HTMLParser
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.analysis.summary import Summary, summarise
from tunesmith.reporting.markdown import MAX_CHARACTERS, SECTIONS, render, render_comment
from tunesmith.reporting.wording.terms import unlinked
from tunesmith.testing.records import make_record

HARMLESS = {
    *("h1", "h2", "p", "strong", "em", "code", "pre", "ul", "li", "a", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
NASTY = st.sampled_from("|`\\<>&*_[]()!#@~\n\r\t $:-+=\"'\x00\x1b\u202e\u2028é面a1")
NAMES = st.text(st.one_of(NASTY, st.characters(codec="utf-8")), min_size=1, max_size=12)


class Reader(HTMLParser):
    """Counts the cells of every row, and notes every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[int]] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: set[str | None] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value for name, value in attrs if name == "href"}
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append(0)
        elif tag in ("td", "th"):
            self.tables[-1][-1] += 1


def rendered(text: str) -> Reader:
    """As GitHub renders it, raw HTML and links included, before its own sanitiser."""
    html = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    reader = Reader()
    reader.feed(html)
    return reader


def hostile(names: list[str], value: str, n_metrics: int = 1) -> Summary:
    points: list[dict[str, Any]] = [
        {name: (value if n == place else n) for place, name in enumerate(names)} for n in range(4)
    ]
    scores: list[list[float] | str] = [[0.1 * n, 0.2, 0.3] for n in range(3)]
    scores.append(value)
    space = {"boxes": [{name: [value, 1] for name in names}], "constraints": []}
    record = make_record(points, scores, space=space, stopped_by=value, origins=["current"])
    return summarise(record, with_effects=False)


@settings(max_examples=80, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), NAMES)
def test_every_row_has_the_cells_of_its_head(names: list[str], value: str) -> None:
    summary = hostile(names, value)
    text = render(summary)
    reader = rendered(text)
    n_bars = [line.count("|---") for line in text.splitlines() if line.startswith("|---")]
    assert [rows[0] for rows in reader.tables] == n_bars
    assert all(len(set(rows)) == 1 for rows in reader.tables)
    assert set(reader.tags) <= HARMLESS
    # Only the report's own links, to the terms that it explains.
    assert reader.links == {"#terms"}
    assert reader.tags.count("details") == text.count("</details>")
    assert not reader.attributes - {"lang", "align", "href"}


def test_a_comment_has_it_all_where_it_fits() -> None:
    summary = summarise(make_record([{"n": n} for n in range(12)]))
    text = render_comment(summary)
    assert text == unlinked(render(summary))
    # A comment has no anchors, so that links into it would lead nowhere.
    assert "#terms" not in text


@pytest.mark.parametrize("limit", [10_000, 25_000, MAX_CHARACTERS])
def test_a_long_comment_leaves_whole_sections_out(limit: int) -> None:
    points = [{f"p{i}": f"{n} {'x' * 300}" for i in range(12)} for n in range(300)]
    summary = summarise(make_record(points), with_effects=False)
    text = render_comment(summary, limit)
    assert len(text) <= limit
    whole = {section.name for section in SECTIONS if unlinked(section.render(summary)) in text}
    assert "verdict" in whole
    note = text.splitlines()[-1]
    assert note.startswith("_Left out because of their size:")
    assert "all trials" in note
    assert all(section.name in note for section in SECTIONS if section.name not in whole)
    assert rendered(text).tags.count("details") == text.count("</details>")


def test_huge_names_do_not_break_the_limit() -> None:
    huge = "n" * 100_000
    record = make_record([{huge: "v" * 100_000}], stopped_by="s" * 100_000)
    assert len(render_comment(summarise(record, with_effects=False))) <= MAX_CHARACTERS
