"""``tunesmith import`` as a person types it."""

import json
import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run

SCRIPT = """\
import optuna


def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    return x**2


if __name__ == "__main__":
    study = optuna.create_study()
    study.optimize(objective, n_trials=3)
"""


def folder_with(folder: Path, text: str = SCRIPT) -> Path:
    folder.mkdir()
    (folder / "tune.py").write_text(text)
    return folder


@pytest.mark.slow
def test_a_script_is_imported_checked_and_run(tunesmith: Run, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine")
    done = tunesmith("import", "tune.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Next: tunesmith check" in done.stderr
    text = (folder / "tuning.yaml").read_text()
    assert "# Optuna's default is TPE" in text
    assert tunesmith("check", cwd=folder).returncode == 0
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = tunesmith("run", cwd=folder, PATH=path)
    assert ran.returncode == 0, ran.stderr
    assert "3 trials" in ran.stdout


def test_nothing_is_overwritten(tunesmith: Run, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine")
    (folder / "tuning.yaml").write_text("mine")
    done = tunesmith("import", "tune.py", cwd=folder)
    assert done.returncode == 2
    assert "already there; nothing was written" in done.stderr
    assert (folder / "tuning.yaml").read_text() == "mine"
    printed = tunesmith("import", "tune.py", "-o", "-", cwd=folder)
    assert printed.stdout.startswith("# Imported from tune.py:4 (Optuna).")
    other = tunesmith("import", "tune.py", "-o", "conf/a.yaml", cwd=folder)
    assert other.returncode == 0, other.stderr
    assert "../tune.py" in (folder / "conf/a.yaml").read_text()
    assert "-c conf/a.yaml" in other.stderr


def test_json(tunesmith: Run, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine")
    document = json.loads(tunesmith("import", "tune.py", "--json", cwd=folder).stdout)
    assert document["kind"] == "import"
    assert document["configuration"]["space"] == {"x": {"float": [-1.0, 1.0]}}
    assert {"path": "search.method", "text": document["notes"][-1]["text"]} in document["notes"]
    assert document["written"] is None
    assert not (folder / "tuning.yaml").exists()


def test_several_setups(tunesmith: Run, tmp_path: Path) -> None:
    text = "def {}(trial):\n  return trial.suggest_int('x', 1, 2)\n"
    folder = folder_with(tmp_path / "mine", text.format("one") + text.format("two"))
    done = tunesmith("import", "tune.py", cwd=folder)
    assert done.returncode == 2
    assert "one" in done.stderr
    assert "line 3 (optuna)" in done.stderr
    listed = json.loads(tunesmith("import", "tune.py", "--json", cwd=folder).stdout)
    assert [c["name"] for c in listed["candidates"]] == ["one", "two"]
    assert tunesmith("import", "tune.py", "--name", "two", cwd=folder).returncode == 0


def test_a_refusal_names_line_and_reason(tunesmith: Run, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine", SCRIPT.replace("-1, 1", "-1, limit"))
    done = tunesmith("import", "tune.py", cwd=folder)
    assert done.returncode == 2
    assert "tune.py:5:38: `high` `limit` is known only if the script runs." in done.stderr
    assert not (folder / "tuning.yaml").exists()


def test_files_without_a_setup(tunesmith: Run, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine", "x = 1\n")
    done = tunesmith("import", "tune.py", cwd=folder)
    assert done.returncode == 2
    assert "no tuning setup was found" in done.stderr
    assert "cannot be read" in tunesmith("import", "none.py", cwd=folder).stderr


def test_trials_of_optuna_are_shown_as_not_verified(tunesmith: Run, tmp_path: Path) -> None:
    import optuna

    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="theirs", storage=url, direction="maximize")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=4)
    assert tunesmith("import", cwd=tmp_path).returncode == 2
    done = tunesmith("import", "--optuna", "sqlite:///study.db", cwd=tmp_path)
    assert (done.returncode, "--into optuna.db" in done.stderr) == (2, True)
    command = ("import", "--optuna", "sqlite:///study.db", "--into", "optuna.db")
    done = tunesmith(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 trials read into study `theirs.optuna` of optuna.db, not verified." in done.stderr
    assert "Next: tunesmith trials -c optuna.db" in done.stderr
    again = json.loads(tunesmith(*command, "--json", cwd=tmp_path).stdout)
    assert (again["n_trials"], again["is_new"]) == (4, False)
    listed = tunesmith("trials", "-c", "optuna.db", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "These trials are not verified" in listed.stderr
    rows = json.loads(tunesmith("trials", "-c", "optuna.db", "--json", cwd=tmp_path).stdout)
    assert {row["origin"] for row in rows["trials"]} == {"optuna (not verified)"}
    assert rows["trials"][0]["params"]["x"] == study.best_params["x"]
    standing = tunesmith("status", "-c", "optuna.db", cwd=tmp_path).stdout
    assert "ended; the reason is not recorded" in standing
    for name in (
        ["status"],
        ["best"],
        ["export", "-o", "t.csv"],
        ["plot", "history", "-o", "h.svg"],
    ):
        done = tunesmith(*name, "-c", "optuna.db", cwd=tmp_path)
        assert done.returncode == 0, (name, done.stderr)
    report = tunesmith("report", "-c", "optuna.db", "--as", "markdown", "r.md", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    text = (tmp_path / "r.md").read_text()
    assert "**These trials are not verified.** They were taken from" in text
    assert not (tmp_path / "config").exists()
