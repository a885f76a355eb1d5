"""Experiments on real repositories, with a bare remote; the working tree is never touched."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.errors import UsageError
from tunesmith.fingerprint import digest
from tunesmith.pipeline import experiment
from tunesmith.pipeline.repository import GitError, Repository

BEST = "config/best_parameters.yaml"
CONFIG = "tuning.yaml"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def parameters(*, meta: bool = True, **params: Any) -> str:
    content: dict[str, Any] = {"params": params}
    if meta:
        found = {"study": "churn", "trial": 7, "metric": "recall", "mean": 0.875}
        content["meta"] = {**found, "digest": digest(params)}
    return str(yaml.safe_dump(content))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a commit, cloned from a bare remote."""
    remote, root = tmp_path / "remote.git", tmp_path / "project"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(remote), str(root)], check=True, capture_output=True)
    git(root, "config", "user.name", "Ann")
    git(root, "config", "user.email", "ann@example.org")
    git(root, "switch", "-q", "-c", "main")
    commit(root, {CONFIG: "study: churn\n", BEST: parameters(depth=3)}, "first")
    git(root, "push", "-q", "origin", "main")
    return root


@pytest.fixture
def repository(root: Path) -> Repository:
    return Repository.of(root)


def commit(root: Path, files: dict[str, str], message: str, branch: str | None = None) -> str:
    """Commit files, on another branch if one is named; ends where it began."""
    if branch:
        git(root, "switch", "-q", branch)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    found = git(root, "rev-parse", "HEAD")
    if branch:
        git(root, "switch", "-q", "-")
    return found


def tuned(root: Path, repository: Repository, **params: Any) -> str:
    experiment.start(repository, "one")
    return commit(root, {BEST: parameters(**params)}, "tuned", "tuning/one")


def apply(repository: Repository, **options: Any) -> experiment.Applied:
    return experiment.apply(repository, "one", BEST, (CONFIG,), **options)


def state(repository: Repository) -> str:
    (found,) = experiment.experiments(repository, BEST)
    return found.state


def snapshot(root: Path) -> tuple[str, str, dict[str, str]]:
    """All that a user sees of the working tree."""
    files = {
        p.name: p.read_text() for p in root.rglob("*") if p.is_file() and ".git" not in p.parts
    }
    return git(root, "status", "--porcelain=v2", "--branch"), git(root, "stash", "list"), files


def test_both_branches_begin_at_the_same_commit(root: Path, repository: Repository) -> None:
    (root / "dirty.txt").write_text("x")
    before = snapshot(root)
    head = experiment.start(repository, "one")
    assert head == git(root, "rev-parse", "HEAD")
    branches = repository.branches()
    assert branches["tuning/one"] == branches["training/one"] == head
    assert snapshot(root) == before
    assert state(repository) == "begun"


def test_they_may_begin_elsewhere(root: Path, repository: Repository) -> None:
    first = git(root, "rev-parse", "HEAD")
    commit(root, {"x": "1"}, "second")
    assert experiment.start(repository, "old", "HEAD~1") == first
    git(root, "switch", "-q", "--detach", "HEAD")
    experiment.start(repository, "detached")


def test_the_way_from_tuning_to_main(root: Path, repository: Repository) -> None:
    source = tuned(root, repository, depth=5, learning_rate=0.005)
    assert state(repository) == "tuned"
    before = snapshot(root)
    done = apply(repository)
    assert done.is_new
    assert snapshot(root) == before
    assert done.changes == ("depth: 3 -> 5", "learning_rate: (none) -> 0.005")
    message = git(root, "log", "-1", "--format=%B", "training/one")
    assert message.startswith("tune: parameters of trial 7 of study churn: recall 0.875")
    assert "- depth: 3 -> 5" in message
    assert f"From tuning/one at {source}." in message
    assert git(root, "show", "--format=", "--name-only", "training/one") == BEST
    assert git(root, "show", f"training/one:{BEST}") == git(root, "show", f"tuning/one:{BEST}")
    assert state(repository) == "applied"
    commit(root, {"outputs/training_metrics.json": "{}"}, "trained", "training/one")
    assert state(repository) == "trained"
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "training/one")
    assert state(repository) == "merged"


