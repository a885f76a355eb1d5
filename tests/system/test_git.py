import subprocess
from pathlib import Path

import pytest

from tunesmith.system import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    return tmp_path


def test_it_answers(repository: Path) -> None:
    assert git.answer(repository, "symbolic-ref", "--short", "HEAD") == "main"
    assert git.answer(repository, "rev-parse", "--verify", "HEAD") is None
    assert git.answer(repository / "nowhere", "status") is None


def test_paths_come_as_they_are(repository: Path) -> None:
    names = [" a", "b\nc", "é", "d "]
    for name in names:
        (repository / name).write_text("")
    found = git.paths(repository, "ls-files", "-co", "-z")
    assert found is not None
    assert sorted(found) == sorted(names)


def test_hooks_and_outside_variables_have_no_say(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    subprocess.run(
        ["git", "config", "core.fsmonitor", f"touch {tmp_path}/pwned"],
        cwd=repository,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert git.answer(repository, "status", "--porcelain") == ""
    assert not (tmp_path / "pwned").exists()


def test_files_are_read_as_they_were_committed(repository: Path) -> None:
    name = "sub dir/best.yaml"
    (repository / "sub dir").mkdir()
    (repository / name).write_text("a: 1\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["add", "."], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    (repository / name).write_text("a: 2\n")
    commit = git.commit(repository, "HEAD")
    assert commit is not None
    assert git.content(repository, commit, name) == "a: 1\n"
    assert git.content(repository / "sub dir", commit, "best.yaml") == "a: 1\n"
    assert git.content(repository, commit, "other.yaml") is None
    assert git.commit(repository, "--all") is None
    assert git.commit(repository, "no-such") is None
