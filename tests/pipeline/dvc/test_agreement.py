"""What a lock file says against the files that are there."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.agreement import disagreements, tuning
from tunesmith.pipeline.dvc.digests import path_md5
from tunesmith.pipeline.dvc.stages import Coupling
from tunesmith.pipeline.findings import Finding
from tunesmith.testing.projects import make_project

BEST, REPORT = "config/best_parameters.yaml", "outputs/tuning_results.md"
STAGE: dict[str, Any] = {
    "cmd": "tunesmith run",
    "deps": ["data.csv", "src"],
    "params": [{"tuning.yaml": None}, {"other.yaml": ["a.b", "c"]}],
    "outs": [{BEST: {"cache": False}}, REPORT],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_project(tmp_path)
    for name in (BEST, REPORT, "src/a.py", "src/b/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}: 1\n")
    (tmp_path / "other.yaml").write_text("a: {b: 1.0e-3}\nc: [1, no]\nd: 4\n")
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"tuning": STAGE}}))
    lock(tmp_path)
    return tmp_path


def lock(root: Path, **changes: Any) -> None:
    config = yaml.safe_load((root / "tuning.yaml").read_text())
    locked = {
        "cmd": STAGE["cmd"],
        "deps": [{"path": path, "md5": path_md5(root / path)} for path in STAGE["deps"]],
        "params": {"tuning.yaml": config, "other.yaml": {"a.b": 0.001, "c": [1, "no"]}},
        "outs": [{"path": path, "md5": path_md5(root / path)} for path in (BEST, REPORT)],
        **changes,
    }
    content = {"schema": "2.0", "stages": {"tuning": locked}}
    (root / "dvc.lock").write_text(yaml.safe_dump(content))


def found(root: Path) -> list[Finding]:
    stage = tuning(load_definition(root / "tuning.yaml"))
    assert stage is not None
    return list(disagreements(stage))


def told(root: Path) -> list[tuple[str, str, str]]:
    return [(finding.level, finding.place, finding.found) for finding in found(root)]


def test_all_agrees(project: Path) -> None:
    assert found(project) == []
    stage = tuning(load_definition(project / "tuning.yaml"))
    assert stage is not None
    assert stage.coupling is Coupling.TIGHT


@pytest.mark.parametrize("name", [BEST, REPORT, "data.csv", "src/b/c.py"])
def test_a_file_that_changed(project: Path, name: str) -> None:
    (project / name).write_text("other\n")
    place = "src" if name.startswith("src") else name
    assert told(project) == [("failure", place, "has changed since dvc.lock was written")]
    assert "`dvc repro tuning`" in found(project)[0].fix


def test_an_out_that_is_missing_and_a_dependency_that_is(project: Path) -> None:
    (project / REPORT).unlink()
    (project / "data.csv").unlink()
    assert told(project) == [
        ("note", "data.csv", "is not here, so it is not compared with dvc.lock"),
        ("failure", REPORT, "is missing"),
    ]


def test_caches_count_only_where_nobody_ignores_them(project: Path) -> None:
    (project / "src/__pycache__").mkdir()
    (project / "src/__pycache__/a.pyc").write_bytes(b"x")
    assert [place for _, place, _ in told(project)] == ["src"]
    (project / ".dvcignore").write_text("# caches\n__pycache__/\n")
    assert told(project) == []
    (project / ".dvcignore").write_text("*.tmp\n")
    assert [level for level, _, _ in told(project)] == ["note"]


def test_params_that_changed(project: Path) -> None:
    path = project / "tuning.yaml"
    path.write_text("# a comment\n" + path.read_text().replace("cv: 3", "cv: 4"))
    (project / "other.yaml").write_text("a: {b: 1.0e-3}\nc: [1, yes]\nd: 5\n")
    assert told(project) == [
        ("failure", "other.yaml", "`c` changed since dvc.lock was written"),
        ("failure", "tuning.yaml", "`objective` changed since dvc.lock was written"),
    ]
    lock(project)
    path.write_text(path.read_text() + "selection: one_se\n")
    assert ("failure", "tuning.yaml", "`selection` changed since dvc.lock was written") in told(
        project
    )


def test_another_command_an_unknown_out_and_a_stage_that_never_ran(project: Path) -> None:
    lock(project, cmd="tunesmith run --trials 3", outs=[])
    assert [(place, text) for _, place, text in told(project)] == [
        ("dvc.lock", "stage `tuning` ran another command"),
        ("dvc.lock", f"{BEST} is not in it"),
        ("dvc.lock", f"{REPORT} is not in it"),
    ]
    (project / "dvc.lock").unlink()
    assert told(project) == [("note", "dvc.lock", "stage `tuning` has not been run by DVC yet")]


@pytest.mark.parametrize("text", [None, "", "schema: '2.0'\nstages: {}\n"])
def test_a_lock_that_was_committed_is_missed(project: Path, text: str | None) -> None:
    named = ["-c", "user.name=Ann", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "dvc.lock"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *named, *words], cwd=project, check=True)
    whole = told(project)
    (project / "dvc.lock").unlink()
    if text is not None:
        (project / "dvc.lock").write_text(text)
    found = tuning(load_definition(project / "tuning.yaml"))
    assert found is not None
    (finding,) = disagreements(found)
    assert (finding.place, finding.found) == ("dvc.lock", "lacks stage `tuning`")
    # What is offered helps.
    command = finding.fix.split("`")[1]
    subprocess.run(["sh", "-c", command], cwd=project, check=True, capture_output=True)
    assert told(project) == whole


def test_a_conflict_is_named_with_its_line(project: Path) -> None:
    lines = (project / "dvc.lock").read_text().splitlines(keepends=True)
    both = [*lines[:3], "<<<<<<< HEAD\n", *lines[3:5], "=======\n", lines[4], ">>>>>>> x\n"]
    (project / "dvc.lock").write_text("".join([*both, *lines[5:]]))
    with pytest.raises(UsageError, match=r"dvc\.lock:4: a merge has left both sides"):
        tuning(load_definition(project / "tuning.yaml"))


def test_a_project_below_the_repository(project: Path, tmp_path: Path) -> None:
    below = tmp_path / "models"
    make_project(below)
    stage = {**STAGE, "cmd": "tunesmith run -c models/tuning.yaml", "outs": [f"models/{REPORT}"]}
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"models": stage}}))
    found = tuning(load_definition(below / "tuning.yaml"))
    assert found is not None
    assert (found.stage.name, found.coupling) == ("models", Coupling.LOOSE)
    (below / ".git").mkdir()
    assert tuning(load_definition(below / "tuning.yaml")) is None
