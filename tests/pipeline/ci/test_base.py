"""What a change is compared with: the Git host tells, and nothing is guessed from a name."""

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.pipeline.ci.test_checkout import BEST, git, push, write
from tests.pipeline.ci.test_place import _no_settings, github, person, remote, root
from tests.pipeline.git_host.servers import GitHubServer, GitLabServer, served

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.base import UNKNOWN, base_of, default_branch, pull_request_of
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.git_host.gitlab import GitLab
from tunesmith.pipeline.git_host.host import PullRequest, git_host_here

__all__ = ["_no_settings", "person", "remote", "root"]


@pytest.fixture(autouse=True)
def stale(person: Path) -> None:
    """A branch called ``main`` that nobody works on any more."""
    git(person, "switch", "-q", "-c", "main", "develop")
    write(person, code="old\n")
    push(person, "old")


def name_of(root: Path, *given: object, git_host: object = None) -> str:
    checkout = Checkout.in_ci(root, git_host)  # type: ignore[arg-type]
    found = base_of(checkout, git_host, *given)  # type: ignore[arg-type]
    assert found.commit is None or found.commit == git(root, "rev-parse", f"origin/{found.name}")
    return found.name


def test_a_given_revision_counts_before_all(root: Path) -> None:
    checkout = Checkout.in_ci(root, None)
    assert base_of(checkout, None, "HEAD").commit == checkout.commit_of("HEAD")
    nowhere = base_of(checkout, None, "nowhere")
    assert (nowhere.commit, "names no commit" in nowhere.note) == (None, True)


def test_the_default_branch_is_what_the_forge_says(root: Path, tmp_path: Path) -> None:
    git(root, "remote", "set-head", "origin", "-d")  # as actions/checkout leaves it
    payload = tmp_path / "event.json"
    for name in ("develop", "main", "trunk"):
        payload.write_text(json.dumps({"repository": {"default_branch": name}}))
        git_host = github("tuning/one", GITHUB_EVENT_PATH=str(payload))
        assert name_of(root, None, git_host=git_host) == name
    gitlab = {"CI_API_V4_URL": "x", "CI_PROJECT_ID": "5", "CI_PROJECT_URL": "y"}
    assert (
        name_of(root, None, git_host=GitLab(gitlab | {"CI_DEFAULT_BRANCH": "develop"})) == "develop"
    )


@pytest.mark.parametrize("payload", ["", "[1]", '{"repository": 1}', '{"repository": {}}', "{"])
def test_where_the_event_does_not_tell_the_remote_does(
    root: Path, tmp_path: Path, payload: str
) -> None:
    git(root, "remote", "set-head", "origin", "-d")
    (tmp_path / "event.json").write_text(payload)
    git_host = github("tuning/one", GITHUB_EVENT_PATH=str(tmp_path / "event.json"))
    assert name_of(root, None, git_host=git_host) == "develop"


def test_the_pull_request_s_own_target(root: Path) -> None:
    pull = PullRequest(1, "u", "tuning/one", "main")
    assert name_of(root, None, pull, git_host=github("tuning/one")) == "main"
    git_host = github("x")
    git_host.job = replace(git_host.job, target="tuning/one")
    assert name_of(root, None, git_host=git_host) == "tuning/one"


def test_outside_of_ci_the_clone_knows(root: Path) -> None:
    assert name_of(root, None) == "develop"
    git(root, "remote", "set-head", "origin", "main")
    assert name_of(root, None) == "main"


def test_where_nobody_tells_it_is_not_guessed(root: Path) -> None:
    git(root, "remote", "set-head", "origin", "-d")
    git(root, "fetch", "-q")
    found = base_of(Checkout.in_ci(root, None), None, None)
    assert (found.name, found.commit) == (UNKNOWN, None)
    assert "which of `develop`, `main` is the default branch" in found.note


def only_branch(root: Path, name: str) -> None:
    """Leave no branch but those of experiments and one, and nobody who tells the default one."""
    git(root, "remote", "set-head", "origin", "-d")
    git(root, "switch", "-q", "tuning/one")
    git(root, "branch", "-q", name, "origin/main")
    git(root, "branch", "-q", "-D", "develop")
    for other in ("develop", "main"):
        git(root, "update-ref", "-d", f"refs/remotes/origin/{other}")


@pytest.mark.parametrize("name", ["main", "master"])
def test_the_only_branch_with_a_usual_name_is_the_one(root: Path, name: str) -> None:
    only_branch(root, name)
    found = base_of(Checkout.in_ci(root, None), None, None)
    assert (found.name, found.commit) == (name, git(root, "rev-parse", name))


