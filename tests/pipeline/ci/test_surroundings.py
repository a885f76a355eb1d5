"""What new workflows depend on is looked at before they are written."""

from pathlib import Path

import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.surroundings import (
    check_requirements,
    installs_tunesmith,
    pull_request_workflows,
)

OWN = '[project]\nname = "mine"\ndependencies = ["numpy", "tunesmith>=0.1"]\n'


@pytest.mark.parametrize(
    "text",
    [
        "numpy\ntunesmith\n",
        "tunesmith[parquet]>=0.1  # tuning",
        "tunesmith @ git+https://host.example/OWNER/tunesmith",
        "-e git+https://host.example/OWNER/tunesmith.system.git@v1#egg=tunesmith",
        "git+ssh://git@host.example/OWNER/tunesmith.system.git",
        "./wheels/tunesmith-0.1-py3-none-any.whl",
        "../tunesmith",
        "Tunesmith==1; python_version > '3.10'",
        "-r more.txt",
        "-e .",
        ".[dev]",
    ],
)
def test_every_usual_way_to_name_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    (tmp_path / "more.txt").write_text("\n# all\ntunesmith\n")
    (tmp_path / "pyproject.toml").write_text(OWN)
    assert installs_tunesmith(tmp_path / "requirements.txt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "numpy\n# tunesmith\n",
        "tunesmithery",
        "-c tunesmith.txt",
        "-r more.txt",
        ".",
        "-r requirements.txt",
        "numpy  # for tunesmith",
        "--extra-index-url https://host.example/tunesmith/simple\nnumpy",
        "--find-links ./tunesmith",
        "-e .[plots]",
        "./lib",
    ],
)
def test_what_does_not_install_it_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    (tmp_path / "tunesmith.txt").write_text("tunesmith==1")
    (tmp_path / "more.txt").write_text("scipy")
    extras = '[project.optional-dependencies]\ntuning = ["tunesmith"]\n'
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "mine"\n{extras}')
    with pytest.raises(UsageError, match="does not name `tunesmith`"):
        check_requirements(tmp_path / "requirements.txt", "requirements.txt")


def test_projects_of_other_kinds(tmp_path: Path) -> None:
    file, project = tmp_path / "requirements.txt", tmp_path / "lib"
    project.mkdir()
    poetry = '[tool.poetry.dependencies]\ntunesmith = "^0.1"\n'
    extras = '[project]\nname = "mine"\n[project.optional-dependencies]\ntuning = ["tunesmith"]\n'
    for name, text, line in (
        ("pyproject.toml", poetry, "./lib"),
        ("pyproject.toml", extras, "-e ./lib[plots, tuning]"),
        ("setup.py", "", "lib/"),
    ):
        file.write_text(f"numpy\n{line}\n")
        assert not installs_tunesmith(file)
        (project / name).write_text(text)
        assert installs_tunesmith(file)
        (project / name).unlink()


def test_a_file_of_powershell_is_read(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("numpy==2\r\ntunesmith==1\r\n", encoding="utf-16")
    assert installs_tunesmith(file)


def test_workflows_that_run_on_pull_requests_are_named(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    texts = {
        "a.yml": "on: pull_request\njobs: {}\n",
        "b.yaml": "on:\n  pull_request: {branches: [main]}\n  push:\n",
        "c.yml": "on: [push, pull_request_target]\n",
        "d.yml": "on: push\n",
        "e.yml": "on: [",
        "pull-request.yml": "on: pull_request\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    found = pull_request_workflows(tmp_path, {folder / "pull-request.yml"})
    assert found == [f".github/workflows/{name}" for name in ("a.yml", "b.yaml", "c.yml")]
