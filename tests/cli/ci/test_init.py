"""``ci init``: workflows that are written once and stay."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.pipeline.repositories import git

from tunesmith.system import faults

pytestmark = pytest.mark.usefixtures("repository")


def test_workflows_are_written_once(tunesmith: Run, project: Path) -> None:
    ask = ("ci", "init", "github", "--training", "python train.py")
    dry = tunesmith(*ask, "--dry-run")
    assert "  create    .github/workflows/tuning.yml" in dry.stdout
    assert not (project / ".github").exists()
    assert tunesmith(*ask).returncode == 0
    assert tunesmith(*ask).stdout.count("unchanged") == 3
    other = tunesmith(*ask, "--main", "trunk", "--time-budget", "1h")
    assert other.returncode == 2
    assert "+    timeout-minutes: 90" in other.stdout
    assert "Overwrite what differs with --force" in other.stderr
    assert tunesmith(*ask, "--main", "trunk", "--force").returncode == 0
    assert "--target trunk" in (project / ".github/workflows/training.yml").read_text()
    for wrong in ("soon", "0s"):
        assert tunesmith(*ask, "--time-budget", wrong).returncode == 2


@pytest.mark.parametrize(
    ("here", "named", "option"),
    [
        (".", "models/a/tuning.yaml", ""),
        ("docs/x", "../../models/a/tuning.yaml", ""),
        ("docs/x", "../../models/a/other.yaml", " -c other.yaml"),
        ("models/a", "config/tuning.yaml", " -c config/tuning.yaml"),
        (".", "{project}/models/a/other.yaml", " -c other.yaml"),
    ],
)
def test_jobs_name_the_configuration_from_the_project_folder(
    tunesmith: Run, project: Path, here: str, named: str, option: str
) -> None:
    """Jobs work there, wherever the command was called; a usual name counts if it comes first."""
    text = (project / "tuning.yaml").read_text()
    (project / "docs/x").mkdir(parents=True)
    for name in ("tuning.yaml", "other.yaml", "config/tuning.yaml"):
        path = project / "models/a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ask = ("ci", "init", "gitlab", "--training", "python train.py", "-c")
    done = tunesmith(*ask, named.format(project=project), cwd=project / here)
    assert done.returncode == 0, done.stderr
    jobs = (project / ".gitlab/tunesmith.yml").read_text()
    assert "- cd models/a\n" in jobs
    assert f"- tunesmith run{option}\n" in jobs
    assert f"- tunesmith verify --allow-missing-data{option}\n" in jobs


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_all_files_are_written_or_none(tunesmith: Run, project: Path, number: int) -> None:
    """The fifth file is `.gitattributes`, after three workflows and the configuration."""
    config = project / "tuning.yaml"
    config.write_text(config.read_text() + "outputs: {history: outputs/history.jsonl}\n")
    git(project, "commit", "-q", "-a", "-m", "with a history")
    ask = ("ci", "init", "github", "--training", "python train.py", "--tuning-prefix", "search/")
    faults.plan({faults.VARIABLE: f"fail:file.write:{number}"})
    try:
        failed = tunesmith(*ask)
    finally:
        faults.plan({})
    assert failed.returncode == 74
    assert "No space left" in failed.stderr
    assert "No file was changed" in failed.stderr
    assert git(project, "status", "--porcelain") == ""
    assert not (project / ".github").exists()
    assert tunesmith(*ask).returncode == 0
    assert "history.jsonl merge=" in (project / ".gitattributes").read_text()
    assert "tuning: search/" in config.read_text()


def test_attributes_that_cannot_be_written(tunesmith: Run, project: Path) -> None:
    config = project / "tuning.yaml"
    config.write_text(config.read_text() + "outputs: {history: outputs/history.jsonl}\n")
    git(project, "commit", "-q", "-a", "-m", "with a history")
    (project / ".gitattributes").mkdir()
    failed = tunesmith("ci", "init", "github", "--training", "python train.py")
    assert failed.returncode == 74
    assert not (project / ".github").exists()
    assert git(project, "status", "--porcelain") == ""


def test_workflows_that_could_not_run_are_refused(tunesmith: Run, project: Path) -> None:
    ask = ("ci", "init", "github", "--training", "python train.py")
    (project / "requirements.txt").write_text("numpy\n")
    refused = tunesmith(*ask)
    assert refused.returncode == 2
    assert "requirements.txt does not name `tunesmith`" in refused.stderr
    assert not (project / ".github").exists()
    (project / "requirements.txt").write_text("numpy\ntunesmith\n")
    (project / ".github/workflows").mkdir(parents=True)
    (project / ".github/workflows/tests.yml").write_text("on: pull_request\n")
    done = tunesmith(*ask)
    assert done.returncode == 0
    assert ".github/workflows/tests.yml runs on pull requests too" in done.stderr


def test_a_pipeline_of_ones_own_stays(tunesmith: Run, project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text("test: {script: [make]}\n")
    done = tunesmith("ci", "init", "gitlab", "--training", "python train.py")
    assert done.returncode == 0
    assert "add to it `include: [{local: .gitlab/tunesmith.yml}]`" in done.stderr
    assert (project / ".gitlab-ci.yml").read_text() == "test: {script: [make]}\n"
