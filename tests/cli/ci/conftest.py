"""A project in a repository, and the API of a Git host."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Run
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


def typed_later(tunesmith: Run, server: ForgeServer, said: str, **fills: str) -> str:
    """Type the offered command once the workflow can be started; the branch that it runs on."""
    server.absent.clear()
    (command,) = re.findall(r"`(tunesmith ci dispatch [^`]+)`", said)
    for word, value in fills.items():
        assert word in command
        command = command.replace(word, value)
    done = tunesmith(*shlex.split(command)[1:], **server.environ())
    assert done.returncode == 0, done.stderr
    return str(server.dispatched[-1]["ref"])


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with served(GitHubServer()) as server:
        yield server
