import os
import subprocess
from pathlib import Path

import pytest

from tunesmith.config.program import WorkspaceSection
from tunesmith.objective.program.observing.data_folders import MANY_ENTRIES
from tunesmith.objective.program.observing.workspace import LARGE_BYTES, layout, matching


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src" / "__pycache__").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "out").mkdir()
    (root / ".tunesmith").mkdir()
    (root / "train.sh").write_text("echo hi\n")
    (root / "train.sh").chmod(0o755)
    os.utime(root / "train.sh", (1, 1_000_000_000))
    (root / "src" / "a b.py").write_text("x = 1\n")
    (root / "src" / "__pycache__" / "a.pyc").write_text("")
    (root / "data" / "big.csv").write_text("1,2\n")
    (root / "out" / "metrics.json").write_text("{}")
    (root / "out" / "model.bin").write_text("m")
    with (root / "large.bin").open("wb") as file:
        file.truncate(LARGE_BYTES + 1)
    (root / "link.py").symlink_to("src/a b.py")
    (root / ".gitignore").write_text("data/\nout/\n__pycache__/\n")
    git(tmp_path, "init", "-q", str(root))
    git(root, "add", "-A")
    return root


def laid_out(root: Path, place: Path, written: tuple[str, ...] = (), **section: object) -> Path:
    layout(root, WorkspaceSection(**section), written).lay_out(place)  # type: ignore[arg-type]
    return place


def test_what_git_keeps_is_copied_and_the_rest_linked(project: Path, tmp_path: Path) -> None:
    place = laid_out(project, tmp_path / "w")
    assert (place / "src" / "a b.py").read_text() == "x = 1\n"
    assert not (place / "src" / "a b.py").is_symlink()
    assert (place / "link.py").readlink() == Path("src/a b.py")
    assert (place / "large.bin").is_symlink()
    assert not (place / ".git").exists()
    assert not (place / ".tunesmith").exists()
    assert not (place / "src" / "__pycache__").exists()


def test_folders_of_data_are_laid_out_if_they_are_small(project: Path, tmp_path: Path) -> None:
    (project / "data" / "deep" / "empty").mkdir(parents=True)
    with (project / "data" / "deep" / "large.bin").open("wb") as file:
        file.truncate(LARGE_BYTES + 1)
    (project / "inputs").mkdir()
    for number in range(MANY_ENTRIES + 1):
        (project / "inputs" / str(number)).touch()
    (project / ".gitignore").write_text("data/\ninputs/\nout/\n")
    place = laid_out(project, tmp_path / "w")
    # `find` and `os.walk` do not enter links to folders.
    walked = {Path(folder, n) for folder, _, names in os.walk(place / "data") for n in names}
    assert walked == {place / "data" / "big.csv", place / "data" / "deep" / "large.bin"}
    assert (place / "data" / "deep" / "empty").is_dir()
    assert not (place / "data" / "big.csv").is_symlink()
    assert (place / "data" / "deep" / "large.bin").is_symlink()
    assert (place / "inputs").readlink() == project / "inputs"


def test_modes_and_times_are_kept(project: Path, tmp_path: Path) -> None:
    status = (laid_out(project, tmp_path / "w") / "train.sh").stat()
    assert status.st_mode & 0o777 == 0o755
    assert status.st_mtime == 1_000_000_000


def test_changes_stay_in_the_copy(project: Path, tmp_path: Path) -> None:
    place = laid_out(project, tmp_path / "w")
    with (place / "train.sh").open("a") as file:
        file.write("more")
    assert (project / "train.sh").read_text() == "echo hi\n"


def test_what_is_written_is_never_linked(project: Path, tmp_path: Path) -> None:
    place = laid_out(project, tmp_path / "w", ("out/metrics.json", "new/deep/p.jsonl"))
    assert not (place / "out").is_symlink()
    assert not (place / "out" / "metrics.json").exists()
    assert not (place / "out" / "model.bin").exists()
    assert (place / "new" / "deep").is_dir()


def test_files_that_are_new_or_gone_count(project: Path, tmp_path: Path) -> None:
    (project / "new.py").write_text("")
    (project / "src" / "a b.py").unlink()
    place = laid_out(project, tmp_path / "w")
    assert (place / "new.py").exists()
    assert not (place / "src" / "a b.py").exists()


def test_links_and_omissions_can_be_asked_for(project: Path, tmp_path: Path) -> None:
    place = laid_out(project, tmp_path / "w", link="src", leave_out=["data", "*.bin"])
    assert (place / "src").exists()
    assert not (place / "data").exists()
    assert not (place / "large.bin").exists()
    assert (place / "src" / "a b.py").is_symlink()


def test_without_git_everything_counts(project: Path, tmp_path: Path) -> None:
    subprocess.run(["rm", "-rf", str(project / ".git")], check=True)
    (project / ".venv" / "bin").mkdir(parents=True)
    place = laid_out(project, tmp_path / "w")
    assert (place / ".venv").is_symlink()
    assert (place / "data" / "big.csv").read_text() == "1,2\n"
    assert not (place / "data").is_symlink()


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
@pytest.mark.parametrize("has_git", [True, False])
def test_environments_are_linked_whatever_their_name(
    project: Path, tmp_path: Path, mark: str, has_git: bool
) -> None:
    (project / "env" / mark).parent.mkdir(parents=True)
    (project / "env" / mark).write_text("")
    (project / "env" / "python").write_text("")
    if not has_git:
        subprocess.run(["rm", "-rf", str(project / ".git")], check=True)
    place = laid_out(project, tmp_path / "w")
    assert (place / "env").readlink() == project / "env"


def test_links_lead_to_the_same_place(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / "src" / "outside").symlink_to("../../elsewhere")
    (project / "src" / "inside.sh").symlink_to("../train.sh")
    place = laid_out(project, tmp_path / "deep" / "er" / "w")
    assert (place / "src" / "outside").resolve() == (tmp_path / "elsewhere").resolve()
    assert (place / "src" / "inside.sh").resolve() == (place / "train.sh").resolve()


def test_a_project_that_git_ignores_as_a_whole_is_laid_out(project: Path, tmp_path: Path) -> None:
    subprocess.run(["rm", "-rf", str(project / ".git")], check=True)
    git(tmp_path, "init", "-q", ".")
    (tmp_path / ".gitignore").write_text("project/\n")
    place = laid_out(project, tmp_path / "w")
    assert (place / "train.sh").read_text() == "echo hi\n"
    assert not (place / "train.sh").is_symlink()


def test_patterns_find_plain_files_in_order(project: Path) -> None:
    found = [path.name for path in matching(project, ["**/*.py", "*.sh", "**/*"])]
    assert "train.sh" in found
    assert "link.py" not in found


def test_what_dvc_needs_to_read_other_commits_is_there(project: Path, tmp_path: Path) -> None:
    for name in ("cache/files/md5/ab/cd", "config", "config.local", "tmp/lock"):
        (project / ".dvc" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / ".dvc" / name).write_text(name)
    (project / ".dvc" / ".gitignore").write_text("/cache\n/config.local\n/tmp\n")
    place = laid_out(project, tmp_path / "place")
    assert (place / ".dvc" / "cache").is_symlink()
    assert (place / ".dvc" / "config.local").read_text() == "config.local"
    assert not (place / ".dvc" / "tmp").exists()
    unwatched = layout(project, WorkspaceSection(), (), is_watched=False)
    assert ".dvc/cache" not in unwatched.links
