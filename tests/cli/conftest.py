"""The command line as a person uses it, in a real folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.preloaded import programs

from tunesmith.cli import main
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
def tunesmith(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The whole command line in this process: no imports to wait for."""

    def run(
        *arguments: str, cwd: Path = project, **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            patch.delenv("GITHUB_ACTIONS", raising=False)
            for name, value in changes.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["tunesmith", *arguments])
            with pytest.raises(SystemExit) as caught:
                main()
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(caught.value.code or 0), out, err)

    return run


@pytest.fixture
def process(project: Path) -> Run:
    """The command line in a process of its own, if that is the point; it is started anew."""
    return _runner(project, [sys.executable, "-m", "tunesmith"], environment())


@pytest.fixture
def preloaded(project: Path) -> Run:
    """The command line in a process of its own that has its imports already."""
    # Python reads this variable at its start, which was long ago.
    environ = {k: v for k, v in environment().items() if k != "PYTHONWARNINGS"}
    return _runner(project, ["tunesmith"], {**environ, "PATH": programs.path()})


def _runner(project: Path, program: list[str], environ: dict[str, str]) -> Run:
    def run(
        *arguments: str, cwd: Path = project, **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*program, *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            env={**environ, **changes},
            timeout=120,
        )

    return run


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose study has been run; for copies, since other tests see it, too."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project").parent
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setattr(sys, "argv", ["tunesmith", "run", "--workers", "1", "-q"])
        with pytest.raises(SystemExit) as caught:
            main()
    assert not caught.value.code
    return project


@pytest.fixture
def finished(project: Path, finished_once: Path) -> Path:
    """A project whose study has been run."""
    return shutil.copytree(finished_once, project, dirs_exist_ok=True)
