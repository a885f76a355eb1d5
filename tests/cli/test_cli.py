import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.cli import COMMANDS

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tunesmith: Run, command: str) -> None:
    done = tunesmith(command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage:")


HEAVY = (
    "numpy",
    "pandas",
    "sklearn",
    "scipy",
    "optuna",
    "sqlalchemy",
    "pydantic",
    "ruamel",
    "rich",
)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    code = (
        f"import sys\nsys.argv = ['tunesmith', '{option}']\nfrom tunesmith.cli import main\n"
        "try: main()\nexcept SystemExit as exit_: assert not exit_.code\n"
        f"print('HEAVY', sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stderr


def test_the_list_of_commands_is_whole(tunesmith: Run) -> None:
    done = tunesmith("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_a_study_from_check_to_export(tunesmith: Run, project: Path) -> None:
    checked = tunesmith("check")
    assert checked.returncode == 0, checked.stderr
    assert "12 points" in checked.stdout
    assert "36 at most (12 trials × 3 folds)" in checked.stdout

    ran = tunesmith("run", "--workers", "1")
    assert ran.returncode == 0, ran.stderr
    assert "12/12 trials" in ran.stderr or "1/12 trials" in ran.stderr
    assert (project / "config/best_parameters.yaml").is_file()
    assert (project / "outputs/tuning_results.md").is_file()

    status = json.loads(tunesmith("status", "--json").stdout)
    assert (status["n_told"], status["n_trials"], status["is_running"]) == (12, 12, False)
    assert status["last_run"]["stopped_by"] == "12 trials"

    best = json.loads(tunesmith("best", "--json").stdout)
    assert best["params"] == status["best"]["params"]

    rows = list(csv.DictReader(io.StringIO(tunesmith("trials", "--csv").stdout)))
    assert len(rows) == 12
    assert {"rank_test_score", "mean_test_score", "std_test_score", "split2_test_score"} <= {
        *rows[0]
    }


@pytest.mark.slow
def test_running_again_evaluates_nothing_and_changes_no_byte(
    process: Run, preloaded: Run, project: Path
) -> None:
    first = preloaded("run", "--workers", "1", "--json")
    outputs = {p: p.read_bytes() for p in project.rglob("*") if p.suffix in (".md", ".yaml")}
    again = process("run", "--workers", "2", "--json")
    told = json.loads(first.stdout)
    # On one fold, no tree reached the largest depth, so that this model was known already.
    assert (told["n_evaluated"], told["n_reused"]) == (35, 1)
    assert json.loads(again.stdout)["n_evaluated"] == 0
    assert {p: p.read_bytes() for p in outputs} == outputs


def test_changed_data_is_said_and_not_mixed(tunesmith: Run, project: Path) -> None:
    tunesmith("run", "--workers", "1", "--trials", "4")
    lines = (project / "data.csv").read_text().splitlines()
    (project / "data.csv").write_text("\n".join(lines[:-1]) + "\n")
    again = tunesmith("run", "--workers", "1", "--trials", "4", "--json")
    assert "the data changed" in again.stderr
    assert json.loads(again.stdout)["n_evaluated"] == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("study: [", "not valid YAML"),
        ("study: x\nstudy: y\n", "tuning.yaml:2:1: the key `study` is given twice"),
        ("a: &a [1]\n" * 2, "given twice"),
    ],
)
def test_a_broken_file_is_exit_2_without_traceback(
    tunesmith: Run, project: Path, text: str, words: str
) -> None:
    (project / "tuning.yaml").write_text(text)
    done = tunesmith("run")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / ".tunesmith").exists()


def test_violations_become_annotations_on_github(tunesmith: Run, project: Path) -> None:
    (project / "tuning.yaml").write_text("studi: x\n")
    done = tunesmith("check", GITHUB_ACTIONS="true")
    assert "::error file=tuning.yaml,line=1,col=1::unknown key `studi`." in done.stderr


def test_no_configuration_says_what_to_do(tunesmith: Run, tmp_path: Path) -> None:
    done = tunesmith("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "tunesmith init" in done.stderr


def test_a_study_without_a_usable_trial_is_exit_1(tunesmith: Run, project: Path) -> None:
    text = (project / "tuning.yaml").read_text()
    text = text.replace("max_depth: {int: [1, 6]}", "max_depth: [-1, -2, -3, -4, -5, -6]")
    (project / "tuning.yaml").write_text(text)
    done = tunesmith("run", "--workers", "1")
    assert done.returncode == 1, done.stderr
    assert "failed" in (done.stdout + done.stderr)
    assert not (project / "config/best_parameters.yaml").exists()


def test_check_runs_no_project_code(tunesmith: Run, project: Path) -> None:
    (project / "mine.py").write_text("raise SystemExit('project code was run')\n")
    text = (project / "tuning.yaml").read_text()
    text = text.replace("sklearn.tree.DecisionTreeClassifier", "mine.Model")
    (project / "tuning.yaml").write_text(text)
    done = tunesmith("check")
    assert done.returncode == 0, done.stderr
    assert "mine.Model (not imported by check)" in done.stdout
    assert "a class of your own shares fits only if an installed package adds" in done.stdout


@pytest.mark.slow
def test_project_code_is_found_by_run(process: Run, preloaded: Run, project: Path) -> None:
    (project / "mine.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n"
        "class Model(DecisionTreeClassifier):\n    pass\n"
    )
    text = (project / "tuning.yaml").read_text()
    text = text.replace("sklearn.tree.DecisionTreeClassifier", "mine.Model")
    (project / "tuning.yaml").write_text(text)
    first = process("run", "--workers", "2", "--json")
    assert json.loads(first.stdout)["n_evaluated"] == 36, first.stderr
    with (project / "mine.py").open("a") as file:
        file.write("# changed\n")
    again = preloaded("run", "--workers", "2", "--json")
    assert "the project's code changed" in again.stderr
    assert json.loads(again.stdout)["n_evaluated"] == 36


@pytest.mark.parametrize("name", ["config/tuning_config.json", "tuning.toml"])
def test_json_and_toml_have_the_same_schema(tunesmith: Run, project: Path, name: str) -> None:
    from ruamel.yaml import YAML
    from tomlkit import dumps

    data: dict[str, Any] = YAML(typ="safe").load(project / "tuning.yaml")
    (project / "tuning.yaml").unlink()
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data) if path.suffix == ".json" else dumps(data))
    done = tunesmith("run", "--workers", "1", "--json")
    assert json.loads(done.stdout)["n_told"] == 12, done.stderr


def test_doctor_finds_nothing_wrong_here(tunesmith: Run) -> None:
    done = tunesmith("doctor", "--json")
    assert done.returncode == 0, done.stdout
    checks = {check["name"]: check["ok"] for check in json.loads(done.stdout)["checks"]}
    assert checks["configuration"] is True
    assert checks["plan"] is True


def test_odd_folders_work(tunesmith: Run, project: Path) -> None:
    odd = project.with_name("a b#?%ü'")
    project.rename(odd)
    done = tunesmith("run", "--workers", "1", "--json", cwd=odd)
    assert done.returncode == 0, done.stderr
    assert os.path.isfile(odd / ".tunesmith" / "ledger.db")  # noqa: PTH113
