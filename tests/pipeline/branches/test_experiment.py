"""Names of experiments and their branches, on real repositories."""

from pathlib import Path

import pytest
from tests.pipeline.repositories import commit, git, make_project, snapshot

from tunesmith.errors import UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.repository import Repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def repository(root: Path) -> Repository:
    return Repository.of(root)


def test_both_branches_begin_at_the_same_commit(root: Path, repository: Repository) -> None:
    (root / "dirty.txt").write_text("x")
    before = snapshot(root)
    head = experiment.start(repository, "one")
    assert head == git(root, "rev-parse", "HEAD")
    branches = repository.branches()
    assert branches["tuning/one"] == branches["training/one"] == head
    assert snapshot(root) == before


def test_they_may_begin_elsewhere(root: Path, repository: Repository) -> None:
    first = git(root, "rev-parse", "HEAD")
    commit(root, {"x": "1"}, "second")
    assert experiment.start(repository, "old", "HEAD~1") == first
    git(root, "switch", "-q", "--detach", "HEAD")
    experiment.start(repository, "detached")


ODD = [
    "",
    "-x",
    "--help",
    "a b",
    "a/b",
    "../x",
    "..",
    "a..b",
    "x.lock",
    "a;b",
    "$(touch pwned)",
    "`touch pwned`",
    "é",
    "日本",
    "a\u202eb",
    "a" * 81,
    "a" * 300,
    "a\nb",
    "a\0b",
    "@{",
    ".",
]


def test_odd_names_are_refused(root: Path, repository: Repository) -> None:
    for name in ODD:
        with pytest.raises(UsageError, match="cannot name an experiment") as caught:
            experiment.start(repository, name)
        assert str(caught.value).isprintable()
    assert list(repository.branches()) == ["main"]
    assert not (root / "pwned").exists()


def test_odd_revisions_are_refused(root: Path, repository: Repository) -> None:
    for revision in ("nowhere", "--all", "-h", "$(touch pwned)", "HEAD:tuning.yaml", "a\nb"):
        with pytest.raises(UsageError, match="names no commit of this repository"):
            experiment.start(repository, "one", revision)
    assert list(repository.branches()) == ["main"]


@pytest.mark.parametrize(
    ("taken", "name"),
    [("training/one", "one"), ("Tuning/ONE", "one"), ("tuning/one/more", "one"), ("tuning", "x")],
)
def test_names_that_are_taken_are_refused_and_nothing_is_made(
    root: Path, repository: Repository, taken: str, name: str
) -> None:
    git(root, "branch", taken)
    before = repository.branches()
    with pytest.raises(UsageError, match=f"there is a branch `{taken}` already"):
        experiment.start(repository, name)
    assert repository.branches() == before


def test_what_is_missing_is_said(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in no Git repository"):
        Repository.of(tmp_path)
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    with pytest.raises(UsageError, match="Commit something first"):
        experiment.start(Repository.of(tmp_path / "new"), "one")
