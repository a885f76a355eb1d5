import subprocess
from pathlib import Path

from tunesmith.objective.program.observing.git_folder import folders_of, give, repository


def test_a_submodules_repository_leads_to_the_run_and_not_back(tmp_path: Path) -> None:
    """Its settings name the project's files, which must not be asked for."""
    kept, project, place = tmp_path / "modules" / "p", tmp_path / "p", tmp_path / "run"
    for folder in (kept.parent, project, place):
        folder.mkdir()
    subprocess.run(["git", "init", "-q", "--separate-git-dir", kept, project], check=True)
    subprocess.run(["git", "-C", project, "config", "core.worktree", project], check=True)
    (kept / "index.lock").touch()
    entry = project / ".git"
    assert entry.is_file()
    assert repository(str(entry)) == (str(kept), str(kept))
    assert [*folders_of(project / "deep")] == [str(kept)] * 2
    give(str(entry), str(place / ".git"))
    asked = ["git", "-C", str(place), "rev-parse", "--show-toplevel"]
    assert subprocess.check_output(asked, text=True).strip() == str(place)
    assert not (place / ".git" / "index.lock").exists()
    # GitPython follows no links there.
    assert not (place / ".git" / "refs").is_symlink()


def test_what_is_no_repository_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere")
    give(str(tmp_path / ".git"), str(tmp_path / "own"))
    assert not (tmp_path / "own").exists()
    assert repository(str(tmp_path / "missing")) is None
