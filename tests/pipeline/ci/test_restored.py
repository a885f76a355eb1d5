"""Whatever a cache holds, `run` tells it like all others, and the next run can work."""

import sqlite3
from pathlib import Path

import pytest
from tests.cli.conftest import Run, finished, finished_once, project, tunesmith

from tunesmith.config.load import load_definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.pipeline.ci.restored import make_usable

__all__ = ["finished", "finished_once", "project", "tunesmith"]


def ledger_of(project: Path) -> Path:
    location = load_definition(project / "tuning.yaml").ledger
    assert isinstance(location, Path)
    return location


def junk(file: Path) -> None:
    """In place: the file that the stamp knows has another content."""
    with file.open("r+b") as stream:
        stream.write(b"\0junk" * 400)
        stream.truncate()


def newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE tunesmith SET schema_version = 99, written_by = '9.9.9'")


def torn(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)


@pytest.mark.parametrize("spoil", [junk, newer, torn])
def test_run_answers_as_status_and_verify_do(finished: Path, tunesmith: Run, spoil: object) -> None:
    assert callable(spoil)
    assert "0 fits made" in tunesmith("run", "-q").stdout
    spoil(ledger_of(finished))
    codes = {name: tunesmith(name).returncode for name in ("run", "status")}
    assert codes == {"run": 74, "status": 74}
    assert tunesmith("verify").returncode != 0
    done = tunesmith("ci", "ledger")
    assert done.returncode == 0
    assert "the ledger" in done.stderr
    again = tunesmith("run", "-q", "--workers", "1")
    assert again.returncode == 0, again.stderr
    assert tunesmith("status").returncode == 0
    assert tunesmith("ci", "ledger").stdout == "The ledger can be used.\n"


def test_a_newer_version_is_named(finished: Path, tunesmith: Run) -> None:
    file = ledger_of(finished)
    newer(file)
    shown = tunesmith("ci", "ledger", GITHUB_ACTIONS="true", GITHUB_REPOSITORY="a/b")
    assert shown.stderr.startswith("::warning title=Tunesmith::the ledger")
    assert not file.exists() or file.stat().st_size > 0


def test_nothing_to_mend(project: Path, finished: Path) -> None:
    definition = load_definition(project / "tuning.yaml")
    assert make_usable(definition.ledger) is None
    ledger_of(finished).unlink()
    assert make_usable(definition.ledger) is None


@pytest.mark.parametrize("kind", ["a file", "a dangling link", "a link for the ledger", "a log"])
def test_what_stands_in_the_way_of_a_ledger(project: Path, tmp_path: Path, kind: str) -> None:
    definition = load_definition(project / "tuning.yaml")
    file = ledger_of(project)
    if kind == "a file":
        file.parent.write_text("junk")
    elif kind == "a dangling link":
        file.parent.symlink_to(tmp_path / "nowhere")
    elif kind == "a log":
        file.parent.mkdir()
        file.with_name(f"{file.name}-wal").write_bytes(b"junk")
    else:
        file.parent.mkdir()
        file.symlink_to(tmp_path / "nowhere")
    assert "the ledger cannot be used" in str(make_usable(definition.ledger))
    assert make_usable(definition.ledger) is None
    with Ledger.open(file) as ledger:
        assert ledger.studies() == []
