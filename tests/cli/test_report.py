"""``report``: outputs that are written again from the ledger."""

from pathlib import Path

from tests.cli.conftest import Run


def test_report_says_what_changed(tunesmith: Run, finished: Path) -> None:
    (finished / "outputs/tuning_results.md").unlink()
    assert tunesmith("report").stdout.splitlines() == [
        "  written    outputs/tuning_results.md",
        "  unchanged  config/best_parameters.yaml",
    ]


def test_report_is_rebuilt_from_the_ledger_without_the_data(tunesmith: Run, project: Path) -> None:
    tunesmith("run", "--workers", "1")
    report = project / "outputs/tuning_results.md"
    text = report.read_text()
    report.unlink()
    (project / "data.csv").unlink()
    done = tunesmith("report")
    assert done.returncode == 0, done.stderr
    assert report.read_text() == text
