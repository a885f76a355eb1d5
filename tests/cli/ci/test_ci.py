"""``tunesmith ci`` as a step of a workflow calls it, and as a person does."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.pipeline.git_host.servers import ForgeServer
from tests.pipeline.repositories import git

pytestmark = pytest.mark.usefixtures("repository")


def test_the_commands_are_listed_and_found(tunesmith: Run) -> None:
    listed = tunesmith("ci", "--help").stdout
    assert "metrics-diff" in listed
    assert "Did you mean `report`?" in tunesmith("ci", "reprot").stderr


def test_outside_of_ci(tunesmith: Run, finished: Path) -> None:
    shown = tunesmith("ci", "report", "--link", "a page=https://forge.example/p")
    assert shown.stdout.startswith("# Tuning results: `small`")
    assert shown.stdout.rstrip().endswith("[a page](https://forge.example/p)")
    for command in (["dispatch", "x.yml", "--ref", "y"], ["pull-request"], ["apply"]):
        refused = tunesmith("ci", *command)
        assert refused.returncode == 2
        assert (
            "this is no CI job of a Git host that is known here (github, gitlab)" in refused.stderr
        )


def test_a_dry_run_sends_nothing(tunesmith: Run, project: Path, server: ForgeServer) -> None:
    best = project / "config/best_parameters.yaml"
    best.parent.mkdir()
    best.write_text("params: {max_depth: 3}\nmeta: {study: small, trial: 4}\n")
    environ = server.environ()
    assert "## Parameters" in tunesmith("ci", "report", "--dry-run", **environ).stdout
    words = tunesmith("ci", "pull-request", "--dry-run", **environ).stdout
    assert words.startswith("training/one -> main: Train with trial 4 of small\n")
    given = ("dispatch", "x.yml", "--ref", "y", "--input", "a=1", "--dry-run")
    assert (
        "x.yml on y with {'a': '1'} would be started." in tunesmith("ci", *given, **environ).stdout
    )
    assert "config/best_parameters.yaml" in tunesmith("ci", "commit", "-m", "x", "--dry-run").stdout
    tuning = {**environ, "GITHUB_REF_NAME": "tuning/one", "GITHUB_REF": "refs/heads/tuning/one"}
    assert "would get" in tunesmith("ci", "apply", "--dry-run", **tuning).stdout
    assert server.seen == []
    assert git(project, "status", "--porcelain") == "?? config/"


def test_a_run_has_a_time_budget(process: Run, tunesmith: Run) -> None:
    spent = process("run", "-q", TUNESMITH_TIME_BUDGET="1ms")
    assert spent.returncode == 143
    assert "The time budget of 1ms is spent." in spent.stderr
    for wrong in ("soon", "0s"):
        refused = tunesmith("run", "--time-budget", wrong)
        assert refused.returncode == 2
        assert "--time-budget: " in refused.stderr
    done = tunesmith(
        "run", "-q", "--workers", "1", TUNESMITH_TIME_BUDGET="1h", TUNESMITH_TRIALS="2"
    )
    assert done.returncode == 0
    assert "2 trials" in done.stdout
