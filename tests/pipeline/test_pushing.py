"""Both sides of a push change, or neither does: every step is made to fail once."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.pipeline.repositories import BEST, NAMES, commit, git, make_project, parameters

from tunesmith.errors import UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.apply import apply
from tunesmith.pipeline.pushing import remote_lines
from tunesmith.pipeline.repository import Repository
from tunesmith.system.git import GitError


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_project(tmp_path)
    experiment.start(Repository.of(root), "one", "HEAD", "origin")
    commit(root, {BEST: parameters(depth=5)}, "tuned", "tuning/one")
    return root


def refs(root: Path) -> tuple[str, str]:
    """All branches on both sides; what a remote was last seen at plays no part."""
    return git(root, "for-each-ref", "refs/heads"), git(root, "ls-remote", "--heads", "origin")


def hook(root: Path, name: str, text: str) -> None:
    path = root.parent / "remote.git/hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_both_sides_have_it(root: Path) -> None:
    done = apply(Repository.of(root), "one", NAMES, remote="origin")
    assert git(root, "rev-parse", "training/one") == done.commit
    assert git(root, "ls-remote", "origin", "refs/heads/training/one").split()[0] == done.commit
    assert (
        git(root, "rev-parse", "--abbrev-ref", "training/one@{upstream}") == "origin/training/one"
    )
    assert not apply(Repository.of(root), "one", NAMES, remote="origin").is_new


def fail_hook(root: Path) -> None:
    hook(root, "pre-receive", "echo 'error: GH006: Protected branch' >&2; exit 1")


def fail_update(root: Path) -> None:
    hook(root, "update", 'test "$1" != refs/heads/training/one')


def fail_remote(root: Path) -> None:
    git(root, "remote", "set-url", "--push", "origin", str(root.parent / "gone.git"))


def fail_local(root: Path) -> None:
    (root / ".git/refs/heads/training").mkdir(parents=True, exist_ok=True)
    (root / ".git/refs/heads/training/one.lock").touch()


def fail_parted(root: Path) -> None:
    other = root.parent / "other"
    git(root.parent, "clone", "-q", str(root.parent / "remote.git"), str(other))
    git(other, "config", "user.name", "Bob")
    git(other, "config", "user.email", "bob@example.org")
    commit(other, {"x": "1"}, "theirs", "training/one")
    git(other, "push", "-q", "origin", "training/one")


STEPS = [fail_hook, fail_update, fail_remote, fail_local, fail_parted]


@pytest.mark.parametrize("step", STEPS)
def test_apply_that_fails_changes_nothing(root: Path, step: object) -> None:
    assert callable(step)
    step(root)
    before = refs(root)
    with pytest.raises(UsageError) as caught:
        apply(Repository.of(root), "one", NAMES, remote="origin")
    assert refs(root) == before
    assert list((root / ".git/refs/heads").rglob("*.lock")) == (
        [root / ".git/refs/heads/training/one.lock"] if step is fail_local else []
    )
    told = str(caught.value)
    assert "othing was changed" in told or step is fail_local
    assert "GH006" in told or step is not fail_hook


@pytest.mark.parametrize("step", [fail_hook, fail_update, fail_remote])
def test_start_that_fails_changes_nothing(root: Path, step: object) -> None:
    git(root, "branch", "-q", "-D", "training/one", "tuning/one")
    git(root, "push", "-q", "origin", ":training/one", ":tuning/one")
    assert callable(step)
    step(root)
    before = refs(root)
    with pytest.raises(GitError, match="othing was changed"):
        experiment.start(Repository.of(root), "one", "HEAD", "origin")
    assert refs(root) == before


def test_start_where_the_name_is_taken_over_there(root: Path) -> None:
    git(root, "branch", "-q", "-D", "training/one", "tuning/one")
    git(root, "update-ref", "-d", "refs/remotes/origin/training/one")
    git(root, "update-ref", "-d", "refs/remotes/origin/tuning/one")
    commit(root, {"y": "1"}, "later")
    before = refs(root)
    # Moving it forward would be a push like any other, but it is another experiment's.
    with pytest.raises(GitError, match="origin has `tuning/one` and `training/one` already"):
        experiment.start(Repository.of(root), "one", "HEAD", "origin")
    assert refs(root) == before


CUT = "echo bye >&2; kill -9 $PPID"


def test_a_push_that_arrived_before_the_connection_was_cut(root: Path) -> None:
    """Then both sides have it, and nothing else is said."""
    hook(root, "post-receive", CUT)
    done = apply(Repository.of(root), "one", NAMES, remote="origin")
    assert done.is_new
    assert git(root, "rev-parse", "training/one") == done.commit
    assert git(root, "ls-remote", "origin", "refs/heads/training/one").split()[0] == done.commit


def test_a_push_that_was_cut_before_it_arrived(root: Path) -> None:
    hook(root, "pre-receive", CUT)
    before = refs(root)
    with pytest.raises(GitError, match="Nothing was changed there"):
        apply(Repository.of(root), "one", NAMES, remote="origin")
    assert refs(root) == before


def test_a_push_of_which_nobody_knows(root: Path) -> None:
    hook(root, "post-receive", f"mv {root.parent}/remote.git {root.parent}/away.git; {CUT}")
    with pytest.raises(GitError, match="not known whether the push has arrived") as caught:
        apply(Repository.of(root), "one", NAMES, remote="origin")
    assert "othing was changed" not in str(caught.value)
    (root.parent / "away.git").rename(root.parent / "remote.git")
    seen = git(root, *typed_words(caught.value))
    # What is seen there tells that it has arrived, and the same command goes on from it.
    assert seen.endswith("refs/heads/training/one")
    (root.parent / "remote.git/hooks/post-receive").unlink()
    done = apply(Repository.of(root), "one", NAMES, remote="origin")
    assert seen.split()[0] == done.commit


def typed_words(error: BaseException) -> list[str]:
    """The words of the last command that a message offers, after `git`."""
    return shlex.split(str(error).split("`")[-2])[1:]


def test_somebody_else_has_pushed(root: Path) -> None:
    fail_parted(root)
    with pytest.raises(GitError, match="Fetch and look") as caught:
        apply(Repository.of(root), "one", NAMES, remote="origin")
    git(root, *typed_words(caught.value))
    assert "origin/training/one" in git(root, "branch", "-r")
    commit(root, {"y": "2"}, "mine", "training/one")
    with pytest.raises(UsageError, match="have parted") as parted:
        apply(Repository.of(root), "one", NAMES, remote="origin")
    subprocess.run(["sh", "-c", str(parted.value).split("`")[-2]], cwd=root, check=True)
    git(root, "switch", "-q", "main")
    assert apply(Repository.of(root), "one", NAMES, remote="origin").is_new


def test_the_remote_agreed_and_the_branch_here_cannot_be_moved(root: Path) -> None:
    log = root / ".git/logs/refs/heads/training"
    shutil.rmtree(log)
    log.write_text("in the way")
    with pytest.raises(GitError, match="origin has `training/one` now") as caught:
        apply(Repository.of(root), "one", NAMES, remote="origin")
    log.unlink()
    git(root, *str(caught.value).split("`")[-2].split()[1:])
    there = git(root, "ls-remote", "origin", "refs/heads/training/one").split()[0]
    assert git(root, "rev-parse", "training/one") == there


def test_a_note_that_cannot_be_made_is_no_failure(root: Path) -> None:
    (root / ".git/config.lock").touch()
    experiment.start(Repository.of(root), "two", "HEAD", "origin", project="models")
    assert "tuning/two" in git(root, "ls-remote", "--heads", "origin")


def test_somebody_commits_while_it_is_pushed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The branch here is locked until the remote has agreed."""
    tries: list[str] = []
    push = Repository.push_commits

    def slow(self: Repository, *given: object) -> None:
        try:
            git(root, "update-ref", "refs/heads/training/one", "tuning/one")
        except Exception as error:  # noqa: BLE001 - that Git refuses is the point
            tries.append(str(error))
        push(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Repository, "push_commits", slow)
    done = apply(Repository.of(root), "one", NAMES, remote="origin")
    assert len(tries) == 1
    assert git(root, "rev-parse", "training/one") == done.commit


