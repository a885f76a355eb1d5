"""``ci metrics-diff``: metrics beside those of another commit."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.pipeline.repositories import git

pytestmark = pytest.mark.usefixtures("repository")


def test_metrics(tunesmith: Run, project: Path) -> None:
    metrics = project / "outputs/training_metrics.json"
    metrics.parent.mkdir()
    metrics.write_text('{"recall": 0.5}')
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "metrics")
    metrics.write_text('{"recall": 0.75}')
    found = json.loads(tunesmith("ci", "metrics-diff", "--base", "HEAD", "--json").stdout)
    assert found["metrics"] == [
        {
            "file": "outputs/training_metrics.json",
            "metric": "recall",
            "before": 0.5,
            "after": 0.75,
            "change": 0.25,
        }
    ]
    assert "0.75  new" in tunesmith("ci", "metrics-diff").stdout
    marked = tunesmith("ci", "metrics-diff", "--base", "HEAD", "--markdown").stdout
    assert "| `recall` | 0.5 | 0.75 | +0.25 (+50.00%) |" in marked
    both = tunesmith("ci", "metrics-diff", "--json", "--markdown")
    assert both.returncode == 2
