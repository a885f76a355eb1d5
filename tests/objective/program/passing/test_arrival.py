"""A file that was not read is told, where the file system can tell."""

import shutil
from pathlib import Path

import pytest

from tunesmith.objective.program.passing import arrival


@pytest.fixture
def file(tmp_path: Path) -> Path:
    if not arrival._tells(tmp_path):
        pytest.skip("this file system does not tell")
    file = tmp_path / "p.yaml"
    file.write_text("a: 1\n")
    arrival.mark(file)
    return file


def test_only_reading_counts(file: Path) -> None:
    with file.open("rb"):
        pass
    assert arrival.is_unread(file)
    file.read_bytes()
    assert not arrival.is_unread(file)


def test_a_copy_is_read_as_well(file: Path) -> None:
    shutil.copyfile(file, file.with_name("q.yaml"))
    assert not arrival.is_unread(file)


def test_what_is_gone_or_replaced_may_have_been_read(file: Path) -> None:
    file.write_text("a: 2\n")
    file.read_text()
    assert not arrival.is_unread(file)
    file.unlink()
    assert not arrival.is_unread(file)


def test_elsewhere_nothing_is_concluded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert arrival.is_unread(file)
    monkeypatch.setattr(arrival, "LOCAL", ())
    assert not arrival.is_unread(file)
