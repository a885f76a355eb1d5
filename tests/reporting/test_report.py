from pathlib import Path

from tunesmith.analysis.summary import summarise
from tunesmith.reporting.report import report_of
from tunesmith.testing.records import make_record


def test_a_report_is_a_text_that_knows_its_form(tmp_path: Path) -> None:
    record = make_record([{"x": 1}, {"x": 2}], [[0.5, 0.6], [0.7, 0.8]])
    summary = summarise(record)
    text = report_of(record, summary, "markdown")
    assert text.startswith("# Tuning results")
    assert text._repr_mimebundle_()["text/markdown"] == text
    assert text.save(tmp_path / "report.md").read_text() == text
    page = report_of(record, summary, "html")
    shown = page._repr_mimebundle_()["text/html"]
    # Its scripts reach nothing of the notebook, and its text ends no attribute.
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    assert "<script" not in shown
    assert "text/html" not in report_of(record, summary, "json")._repr_mimebundle_()
