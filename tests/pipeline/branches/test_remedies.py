"""What messages on experiments offer is typed as it stands, and takes the experiment on."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.pipeline.branches.test_transfer import FILES, TEXT, lock
from tests.pipeline.repositories import (
    BEST,
    CONFIG,
    LOOSE,
    NAMES,
    STUDY,
    TUNED,
    commit,
    git,
    make_project,
    parameters,
)
from tests.preloaded import programs

from tunesmith.errors import UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.apply import apply
from tunesmith.pipeline.branches.states import Experiment, find
from tunesmith.pipeline.repository import Repository

OFFER = re.compile(r"`((?:git|cd|tunesmith) [^`]+)`")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a tuned experiment that nobody has applied yet."""
    root = make_project(tmp_path, LOOSE)
    experiment.start(Repository.of(root), "one")
    commit(root, {TUNED: parameters(depth=5)}, "tuned", "tuning/one")
    return root


def one(root: Path) -> Experiment:
    return find(Repository.of(root), NAMES, "one")


def bring(root: Path) -> bool:
    return apply(Repository.of(root), "one", NAMES).is_new


def refused(root: Path) -> str:
    """What is offered where nothing can be applied."""
    with pytest.raises(UsageError) as caught:
        bring(root)
    (found,) = OFFER.findall(str(caught.value))
    return str(found)


def typed(root: Path, command: str) -> str:
    person = {
        f"GIT_{who}_{key}": "a@b" for who in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")
    }
    settings = {
        **os.environ,
        **person,
        "PATH": programs.path(),
        "GIT_EDITOR": "true",
        "GIT_PAGER": "cat",
    }
    done = subprocess.run(
        ["sh", "-c", command], cwd=root, env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("missing", ["tuning/one", "training/one"])
@pytest.mark.parametrize("is_pushed", [True, False])
def test_half_an_experiment(root: Path, missing: str, *, is_pushed: bool) -> None:
    repository = Repository.of(root)
    if is_pushed:
        repository.push("origin", ["tuning/one", "training/one"])
    git(root, "branch", "-D", missing)
    git(root, "update-ref", "-d", f"refs/remotes/origin/{missing}")
    way = refused(root)
    assert way == one(root).next
    typed(root, way)
    # Begun anew, the branch to tune on has nothing yet.
    is_lost = missing == "tuning/one" and not is_pushed
    assert one(root).state == ("begun" if is_lost else "tuned")
    if not is_lost:
        assert bring(root)


def test_a_shallow_clone(root: Path, tmp_path: Path) -> None:
    Repository.of(root).push("origin", ["tuning/one", "training/one"])
    shallow, url = tmp_path / "shallow", f"file://{tmp_path / 'remote.git'}"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", url, str(shallow))
    git(shallow, "branch", "-q", "training/one", "origin/training/one")
    typed(shallow, refused(shallow))
    assert one(shallow).state == "tuned"
    assert bring(shallow)


@pytest.mark.parametrize("place", ["here", "there", "there, main taken"])
def test_somebody_stands_on_the_branch(root: Path, tmp_path: Path, place: str) -> None:
    other = tmp_path / "other place"
    if place == "here":
        git(root, "switch", "-q", "training/one")
    else:
        git(root, "worktree", "add", "-q", str(other), "training/one")
    if place == "there":
        git(root, "switch", "-q", "--detach")
    typed(root, refused(root))
    assert bring(root)


@pytest.mark.parametrize("is_rewritten", [True, False])
def test_branches_that_have_parted(root: Path, tmp_path: Path, *, is_rewritten: bool) -> None:
    repository = Repository.of(root)
    commit(root, {"a.txt": "mine"}, "mine", "training/one")
    repository.push("origin", ["tuning/one", "training/one"])
    if is_rewritten:
        git(root, "switch", "-q", "training/one")
        git(root, "commit", "-q", "--amend", "-m", "in other words")
        git(root, "switch", "-q", "main")
    else:
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), str(clone))
        git(clone, "config", "user.name", "Bob")
        git(clone, "config", "user.email", "bob@example.org")
        commit(clone, {"b.txt": "theirs"}, "theirs", "training/one")
        git(clone, "push", "-q", "origin", "training/one")
        commit(root, {"c.txt": "mine"}, "mine again", "training/one")
        git(root, "fetch", "-q")
    typed(root, refused(root))
    git(root, "switch", "-q", "main")
    assert bring(root)


def test_changes_of_its_own_are_shown(root: Path) -> None:
    commit(root, {BEST: parameters(depth=9, trial=2)}, "by hand", "training/one")
    assert "depth: 9" in typed(root, refused(root))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_stage_that_only_the_branch_to_tune_on_has(tmp_path: Path, *, is_there: bool) -> None:
    """DVC would tune again on the branch to train on, unless that gets the same stage."""
    before = FILES if is_there else {n: t for n, t in FILES.items() if n != "dvc.yaml"}
    root = make_project(tmp_path, TEXT, **before)
    experiment.start(Repository.of(root), "one")
    other = FILES["dvc.yaml"].replace("cmd: tunesmith run", "cmd: tunesmith run -c tuning.yaml")
    files = {**FILES, "dvc.yaml": other, CONFIG: TEXT, BEST: parameters(depth=5)}
    locked = lock(files).replace("cmd: tunesmith run", "cmd: tunesmith run -c tuning.yaml")
    commit(root, {**files, "dvc.lock": locked}, "tuned", "tuning/one")
    way = refused(root)
    assert way == "git switch training/one && git merge tuning/one"
    typed(root, way)
    git(root, "switch", "-q", "main")
    apply(Repository.of(root), "one", NAMES)


def test_a_name_that_is_taken(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        experiment.start(Repository.of(root), "one")
    (way,) = OFFER.findall(str(caught.value))
    typed(root, way)
    assert git(root, "branch", "--show-current") == "tuning/one"


def test_the_experiment_of_another_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = "models/the churn"
    commit(root, {f"{folder}/{CONFIG}": STUDY}, "two projects")
    experiment.start(Repository.of(root), "two", project=folder)
    monkeypatch.chdir(root)
    with pytest.raises(UsageError) as caught:
        find(Repository.of(root), NAMES, "two")
    (way,) = OFFER.findall(str(caught.value))
    told = typed(root, f"{way} && tunesmith experiment status two")
    assert told.startswith("two  begun")
    assert "next: git switch tuning/two && tunesmith run" in told
