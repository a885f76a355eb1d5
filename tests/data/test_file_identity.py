"""Digests of large files are remembered as long as the files are surely the same."""

import os
from pathlib import Path

import pytest

from tunesmith.data import file_identity
from tunesmith.data.file_identity import data_digest, identity_of
from tunesmith.errors import DataError
from tunesmith.system.fingerprint import file_digest


@pytest.fixture(autouse=True)
def _small_files_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_identity, "LEAST_BYTES", 3)
    monkeypatch.setattr(file_identity, "SETTLED_S", 0.0)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read: list[Path] = []
    digest_of = file_identity._digest_of

    def watched(path: Path) -> bytes:
        read.append(path)
        return digest_of(path)

    monkeypatch.setattr(file_identity, "_digest_of", watched)
    return read


def test_it_is_the_digest_of_the_content(tmp_path: Path) -> None:
    for name, content in (("a.csv", "a,b\n1,2\n"), ("b.csv", "a\n")):
        (tmp_path / name).write_text(content)
    names = ["a.csv", "b.csv"]
    for _ in range(2):
        assert data_digest(tmp_path, names) == file_digest(tmp_path / name for name in names)


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    read = counted(monkeypatch)
    assert data_digest(tmp_path, ["a.csv"]) == data_digest(tmp_path, ["a.csv"])
    assert len(read) == 1
    assert (tmp_path / ".tunesmith/.gitignore").read_text() == "*\n"


def test_a_change_is_seen_though_size_and_date_are_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    status, before = path.stat(), data_digest(tmp_path, ["a.csv"])
    path.write_text("a,b\n1,3\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert data_digest(tmp_path, ["a.csv"]) != before


def test_a_file_that_has_just_changed_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_identity, "SETTLED_S", 3600.0)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert identity_of(tmp_path / "a.csv") is None
    data_digest(tmp_path, ["a.csv"])
    assert not (tmp_path / ".tunesmith").exists()


def test_small_files_and_missing_ones_have_no_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_identity, "LEAST_BYTES", 10**6)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert identity_of(tmp_path / "a.csv") is None
    assert identity_of(tmp_path / "b.csv") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 3}', '{"x": {"digest": "zz"}}'])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    before = data_digest(tmp_path, ["a.csv"])
    (tmp_path / ".tunesmith/digests.json").write_text(content)
    assert data_digest(tmp_path, ["a.csv"]) == before


def test_only_files_have_a_digest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="is a device, a pipe or a folder"):
        data_digest(tmp_path, ["a.csv"])
    with pytest.raises(FileNotFoundError):
        data_digest(tmp_path, ["b.csv"])
