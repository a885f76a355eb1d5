"""Git LFS and other filters: no pointer without its object, no file as it should not be."""

import os
import shutil
from pathlib import Path

import pytest
from tests.pipeline.repositories import git

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.repository import Repository
from tunesmith.system.git import GitError

HAS_LFS = shutil.which("git-lfs") is not None
needs_lfs = pytest.mark.skipif(not HAS_LFS, reason="git-lfs is not installed here")
MODEL, REPORT = "outputs/model.bin", "outputs/report.md"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 9\n"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith(("GIT_", "GITHUB_", "GITLAB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "gitconfig").write_text("[user]\nname = Ann\nemail = ann@example.org\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clone on ``tuning/one`` where models are stored by Git LFS, by name."""
    remote, root = tmp_path / "remote.git", tmp_path / "job"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "clone", "-q", f"file://{remote}", str(root))
    git(root, "switch", "-q", "-c", "tuning/one")
    (root / ".gitattributes").write_text("*.bin filter=lfs -text\n*.secret filter=vault\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "push", "-q", "origin", "HEAD")
    (root / "outputs").mkdir()
    return root


@pytest.fixture
def without_lfs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with Git and a shell, and no git-lfs."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tools))


def objects(tmp_path: Path) -> set[str]:
    return {
        path.name for path in (tmp_path / "remote.git/lfs/objects").rglob("*") if path.is_file()
    }


def tip(root: Path) -> str:
    return git(root, "ls-remote", "origin", "refs/heads/tuning/one").split()[0]


@needs_lfs
def test_objects_are_there_before_their_pointers(root: Path, tmp_path: Path) -> None:
    git(root, "lfs", "install", "--local")
    (root / MODEL).write_bytes(os.urandom(3000))
    done = Checkout.in_ci(root, None).commit_and_push([MODEL], "tune: x", None)
    pointer = git(root, "show", f"{done.commit}:{MODEL}")
    assert pointer.startswith("version https://git-lfs")
    assert objects(tmp_path) == {pointer.split("sha256:")[1].split()[0]}
    fresh = tmp_path / "fresh"
    git(
        tmp_path,
        "clone",
        "-q",
        "--branch",
        "tuning/one",
        f"file://{tmp_path}/remote.git",
        str(fresh),
    )
    git(fresh, "lfs", "install", "--local")
    git(fresh, "lfs", "pull")
    assert (fresh / MODEL).read_bytes() == (root / MODEL).read_bytes()


@needs_lfs
def test_experiments_take_their_objects_along(root: Path, tmp_path: Path) -> None:
    git(root, "lfs", "install", "--local")
    (root / MODEL).write_bytes(os.urandom(3000))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a model")
    git(root, "branch", "training/one")
    Repository.of(root).push("origin", ["training/one"])
    assert len(objects(tmp_path)) == 1


@needs_lfs
def test_an_object_that_is_nowhere_stops_the_push(root: Path) -> None:
    git(root, "lfs", "install", "--local")
    before = tip(root)
    (root / MODEL).write_bytes(os.urandom(3000))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "by hand")
    shutil.rmtree(root / ".git/lfs/objects")
    (root / REPORT).write_text("x")
    # Whatever the project's settings let pass.
    git(root, "config", "lfs.allowincompletepush", "true")
    with pytest.raises(GitError, match="Git LFS could not upload") as caught:
        Checkout.in_ci(root, None).commit_and_push([REPORT], "x", None)
    assert "`git lfs fetch --all`" in str(caught.value)
    assert tip(root) == before


@needs_lfs
def test_an_object_that_another_remote_has(root: Path, tmp_path: Path) -> None:
    git(root, "lfs", "install", "--local")
    (root / MODEL).write_bytes(os.urandom(3000))
    Checkout.in_ci(root, None).commit_and_push([MODEL], "tune: x", None)
    shutil.rmtree(root / ".git/lfs/objects")
    git(tmp_path, "init", "-q", "--bare", str(tmp_path / "other.git"))
    git(root, "remote", "add", "other", f"file://{tmp_path}/other.git")
    (root / REPORT).write_text("x")
    with pytest.raises(GitError, match="Git LFS could not upload") as caught:
        Checkout.in_ci(root, None).commit_and_push([REPORT], "x", None, "other")
    git(root, *str(caught.value).split("`")[1].split()[1:])
    assert Checkout.in_ci(root, None).commit_and_push([REPORT], "x", None, "other").commit


@needs_lfs
def test_a_model_that_did_not_change_needs_nothing(root: Path) -> None:
    git(root, "lfs", "install", "--local")
    (root / MODEL).write_bytes(os.urandom(3000))
    checkout = Checkout.in_ci(root, None)
    assert checkout.commit_and_push([MODEL], "x", None).commit
    assert checkout.commit_and_push([MODEL], "x", None).commit is None


@pytest.mark.parametrize("setting", ["none", "required", "lenient"])
def test_without_git_lfs_nothing_is_stored_as_it_is(
    root: Path, without_lfs: None, setting: str
) -> None:
    if setting != "none":
        git(root, "config", "filter.lfs.clean", "git-lfs clean -- %f")
        git(root, "config", "filter.lfs.process", "git-lfs filter-process")
        git(root, "config", "filter.lfs.required", str(setting == "required").lower())
    before, head = tip(root), git(root, "rev-parse", "HEAD")
    (root / MODEL).write_bytes(os.urandom(3000))
    for push in (True, False):
        checkout = Checkout.in_ci(root, None)
        with pytest.raises(UsageError, match=r"model\.bin passes through Git's filter `lfs`"):
            _ = (checkout.commit_and_push if push else checkout.commit)([MODEL], "x", None)
    assert (tip(root), git(root, "rev-parse", "HEAD")) == (before, head)


def test_without_git_lfs_pointers_of_others_are_not_pushed(root: Path, without_lfs: None) -> None:
    """A pointer that came into the commits by itself, its object on this machine alone."""
    (root / MODEL).write_text(POINTER.format(oid="0" * 64))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a pointer")
    (root / REPORT).write_text("x")
    before = tip(root)
    with pytest.raises(GitError, match="git-lfs is not installed here"):
        Checkout.in_ci(root, None).commit_and_push([REPORT], "x", None)
    with pytest.raises(GitError, match="git-lfs is not installed here"):
        Repository.of(root).push("origin", ["tuning/one"])
    assert tip(root) == before


def test_without_git_lfs_what_is_there_already_does_no_harm(root: Path, without_lfs: None) -> None:
    (root / MODEL).write_text(POINTER.format(oid="1" * 64))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a pointer")
    git(root, "push", "-q", "origin", "HEAD")
    (root / REPORT).write_text("x")
    done = Checkout.in_ci(root, None).commit_and_push([MODEL, REPORT], "x", None)
    assert done.files == (REPORT,)


def test_other_filters_are_not_left_out(root: Path) -> None:
    (root / "key.secret").write_text("in clear text\n")
    checkout = Checkout.in_ci(root, None)
    with pytest.raises(UsageError, match="Git's filter `vault`"):
        checkout.commit(["key.secret"], "x", None)
    git(root, "config", "filter.vault.clean", "false")
    with pytest.raises(UsageError, match="Git's filter `vault`"):
        checkout.commit(["key.secret"], "x", None)
    git(root, "config", "filter.vault.clean", "rev")
    done = checkout.commit(["key.secret"], "x", None)
    assert git(root, "show", f"{done.commit}:key.secret") == "txet raelc ni"
