"""Projects that have run once, copied for every story: a first run takes seconds."""

import shutil
from pathlib import Path

import pytest
from tests.pipeline.dvc.project import Project


def _finished(root: Path, coupling: str) -> Project:
    project = Project.make(root, coupling)
    project.dvc("repro", "-q")
    project.commit("tuned and trained")
    return project


@pytest.fixture(scope="module")
def finished_loose(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _finished(tmp_path_factory.mktemp("loose") / "project", "--loose")


@pytest.fixture(scope="module")
def finished_tight(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _finished(tmp_path_factory.mktemp("tight") / "project", "--tight")


@pytest.fixture
def loose(finished_loose: Project, tmp_path: Path) -> Project:
    shutil.copytree(finished_loose.root, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture
def tight(finished_tight: Project, tmp_path: Path) -> Project:
    shutil.copytree(finished_tight.root, tmp_path / "project")
    return Project(tmp_path / "project")
