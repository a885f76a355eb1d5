"""The card of a result: everything in it, and nothing of the data as markup."""

from html.parser import HTMLParser

from tunesmith.analysis.summary import summarise
from tunesmith.reporting.notebook.card import card
from tunesmith.testing.records import make_record

EVIL = '</style><script>alert("1")</script>'


class Reader(HTMLParser):
    """Collects the tags, and the text outside of styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data if self.tags[-1] != "style" else ""


def test_a_card_has_verdict_parameters_charts_and_trials() -> None:
    points = [{"C": 0.1 * n, "kernel": "rbf"} for n in range(1, 6)]
    record = make_record(points, [[0.5 + n / 10, 0.6 + n / 10] for n in range(5)])
    found = Reader(card(record, summarise(record), "plain"))
    for text in ("example", "5 trials", "Best score", "kernel", "rbf", "Top 5 of 5", "plain"):
        assert text in found.text
    assert "svg" in found.tags
    assert found.tags.count("style") == 1


def test_text_from_data_is_no_markup() -> None:
    points = [{EVIL: EVIL}, {EVIL: "b"}]
    record = make_record(points, [[0.5, 0.6], EVIL], study=EVIL, stopped_by=EVIL)
    html = card(record, summarise(record), EVIL)
    assert "script" not in Reader(html).tags
    assert "<script" not in html


def test_a_study_without_a_result_says_so() -> None:
    record = make_record([{"C": 1.0}], ["it broke"])
    found = Reader(card(record, summarise(record)))
    assert "Wrote nothing: the only trial failed." in found.text
    assert "it broke" in found.text
