"""``run``: what it prints, and its options."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_results_and_progress_go_apart(tunesmith: Run, project: Path) -> None:
    done = tunesmith("run", "--workers", "1", "--trials", "1")
    assert "best: trial 0" in done.stdout
    assert "-> config/best_parameters.yaml" in done.stdout
    assert "1/1 trial" in done.stderr
    assert tunesmith("run", "--workers", "1", "-q").stderr == ""


def test_options_change_one_run_only(tunesmith: Run) -> None:
    first = tunesmith("run", "--trials", "5", "--workers", "1", "--json")
    assert json.loads(first.stdout)["n_told"] == 5
    more = json.loads(tunesmith("run", "--workers", "1", "--json").stdout)
    assert (more["n_told"], more["n_evaluated"]) == (12, 21)
