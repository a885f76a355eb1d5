"""The helper for training programs, in programs of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.training import params

READ = "import json, tunesmith; print(json.dumps(tunesmith.params({'a': 1, 'b': 2})))"
REPORT = "import tunesmith\ntunesmith.report(1, loss=0.5)\ntunesmith.report(loss=0.25, acc=1)"


def run(code: str, folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-c", code]
    env = {**os.environ, **environ}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_by_hand_the_defaults_hold(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert json.loads(run(READ, tmp_path).stdout) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config/best_parameters.yaml", "params: {b: 3, c: 1.0e-05}\nmeta: {trial: 1}\n"),
        ("config/best_parameters.json", '{"params": {"b": 3, "c": 1e-05}, "meta": {}}'),
        ("best_parameters.toml", "[params]\nb = 3\nc = 1e-05\n"),
        ("config/best_parameters.yml", "b: 3\nc: 1.0e-05\n"),
    ],
)
def test_the_best_parameters_of_the_project_come_next(
    tmp_path: Path, name: str, content: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    (tmp_path / ".git").mkdir()
    inside = tmp_path / "src" / "deep"
    inside.mkdir(parents=True)
    assert json.loads(run(READ, inside).stdout) == {"a": 1, "b": 3, "c": 1e-05}


def test_a_repository_is_not_left(tmp_path: Path) -> None:
    (tmp_path / "best_parameters.yaml").write_text("a: 5\n")
    (tmp_path / "project" / ".git").mkdir(parents=True)
    assert json.loads(run(READ, tmp_path / "project").stdout) == {"a": 1, "b": 2}


def test_within_a_study_the_trial_decides(tmp_path: Path) -> None:
    (tmp_path / "best_parameters.yaml").write_text("a: 5\n")
    file = tmp_path / "trial.json"
    file.write_text('{"a": 7}')
    found = run(READ, tmp_path, TUNESMITH_PARAMS=str(file))
    assert json.loads(found.stdout) == {"a": 7, "b": 2}


def test_what_is_reported_is_one_line_a_step(tmp_path: Path) -> None:
    file = tmp_path / "progress.jsonl"
    assert run(REPORT, tmp_path, TUNESMITH_PROGRESS=str(file)).returncode == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "acc": 1.0}]


def test_by_hand_reports_go_nowhere(tmp_path: Path) -> None:
    assert run(REPORT, tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("report(1, loss=float('nan'))", "loss is nan"),
        ("report(1.5, loss=1)", "whole number"),
        ("report(-1, loss=1)", "whole number"),
        ("report(1)", "Name a metric"),
        ("params(path='no.yaml')", "no.yaml"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, call: str, words: str) -> None:
    found = run(f"import tunesmith; tunesmith.{call}", tmp_path)
    assert found.returncode == 1
    assert words in found.stderr


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("[1]\n")
    with pytest.raises(ValueError, match="expected parameters by name, found list"):
        params(path=file)


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = f"{REPORT}\nimport sys; print(len({{'numpy', 'pydantic', 'optuna'}} & set(sys.modules)))"
    assert run(code, tmp_path).stdout == "0\n"


def test_it_is_there_beside_everything_else(tmp_path: Path) -> None:
    code = "import tunesmith, tunesmith.runs.tune, tunesmith.plot\ntunesmith.report(1, loss=0.5)"
    assert run(code, tmp_path).returncode == 0


def test_a_checkpoint_folder_is_there_within_a_study_alone(tmp_path: Path) -> None:
    code = "import tunesmith; print(tunesmith.checkpoint_dir())"
    assert run(code, tmp_path).stdout == "None\n"
    assert run(code, tmp_path, TUNESMITH_CHECKPOINT="/x/y").stdout == "/x/y\n"