def test_applying_again_adds_nothing(root: Path, repository: Repository) -> None:
    tuned(root, repository, depth=5)
    first = apply(repository)
    again = apply(repository)
    assert (again.is_new, again.commit) == (False, first.commit)
    commit(root, {BEST: parameters(depth=6)}, "tuned again", "tuning/one")
    assert state(repository) == "tuned"
    assert apply(repository).changes == ("depth: 5 -> 6",)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "a b",
        "a/b",
        "..",
        "a..b",
        "x.lock",
        "$(touch pwned)",
        "é",
        "a" * 81,
        "a\nb",
        "@{",
        ".",
    ],
)
def test_odd_names_are_refused(root: Path, repository: Repository, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name an experiment"):
        experiment.start(repository, name)
    assert list(repository.branches()) == ["main"]
    assert not (root / "pwned").exists()


def test_hostile_branches_that_are_there_are_inert(root: Path, repository: Repository) -> None:
    head = git(root, "rev-parse", "HEAD")
    git(root, "update-ref", "refs/heads/tuning/$(touch${IFS}pwned)", head)
    (found,) = experiment.experiments(repository, BEST)
    assert found.state == "incomplete"
    assert not (root / "pwned").exists()


def test_names_that_are_taken_are_refused_and_nothing_is_made(
    root: Path, repository: Repository
) -> None:
    git(root, "branch", "training/one")
    with pytest.raises(UsageError, match="there is a branch `training/one` already"):
        experiment.start(repository, "one")
    assert "tuning/one" not in repository.branches()


def test_what_is_missing_is_said(root: Path, repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`nowhere` names no commit"):
        experiment.start(repository, "one", "nowhere")
    with pytest.raises(UsageError, match=r"there is no experiment `one`\. Begin one"):
        apply(repository)
    experiment.start(repository, "one")
    with pytest.raises(UsageError, match="no tuned parameters yet"):
        apply(repository)
    with pytest.raises(UsageError, match="Did you mean `one`"):
        experiment.find(repository, "onee", BEST)
    with pytest.raises(UsageError, match="in no Git repository"):
        Repository.of(tmp_path)
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    with pytest.raises(UsageError, match="Commit something first"):
        experiment.start(Repository.of(tmp_path / "new"), "one")


def test_edited_parameters_are_not_applied_unasked(root: Path, repository: Repository) -> None:
    tuned(root, repository, depth=5)
    text = parameters(depth=5).replace("depth: 5", "depth: 9")
    commit(root, {BEST: text}, "by hand", "tuning/one")
    with pytest.raises(UsageError, match="edited after it was written") as caught:
        apply(repository)
    assert "--force" in str(caught.value)
    assert apply(repository, force=True).changes == ("depth: 3 -> 9",)


def test_stale_parameters_are_not_applied_unasked(root: Path, repository: Repository) -> None:
    tuned(root, repository, depth=5)
    commit(root, {CONFIG: "study: churn\nstop: {trials: 9}\n"}, "config", "tuning/one")
    with pytest.raises(UsageError, match=r"tuning\.yaml has changed on `tuning/one` since"):
        apply(repository)
    commit(root, {BEST: parameters(depth=6)}, "tuned again", "tuning/one")
    assert apply(repository).changes == ("depth: 3 -> 6",)


def test_a_training_branch_with_edits_of_its_own_is_left_alone(
    root: Path, repository: Repository
) -> None:
    tuned(root, repository, depth=5)
    own = parameters(meta=False, depth=4)
    tip = commit(root, {BEST: own}, "mine", "training/one")
    with pytest.raises(UsageError, match="`training/one` has changes of its own"):
        apply(repository)
    assert repository.branches()["training/one"] == tip


def test_a_branch_that_somebody_stands_on_is_left_alone(
    root: Path, repository: Repository, tmp_path: Path
) -> None:
    tuned(root, repository, depth=5)
    git(root, "worktree", "add", "-q", str(tmp_path / "other"), "training/one")
    with pytest.raises(UsageError, match=r"is checked out in .*other"):
        apply(repository)


def test_branches_of_the_remote_count(root: Path, repository: Repository, tmp_path: Path) -> None:
    tuned(root, repository, depth=5)
    repository.push("origin", ["tuning/one", "training/one"])
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), str(clone))
    fresh = Repository.of(clone)
    assert state(fresh) == "tuned"
    with pytest.raises(UsageError, match="is on a remote only"):
        apply(fresh)
    git(clone, "branch", "-q", "training/one", "origin/training/one")
    assert apply(fresh).is_new
    fresh.push("origin", ["training/one"])
    git(root, "fetch", "-q")
    commit(root, {"x": "1"}, "mine", "training/one")
    with pytest.raises(GitError, match=r"origin refused the push.*rejected.*\n  Fetch and look"):
        repository.push("origin", ["training/one"])
    with pytest.raises(GitError):
        repository.push("nowhere", ["training/one"])


def test_without_an_identity_it_commits_all_the_same(
    root: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tuned(root, repository, depth=5)
    git(root, "config", "--unset", "user.name")
    git(root, "config", "--unset", "user.email")
    git(root, "config", "user.useConfigOnly", "true")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    apply(repository)
    assert git(root, "log", "-1", "--format=%an", "training/one") == "Tunesmith"


def test_modes_of_files_are_kept(root: Path, repository: Repository) -> None:
    (root / BEST).chmod(0o755)
    commit(root, {"x": "1"}, "mode")
    tuned(root, repository, depth=5)
    apply(repository)
    assert git(root, "ls-tree", "training/one", "--", BEST).startswith("100755")


def test_from_the_command_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from click.testing import CliRunner

    from tunesmith.cli.experiment import command

    monkeypatch.chdir(root)
    text = """\
study: churn
objective: {estimator: sklearn.svm.SVC, data: {path: d.csv, target: y}, metric: accuracy}
space: {C: [1, 2]}
search: {method: grid}
"""
    commit(root, {CONFIG: text}, "config")
    runner = CliRunner()
    started = runner.invoke(command, ["start", "one", "--push", "origin"], catch_exceptions=False)
    assert started.output.startswith("tuning/one and training/one begin at")
    commit(root, {BEST: parameters(C=2)}, "tuned", "tuning/one")
    listed = runner.invoke(command, ["list"], catch_exceptions=False)
    assert listed.output == "one  tuned       its parameters are not on the training branch\n"
    applied = runner.invoke(command, ["apply", "one"], catch_exceptions=False)
    assert "  C: (none) -> 2" in applied.output
    found = json.loads(runner.invoke(command, ["status", "one", "--json"]).output)
    assert [e["state"] for e in found["experiments"]] == ["applied"]
