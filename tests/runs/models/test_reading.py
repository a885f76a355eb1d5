from pathlib import Path

import pytest

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.pipeline.verify.verify import verify
from tunesmith.runs.models.reading import with_predictions
from tunesmith.testing.projects import TUNING, make_project

SECTIONS = """\
execution: {executor: serial}
outputs:
  predictions: {path: outputs/oof.csv, columns: ["petal width (cm)"]}
  history: outputs/history.jsonl
  html: outputs/report.html
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_reports_tell_of_the_rows_and_are_verified(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path / "p", trials=4, text=TUNING + SECTIONS))
    result = tune(definition, progress=False)
    found = result.summary.predicted
    assert found is not None
    assert found.confusion is not None
    assert sum(map(sum, found.confusion.counts)) == 150
    report = definition.root / "outputs/tuning_results.md"
    text = report.read_text()
    assert "## Predictions" in text
    assert "`petal width (cm)`" in text
    page = (definition.root / "outputs/report.html").read_text()
    assert "Predictions by row" in page
    # A second run of the same study writes the same bytes.
    assert not any(item.changed for item in tune(definition, progress=False).written)
    assert report.read_text() == text
    assert [one.place for one in verify(definition).findings if one.level == "failure"] == []
    (definition.root / "outputs/oof.csv").unlink()
    places = {one.place for one in verify(definition).findings}
    assert "outputs/oof.csv" in places


def test_files_of_other_results_say_nothing(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path / "p", trials=4, text=TUNING + SECTIONS))
    result = tune(definition, progress=False)
    outputs, file = definition.file.outputs, definition.root / "outputs/oof.csv"
    given = result.summary, result.record, definition.root, outputs
    assert with_predictions(*given).predicted == result.summary.predicted
    before = file.read_text()
    digest = before.splitlines()[1].rsplit(",", 1)[1]
    for content in (before.replace(digest, "0123456789abcdef"), "a,b\n1,2\n", ""):
        file.write_text(content)
        bare = tune(definition, progress=False) if not content else None
        if bare is None:
            from dataclasses import replace

            empty = replace(result.summary, predicted=None)
            told = with_predictions(empty, result.record, definition.root, outputs)
            assert told.predicted is None
        else:
            # An empty file is nobody's: a run writes it again.
            assert file.read_text() == before
