"""Workflows that run for other branches than experiments have."""

from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.prefixes import Prefixes
from tunesmith.pipeline.ci.branch_health import branch_findings
from tunesmith.pipeline.ci.workflows import TARGETS, Wishes, workflows
from tunesmith.testing.projects import make_project

OWN = Prefixes(tuning="hpo.v2/", training="train-")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path).parent


def written(root: Path, git_host: str, prefixes: Prefixes) -> None:
    definition = load_definition(root / "tuning.yaml")
    file = definition.file.model_copy(update={"branches": prefixes})
    found = workflows(
        git_host, replace(definition, file=file), root, Wishes(training="python t.py")
    )
    for name, text in found.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize("git_host", TARGETS)
def test_workflows_and_configuration_agree_or_not(root: Path, git_host: str) -> None:
    assert not list(branch_findings(root, OWN))
    for prefixes in (Prefixes(), OWN):
        written(root, git_host, prefixes)
        assert not list(branch_findings(root, prefixes))
    (found,) = branch_findings(root, Prefixes())
    assert found.is_well is False
    assert found.detail.startswith("no workflow runs for `tuning/NAME` and `training/NAME`")
    assert f"`tunesmith ci init {git_host} --force`" in found.detail
    (found,) = branch_findings(root, Prefixes(tuning="hpoXv2/", training="train-"))
    assert found.detail.startswith("no workflow runs for `hpoXv2/NAME`, as")


def test_workflows_of_ones_own_are_left_alone(root: Path) -> None:
    folder = root / ".github/workflows"
    folder.mkdir(parents=True)
    own = {
        "tests.yml": "on: {push: {branches: [main]}}\njobs: {}\n",
        "list.yml": "- a\n",
        "broken.yml": "on: [",
        "tags.yml": "on: {push: {tags: [v1]}}\njobs: {a: {steps: [{run: tunesmith ci commit}]}}\n",
    }
    for name, text in own.items():
        (folder / name).write_text(text)
    assert not list(branch_findings(root, OWN))
    (folder / "wide.yml").write_text(
        "on: {push: {branches: ['!main', '*/*']}}\njobs: {a: {steps: [{run: tunesmith ci commit}]}}"
    )
    (found,) = branch_findings(root, OWN)
    assert found.detail.startswith("no workflow runs for `train-NAME`,")
    for event in ("push", "[push]", "{push: }", "{push: {paths: [a]}}"):
        text = f"on: {event}\njobs: {{a: {{steps: [{{run: tunesmith ci commit}}]}}}}\n"
        (folder / "all.yml").write_text(text)
        assert not list(branch_findings(root, OWN))
