"""The command line as a person uses it: a real process in a real folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.testing.projects import make_project

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI"))}
    return {**kept, "PYTHONWARNINGS": "error", "NO_COLOR": "1", **changes}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def tunesmith(project: Path) -> Run:
    def run(
        *arguments: str, cwd: Path = project, **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tunesmith", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            env=environment(**changes),
            timeout=120,
        )

    return run
