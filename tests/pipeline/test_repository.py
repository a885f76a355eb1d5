"""Repositories as they come: hooks, signing, line ends, submodules, odd environments."""

from pathlib import Path

import pytest
from tests.pipeline.repositories import BEST, NAMES, commit, git, make_project, parameters, snapshot

from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.apply import apply
from tunesmith.pipeline.branches.states import find
from tunesmith.pipeline.repository import Repository, TreeEntry
from tunesmith.system.git import GitError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_project(tmp_path)
    experiment.start(Repository.of(root), "one")
    commit(root, {BEST: parameters(depth=5)}, "tuned", "tuning/one")
    return root


def bring(root: Path) -> str:
    return apply(Repository.of(root), "one", NAMES).commit


def alarm(folder: Path, name: str) -> str:
    """A program that leaves a mark when it is called."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{folder}/pwned'\nexit 1\n")
    path.chmod(0o755)
    return str(path)


def test_nothing_of_the_repository_is_run(root: Path, tmp_path: Path) -> None:
    """Neither hooks, nor signing that could not work, nor filters and watchers."""
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "pre-push"):
        alarm(root / ".git/hooks", hook)
    program = alarm(tmp_path, "alarm")
    for name in ("gpg.program", "core.fsmonitor", "core.pager", "diff.external", "core.editor"):
        git(root, "config", name, program)
    for name in ("commit.gpgSign", "tag.gpgSign", "push.gpgSign", "log.showSignature"):
        git(root, "config", name, "true")
    git(root, "config", "filter.mine.clean", program)
    git(root, "config", "diff.mine.textconv", program)
    (root / ".git/info/attributes").write_text("* filter=mine diff=mine\n")
    bring(root)
    experiment.start(Repository.of(root), "two")
    Repository.of(root).push("origin", ["training/one"])
    assert find(Repository.of(root), NAMES, "one").state == "applied"
    assert not (root / ".git/hooks/pwned").exists()
    assert not (tmp_path / "pwned").exists()


def test_without_an_identity_it_commits_all_the_same(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git(root, "config", "--unset", "user.name")
    git(root, "config", "--unset", "user.email")
    git(root, "config", "user.useConfigOnly", "true")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    bring(root)
    assert git(root, "log", "-1", "--format=%an", "training/one") == "Tunesmith"


def test_inside_a_hook_it_finds_the_right_repository(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git tells hooks where it works, and that is not always where we do."""
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", str(other))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git/objects"))
    repository = Repository.of(root)
    assert repository.root == root
    apply(repository, "one", NAMES)


def test_modes_of_files_are_kept(root: Path) -> None:
    git(root, "switch", "-q", "training/one")
    (root / BEST).chmod(0o755)
    commit(root, {"x": "1"}, "mode")
    git(root, "switch", "-q", "main")
    bring(root)
    assert git(root, "ls-tree", "training/one", "--", BEST).startswith("100755")


def test_line_ends_of_either_kind(root: Path) -> None:
    git(root, "config", "core.autocrlf", "true")
    git(root, "switch", "-q", "tuning/one")
    (root / BEST).write_bytes(parameters(depth=6).replace("\n", "\r\n").encode())
    git(root, "commit", "-q", "-am", "tuned again, on another system")
    git(root, "switch", "-q", "main")
    before = snapshot(root)
    bring(root)
    assert snapshot(root) == before
    git(root, "config", "core.autocrlf", "false")
    git(root, "switch", "-q", "--discard-changes", "tuning/one")
    (root / BEST).write_bytes(b"\xef\xbb\xbf" + parameters(depth=7).replace("\n", "\r\n").encode())
    git(root, "commit", "-q", "-am", "tuned again, and stored as it is")
    git(root, "switch", "-q", "main")
    bring(root)
    assert find(Repository.of(root), NAMES, "one").state == "applied"


def test_a_submodule_is_a_repository_of_its_own(root: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    git(tmp_path, "init", "-q", "-b", "main", str(outer))
    allowed = ("-c", "protocol.file.allow=always")
    git(outer, *allowed, "submodule", "--quiet", "add", str(root), "inner")
    git(outer / "inner", "fetch", "-q", "origin")
    before = git(outer, "status", "--porcelain")
    assert Repository.of(outer / "inner").root == outer / "inner"
    assert bring(outer / "inner")
    assert git(outer, "status", "--porcelain") == before


def test_odd_paths_and_contents(root: Path) -> None:
    repository = Repository.of(root)
    names = ["a b.txt", "*.txt", "-x", "ü/é.txt", "a\nb", ":(top)x"]
    blobs = {name: repository.store(f"{name}\n".encode()) for name in names}
    tip = git(root, "rev-parse", "training/one")
    files = {name: TreeEntry("100644", blob) for name, blob in blobs.items()}
    made = repository.commit_files("training/one", tip, {**files, BEST: None}, "odd")
    assert repository.entries(made, [*names, BEST, "gone"]) == files
    assert set(files) < set(repository.files(made))
    found = repository.blobs([(made, name) for name in ("a b.txt", "ü/é.txt", "a\nb", "gone")])
    assert found == [blobs["a b.txt"], blobs["ü/é.txt"], None, None]
    assert repository.contents([*blobs.values(), repository.store(b"")])[blobs["-x"]] == b"-x\n"
    assert repository.tree(made, "ü") is not None


def test_a_branch_that_has_moved_is_left_alone(root: Path) -> None:
    repository = Repository.of(root)
    tip = git(root, "rev-parse", "training/one")
    entry = {"x": TreeEntry("100644", repository.store("1"))}

    class Slow(Repository):
        """Somebody commits between a look and the write."""

        def _commit(self, *given: object) -> str:
            made = super()._commit(*given)  # type: ignore[arg-type]
            git(root, "update-ref", "refs/heads/training/one", "tuning/one")
            return made

    with pytest.raises(GitError, match="training/one"):
        Slow(repository.root).commit_files("training/one", tip, entry, "mine")
    assert git(root, "rev-parse", "training/one") == git(root, "rev-parse", "tuning/one")


def test_links_are_no_parameters(root: Path) -> None:
    git(root, "switch", "-q", "tuning/one")
    (root / BEST).unlink()
    (root / BEST).symlink_to("/etc/passwd")
    git(root, "commit", "-q", "-am", "a link")
    git(root, "switch", "-q", "main")
    with pytest.raises(Exception, match="parameters"):
        bring(root)
