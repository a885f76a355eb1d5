"""``ci commit``: what a run has written."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("repository")


def test_results_are_committed(tunesmith: Run, finished: Path) -> None:
    (finished / "more.txt").write_text("x")
    done = json.loads(tunesmith("ci", "commit", "-m", "tune", "more.txt", "--json").stdout)
    named = ["config/best_parameters.yaml", "more.txt", "outputs/tuning_results.md"]
    assert done["files"] == named
    assert "nothing has changed" in tunesmith("ci", "commit", "-m", "tune").stdout
    outside = tunesmith("ci", "commit", "-m", "tune", "../x")
    assert "../x is not in the repository" in outside.stderr