def test_after_a_rebase_the_lease_is_advised_and_works(root: Path) -> None:
    apply(Repository.of(root), "one", NAMES, remote="origin")
    git(root, "switch", "-q", "training/one")
    git(root, "commit", "-q", "--amend", "--no-edit", "--date=2020-01-01T00:00:00")
    git(root, "switch", "-q", "main")
    commit(root, {BEST: parameters(depth=6)}, "tuned again", "tuning/one")
    with pytest.raises(UsageError, match="rewritten here") as caught:
        apply(Repository.of(root), "one", NAMES, remote="origin")
    advised = str(caught.value).split("`")[-2]
    assert advised == "git push --force-with-lease origin training/one"
    git(root, *advised.split()[1:])
    assert apply(Repository.of(root), "one", NAMES, remote="origin").is_new
    git(root, "switch", "-q", "training/one")
    git(root, "commit", "-q", "--amend", "--no-edit", "--date=2020-01-02T00:00:00")
    git(root, "switch", "-q", "main")
    with pytest.raises(GitError, match="--force-with-lease origin training/one"):
        Repository.of(root).push("origin", ["training/one"])


def test_in_a_shallow_clone_the_advice_works_the_first_time(root: Path, tmp_path: Path) -> None:
    for n in range(2):
        commit(root, {"n": f"{n}"}, f"more {n}", "tuning/one")
    git(root, "push", "-q", "origin", "tuning/one", "training/one")
    clone = tmp_path / "clone"
    url = f"file://{tmp_path}/remote.git"
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "tuning/one", url, str(clone))
    with pytest.raises(UsageError, match="git fetch --unshallow origin") as caught:
        apply(Repository.of(clone), "one", NAMES)
    advised = str(caught.value).split("`")[-2]
    subprocess.run(["sh", "-c", advised], cwd=clone, check=True, capture_output=True)
    assert apply(Repository.of(clone), "one", NAMES).is_new


def test_what_the_server_says() -> None:
    said = "remote: Resolving deltas: 100%\nremote: \x1b[K\nremote: no.  \nTo x\n"
    assert "remote: no." in remote_lines(said)
    assert not any("deltas" in line for line in remote_lines(said))
