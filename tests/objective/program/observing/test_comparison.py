import subprocess
from pathlib import Path

import pytest

from tunesmith.config.program import WorkspaceSection
from tunesmith.objective.program.observing import comparison
from tunesmith.objective.program.observing.comparison import project_states
from tunesmith.objective.program.observing.reading import ProjectView
from tunesmith.objective.program.observing.workspace import layout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("src/a.py", "b.py", "data/rows.csv", "out/best.yaml", "run.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("data/\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def view(root: Path) -> ProjectView:
    made = layout(root, WorkspaceSection(), (), ())
    return ProjectView(root, made, unlisted=frozenset({"out/best.yaml"}), found=made)


def states(root: Path, *named: str, is_watched: bool = True) -> dict[str, str]:
    return project_states(view(root), None, named, is_watched=is_watched)


def test_files_that_programs_read_count(root: Path) -> None:
    (root / "slurm-1.out").write_text("")
    before = states(root)
    assert before.keys() == {".gitignore", "src/a.py", "b.py", "data/rows.csv", "run.sh"}
    # Ignored data count by their content, and programs by their right to run.
    (root / "data/rows.csv").write_text("other")
    (root / "run.sh").chmod(0o755)
    after = states(root)
    assert {name for name in before if before[name] != after[name]} == {"data/rows.csv", "run.sh"}


def test_new_files_count_if_they_are_named_or_nobody_watches(root: Path) -> None:
    (root / "train.py").write_text("")
    assert "train.py" not in states(root)
    assert "train.py" in states(root, "train.py")
    assert {"train.py", "."} <= states(root, is_watched=False).keys()


def test_many_files_are_compared_by_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_NAMES", 4)
    before = states(root)
    assert before.keys() == {".gitignore", "src/", "b.py", "data/", "run.sh"}
    (root / "src/a.py").write_text("other")
    after = states(root)
    assert {name for name in before if before[name] != after[name]} == {"src/"}


def test_what_each_machine_has_of_its_own_does_not_count(root: Path) -> None:
    before = states(root)
    (root / ".gitignore").write_text("data/\n.dvc/\n.venv/\nlogs/\n")
    for name in (".dvc/cache/ab/c", ".dvc/config.local", ".venv/pyvenv.cfg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine")
    (root / "logs").mkdir()
    (root / "logs/1.txt").write_text("mine")
    assert states(root).keys() == before.keys()
