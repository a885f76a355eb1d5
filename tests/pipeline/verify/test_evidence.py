"""With the real DVC: what its lock file vouches for, and what it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.preloaded import programs

from tunesmith.config.load import load_definition
from tunesmith.pipeline.verify.verify import verify
from tunesmith.testing.projects import TUNING, make_project

BEST = "config/best_parameters.yaml"
SECTIONS = """\
execution: {workers: 1}
outputs: {trials: outputs/trials.csv, history: outputs/history.jsonl, metrics: outputs/m.json}
"""
STAGES = """\
stages:
  tuning:
    cmd: tunesmith run -q
    deps: [data.csv, src]
    params:
    - tuning.yaml:
    outs:
    - config/best_parameters.yaml: {cache: false, persist: true}
    - outputs/tuning_results.md: {cache: false, persist: true}
    - outputs/trials.csv: {cache: false, persist: true}
    - outputs/history.jsonl: {cache: false, persist: true}
    metrics:
    - outputs/m.json: {cache: false, persist: true}
"""


def call(root: Path, *command: str) -> int:
    environment = {
        **os.environ,
        "PATH": programs.path(),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DVC_NO_ANALYTICS": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
    }
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode


def dvc(root: Path, *arguments: str) -> int:
    return call(root, "dvc", *arguments)


def found(root: Path) -> dict[str, list[str]]:
    """What does not agree, by place."""
    findings = verify(load_definition(root / "tuning.yaml")).findings
    places: dict[str, list[str]] = {}
    for finding in findings:
        places.setdefault(finding.place, []).append(finding.found)
    return places


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.slow
def test_tampering_that_dvc_was_made_to_vouch_for_is_found(tmp_path: Path) -> None:
    make_project(tmp_path, trials=6, text=TUNING + SECTIONS)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "src/deep").mkdir(parents=True)
    (tmp_path / "src/deep/clean.py").write_text("x = 1\n")
    (tmp_path / "src/deep.py").write_text("y = 1\n")
    call(tmp_path, "git", "init", "-q")
    dvc(tmp_path, "init", "-q")
    with (tmp_path / ".dvcignore").open("a") as file:
        file.write("__pycache__/\n")
    dvc(tmp_path, "repro", "-q")
    assert found(tmp_path) == {}
    kept = {name: (tmp_path / name).read_text() for name in (BEST, "dvc.lock", "tuning.yaml")}

    # An edit shows in both: the lock file and the ledger speak against it.
    edit(tmp_path, BEST, "max_depth: ", "max_depth: 1")
    edited = found(tmp_path)
    assert list(edited) == [BEST]
    assert len(edited[BEST]) == 2

    dvc(tmp_path, "commit", "-f", "-q", "tuning")
    assert dvc(tmp_path, "status", "-q") == 0
    laundered = found(tmp_path)
    assert list(laundered) == [BEST]
    assert "edited by hand since trial" in laundered[BEST][0]
    assert len(laundered[BEST]) == 1

    for name, text in kept.items():
        (tmp_path / name).write_text(text)
    dvc(tmp_path, "freeze", "-q", "tuning")
    edit(tmp_path, BEST, "max_depth: ", "max_depth: 1")
    edit(tmp_path, "tuning.yaml", "[gini, entropy]", "[gini]")
    dvc(tmp_path, "repro", "-q")
    dvc(tmp_path, "unfreeze", "-q", "tuning")
    assert dvc(tmp_path, "status", "-q") == 0
    laundered = found(tmp_path)
    assert set(laundered) == {BEST, "study `small`"}
    assert "`space` changed" in laundered["study `small`"][0]
