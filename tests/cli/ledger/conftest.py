"""A project that was run, and a clone of it without a ledger."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith.testing.projects import make_project


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    make_project(tmp_path / "clone")
    return tmp_path / "clone"


@pytest.fixture
def ran(tunesmith: Run, project: Path) -> Path:
    """The project, after a run of four trials."""
    assert tunesmith("run", "--trials", "4", "--workers", "1", "--quiet").returncode == 0
    return project
