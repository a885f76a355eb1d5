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
    ],
)
def test_what_does_not_install_it_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    (tmp_path / "tunesmith.txt").write_text("tunesmith==1")
    (tmp_path / "more.txt").write_text("scipy")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    with pytest.raises(UsageError, match="does not name `tunesmith`"):
        check_requirements(tmp_path / "requirements.txt", "requirements.txt")


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
