from pathlib import Path

import pytest

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.pipeline.verify.predictions import of_predictions
from tunesmith.testing.projects import TUNING, make_project

SECTIONS = "execution: {executor: serial}\noutputs: {predictions: oof.csv}\n"


def test_files_of_other_results_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    definition = load_definition(make_project(tmp_path, trials=4, text=TUNING + SECTIONS))
    record = tune(definition, progress=False).record
    file = tmp_path / "oof.csv"
    text = file.read_text()
    assert list(of_predictions(definition, record)) == []
    other = text.replace(text.splitlines()[1].rsplit(",", 1)[1], "0123456789abcdef")
    for content, words in [
        (other, "belongs to other results"),
        ("a,b\n", "cannot be read"),
        (None, "is missing"),
    ]:
        file.write_text(content) if content else file.unlink()
        (finding,) = of_predictions(definition, record)
        assert words in finding.found
        assert finding.fix == "`tunesmith run` writes it."
