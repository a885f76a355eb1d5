"""What the commands print, read by a person and by a program."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run


@pytest.mark.parametrize("command", ["status", "trials", "best", "report"])
def test_before_the_first_run_the_next_step_is_named(tunesmith: Run, command: str) -> None:
    done = tunesmith(command)
    assert done.returncode == 2
    assert done.stderr == (
        "study `small` has not been run yet: there is no ledger .tunesmith/ledger.db.\n"
        "  Begin with `tunesmith run`.\n"
    )


@pytest.mark.parametrize("command", ["check", "status", "trials", "best", "report", "doctor"])
def test_every_reading_command_has_json_with_a_version(
    tunesmith: Run, finished: Path, command: str
) -> None:
    done = tunesmith(command, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["kind"]


def test_a_subfolder_and_a_linked_project(tunesmith: Run, finished: Path, tmp_path: Path) -> None:
    below = finished / "deep/down"
    below.mkdir(parents=True)
    lost = tunesmith("status", cwd=below)
    assert lost.returncode == 2
    assert f"There is one in a folder above: `-c {finished / 'tuning.yaml'}`." in lost.stderr
    assert tunesmith("status", "-c", "../../tuning.yaml", cwd=below).returncode == 0
    (tmp_path / "link").symlink_to(finished)
    linked = tunesmith("status", cwd=tmp_path / "link")
    assert linked.stdout == tunesmith("status").stdout


# -- doctor ------------------------------------------------------------------------------------


def test_doctor_finds_what_is_wrong(tunesmith: Run, project: Path) -> None:
    (project / ".tunesmith").mkdir()
    (project / ".tunesmith/ledger.db").write_text("no database, but quite a long text " * 40)
    done = tunesmith("doctor")
    assert done.returncode == 2
    assert "FAILED  ledger" in done.stdout
    assert done.stdout.endswith("To be mended: plan, ledger.\n")


def test_doctor_without_a_configuration(tunesmith: Run, tmp_path: Path) -> None:
    done = tunesmith("doctor", cwd=tmp_path)
    assert done.returncode == 0
    assert "`tunesmith init` writes one" in done.stdout
    assert done.stdout.endswith("Nothing is wrong.\n")


def test_json_is_ascii_where_the_terminal_is(
    tunesmith: Run, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.cli.common.options.is_utf8", lambda: False)
    assert tunesmith("status", "--json").stdout.isascii()
