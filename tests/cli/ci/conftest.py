"""A project in a repository, and the API of a Git host."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.git_host.servers import ForgeServer, GitHubServer, served
from tests.pipeline.repositories import git


@pytest.fixture
def repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project in a repository, on a training branch; no variables of a CI job."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(project, "init", "-q", "-b", "main")
    git(project, "config", "user.name", "Ann")
    git(project, "config", "user.email", "ann@example.org")
    (project / ".gitignore").write_text("summary.md\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    git(project, "switch", "-q", "-c", "training/one")
    return project


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with served(GitHubServer()) as server:
        yield server
