"""Branches that begin otherwise, from ``ci init`` to what CI does on them."""

import json
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import Run
from tests.pipeline.repositories import git

ASK = ("ci", "init", "github", "--training", "python train.py")
OWN = ("--tuning-prefix", "hpo/", "--training-prefix", "train/")
WORKFLOWS = ".github/workflows"


@pytest.fixture
def root(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    config = project / "tuning.yaml"
    config.write_text(f"# what we look for\n{config.read_text()}execution: {{workers: 1}}\n")
    git(project, "init", "-q", "-b", "main")
    git(project, "config", "user.name", "Ann")
    git(project, "config", "user.email", "ann@example.org")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    return project


def test_all_commands_know_what_ci_init_was_told(tunesmith: Run, root: Path) -> None:
    before = (root / "tuning.yaml").read_text()
    git(root, "branch", "tuning/old")
    shown = tunesmith(*ASK, *OWN, "--dry-run")
    assert "  edit      tuning.yaml" in shown.stdout
    assert "+branches:\n+  tuning: hpo/\n+  training: train/\n" in shown.stdout
    assert (root / "tuning.yaml").read_text() == before
    done = tunesmith(*ASK, *OWN)
    assert done.returncode == 0, done.stderr
    assert (root / "tuning.yaml").read_text().startswith(before)
    assert "`git branch -m tuning/old hpo/old`" in done.stderr
    git(root, "branch", "-m", "tuning/old", "hpo/old")
    for name, prefix in (("tuning", "hpo/"), ("training", "train/")):
        data = yaml.safe_load((root / WORKFLOWS / f"{name}.yml").read_text())
        assert data[True]["push"]["branches"] == [f"{prefix}**"]
        assert data["jobs"][name]["if"] == f"startsWith(github.ref, 'refs/heads/{prefix}')"
    asked_again = tunesmith(*ASK)
    assert asked_again.stdout.count("unchanged") == 3
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "ci")

    begun = tunesmith("experiment", "start", "one")
    assert begun.stdout.startswith("hpo/one and train/one begin at ")
    assert "Next: git switch hpo/one && tunesmith run" in begun.stderr
    git(root, "switch", "-q", "hpo/one")
    assert tunesmith("run", "-q").returncode == 0
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "tuned")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "ann/churn"}
    job = {**environ, "GITHUB_REF": "refs/heads/hpo/one", "GITHUB_EVENT_NAME": "push"}
    would = tunesmith("ci", "apply", "--dry-run", **job)
    assert would.stdout == "train/one would get the parameters of hpo/one.\n"
    git(root, "switch", "-q", "main")
    listed = json.loads(tunesmith("experiment", "list", "--json").stdout)["experiments"]
    assert {e["name"]: e["state"] for e in listed} == {"old": "incomplete", "one": "tuned"}
    applied = tunesmith("experiment", "apply", "one")
    assert applied.stdout.startswith("train/one: commit ")
    assert "From hpo/one at" in git(root, "log", "-1", "--format=%B", "train/one")
    assert tunesmith("status").returncode == 0


def test_what_cannot_be_is_refused_and_nothing_written(tunesmith: Run, root: Path) -> None:
    before = git(root, "status", "--porcelain")
    for given, said in (
        (("--tuning-prefix", "a b"), "--tuning-prefix: `a b` cannot begin a branch's name"),
        (("--tuning-prefix", ""), "--tuning-prefix: `` cannot begin"),
        (("--tuning-prefix", "training/x/"), "cannot be told apart: neither may begin"),
        (("--training-prefix", "main/"), "`main/` leaves no room for the default branch `main`"),
    ):
        refused = tunesmith(*ASK, *given)
        assert refused.returncode == 2
        assert said in refused.stderr
    (root / WORKFLOWS).mkdir(parents=True)
    (root / WORKFLOWS / "tuning.yml").write_text("name: mine\n")
    assert tunesmith(*ASK, *OWN).returncode == 2
    (root / WORKFLOWS / "tuning.yml").unlink()
    assert git(root, "status", "--porcelain") == before


def test_the_doctor_sees_workflows_for_other_branches(tunesmith: Run, root: Path) -> None:
    assert tunesmith(*ASK).returncode == 0
    config = root / "tuning.yaml"
    config.write_text(f"{config.read_text()}branches: {{tuning: hpo/}}\n")
    told = tunesmith("doctor").stdout
    assert "no workflow runs for `hpo/NAME`" in told
    way = told.split("`tunesmith ")[-1].partition("`")[0]
    assert way == "ci init github --force"
    assert tunesmith(*ASK, "--force").returncode == 0
    assert "no workflow runs" not in tunesmith("doctor").stdout