def test_the_only_other_branch_of_a_clone_is_not_taken_for_the_base(
    root: Path, tmp_path: Path
) -> None:
    only_branch(root, "wip")
    found = base_of(Checkout.in_ci(root, None), None, None)
    assert (found.name, found.commit) == (UNKNOWN, None)
    assert "whether `wip` is the default branch" in found.note
    # As it is advised, in a shell.
    subprocess.run(["sh", "-c", found.note.split("`")[3]], cwd=root, check=True)
    assert name_of(root, None) == "develop"


def test_without_a_remote_the_only_branch_is_the_one(root: Path) -> None:
    only_branch(root, "wip")
    git(root, "remote", "remove", "origin")
    assert default_branch(Checkout.in_ci(root, None), None) == "wip"
    git(root, "branch", "-q", "other", "wip")
    note = base_of(Checkout.in_ci(root, None), None, None).note
    assert note == (
        "Nobody tells which of `other`, `wip` is the default branch: name it with `--base REV`."
    )


def test_a_clone_of_one_branch_asks_as_it_is_advised(person: Path, tmp_path: Path) -> None:
    git(person, "push", "-q", "origin", "develop:refs/heads/wip")
    root, url = tmp_path / "one", f"file://{tmp_path / 'remote.git'}"
    git(tmp_path, "clone", "-q", "--depth=1", "--branch", "wip", url, str(root))
    git(root, "switch", "-q", "-c", "tuning/two")
    found = base_of(Checkout.in_ci(root, None), None, None)
    assert (found.name, found.commit) == (UNKNOWN, None)
    subprocess.run(["sh", "-c", found.note.split("`")[3]], cwd=root, check=True)
    assert name_of(root, None) == "develop"


def test_where_there_is_no_other_branch_none_is_named(root: Path) -> None:
    git(root, "remote", "set-head", "origin", "-d")
    git(root, "switch", "-q", "tuning/one")
    git(root, "branch", "-q", "-D", "develop")
    for name in ("develop", "main"):
        git(root, "update-ref", "-d", f"refs/remotes/origin/{name}")
    found = base_of(Checkout.in_ci(root, None), None, None)
    assert (found.name, found.commit) == (UNKNOWN, None)
    assert "--base REV" in found.note


def test_what_is_advised_runs_no_branch_name(root: Path) -> None:
    name = "a;touch${IFS}x`id`"
    pull = PullRequest(1, "u", "tuning/one", name)
    found = base_of(Checkout.in_ci(root, None), None, None, pull)
    command = found.note.removeprefix("Fetch it before: `` ").removesuffix(" ``.")
    reference = f"+refs/heads/{name}:refs/remotes/origin/{name}"
    assert shlex.split(command) == ["git", "fetch", "origin", reference]


def test_a_partial_clone_that_is_cut_off(remote: Path, tmp_path: Path) -> None:
    """A file that cannot be fetched is not one that the base lacks."""
    root = tmp_path / "partial"
    git(remote, "config", "uploadpack.allowFilter", "true")
    url = f"file://{remote}"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", url, str(root))
    checkout, commit = Checkout.in_ci(root, None), git(root, "rev-parse", "origin/main")
    remote.rename(tmp_path / "away.git")
    with pytest.raises(UsageError):
        checkout.content(root, commit, BEST)
    assert checkout.content(root, commit, "missing.json") is None
    (tmp_path / "away.git").rename(remote)
    assert checkout.content(root, commit, BEST) == "a: 1\n"


def test_in_a_clone_of_one_branch_the_advice_works(remote: Path, tmp_path: Path) -> None:
    root, url = tmp_path / "one", f"file://{remote}"
    git(tmp_path, "clone", "-q", "--depth=1", "--branch", "tuning/one", url, str(root))
    git_host = github("tuning/one")
    found = base_of(Checkout.in_ci(root, git_host), git_host, None)
    assert (found.name, found.commit) == ("develop", None)
    git(root, *found.note.split("`")[1].split()[1:])
    assert base_of(Checkout.in_ci(root, git_host), git_host, None).commit is not None


@pytest.mark.parametrize("kind", [GitHubServer, GitLabServer])
def test_pull_requests_are_looked_up(kind: type[GitHubServer] | type[GitLabServer]) -> None:
    with served(kind()) as server:
        server.add_pull("training/one", target="release/1")
        server.add_pull("other", target="next")
        git_host = git_host_here(server.environ())
        found, problem = pull_request_of(git_host, "training/one")
        assert (found and found.target, problem) == ("release/1", "")
        found, _ = pull_request_of(git_host, "training/one", 2)
        assert found is not None
        assert found.target == "next"
        assert pull_request_of(git_host, "x", 9) == (None, "")
        wrong = {n: ("wrong-token" if "TOKEN" in n else v) for n, v in server.environ().items()}
        found, problem = pull_request_of(git_host_here(wrong), "training/one")
        assert found is None
        assert "401" in problem
    assert pull_request_of(None, "training/one") == (None, "")
