import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.errors import StorageError, UsageError
from tunesmith.system import faults
from tunesmith.system.files import (
    NewFile,
    exact_text,
    inside,
    make_private,
    make_state_folder,
    write_atomic,
    write_files,
)

REWRITE_FOREVER = """
import sys
from pathlib import Path
from tunesmith.system.files import write_atomic
path, n = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    n += 1
    write_atomic(path, f"{n}" * 20_000)
"""


def test_writes_and_tells_whether_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file.txt"
    assert write_atomic(path, "one")
    assert not write_atomic(path, "one")
    assert write_atomic(path, b"two")
    assert path.read_text() == "two"


def test_same_content_keeps_the_modification_time(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "same")
    os.utime(path, (1, 1))
    write_atomic(path, "same")
    assert path.stat().st_mtime == 1


def test_a_refused_write_names_the_path_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.write_text("a file where a folder is needed")
    with pytest.raises(StorageError, match=r"cannot write .*taken"):
        write_atomic(folder / "file.txt", "x")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_a_full_disk_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def content_of(folder: Path) -> dict[str, str | None]:
    """Text of each file, and ``None`` for each folder."""
    found = sorted(folder.rglob("*"))
    return {str(p.relative_to(folder)): p.read_text() if p.is_file() else None for p in found}


@pytest.mark.parametrize("point", ["file.write", "file.sync", "file.rename", "file.renamed"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_all_files_are_written_or_none(tmp_path: Path, point: str, number: int) -> None:
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "old.txt").chmod(0o640)
    (tmp_path / "same.txt").write_text("same")
    before = content_of(tmp_path)
    names = ["new/deep/a.txt", "old.txt", "same.txt", "new/b.txt", "there/c.txt"]
    planned = [NewFile(tmp_path / name, "same" if name == "same.txt" else "new") for name in names]
    faults.plan({faults.VARIABLE: f"fail:{point}:{number}"})
    try:
        with pytest.raises(StorageError, match="No file was changed"):
            write_files(planned)
    finally:
        faults.plan({})
    assert content_of(tmp_path) == before
    assert rights(tmp_path / "old.txt") == "0o640"
    write_files(planned)
    assert all(file.is_same for file in planned)


def test_what_others_have_put_beside_a_new_file_stays(tmp_path: Path) -> None:
    def planned() -> Iterator[NewFile]:
        yield NewFile(tmp_path / "new/a.txt", "a")
        (tmp_path / "new/theirs.txt").write_text("theirs")
        (tmp_path / "folder.txt").mkdir()
        yield NewFile(tmp_path / "folder.txt", "b")

    with pytest.raises(StorageError, match=r"folder\.txt: Is a directory"):
        write_files(planned())
    found = content_of(tmp_path)
    assert found == {"folder.txt": None, "new": None, "new/theirs.txt": "theirs"}


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "b.txt").mkdir()
    planned = [NewFile(tmp_path / name, name) for name in ("a.txt", "b.txt")]
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match=r"Not put back: \S*a\.txt\.$"):
        write_files(planned)


@pytest.mark.slow
def test_kill_9_never_leaves_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    for attempt in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", REWRITE_FOREVER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(timeout=0.01 * (attempt + 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if path.exists():
            text = path.read_text()
            first = text[: len(text) // 20_000]
            assert text == first * 20_000


@pytest.mark.parametrize("path", ["../out.md", "/etc/out.md", ".git/out.md", "a/../../out.md"])
def test_outputs_stay_in_the_project(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="leads"):
        inside(tmp_path, path)


def test_a_symlink_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "outputs").symlink_to(outside)
    with pytest.raises(UsageError, match="outside the project"):
        inside(root, "outputs/report.md")


def test_a_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(UsageError, match="not a plain file"):
        inside(tmp_path, "pipe.md")


def test_what_a_killed_process_has_left_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    orphan, young, living = (tmp_path / f".best.yaml.{name}.tmp" for name in "abc")
    other = tmp_path / ".worst.yaml.a.tmp"
    for file in (orphan, young, living, other):
        file.write_text("half")
    for file in (orphan, living, other):
        os.utime(file, (1, 1))
    with living.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write_atomic(tmp_path / "best.yaml", "whole")
    assert not orphan.exists()
    assert young.exists()
    assert living.exists()
    assert other.exists()


def rights(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.mark.parametrize(
    ("umask", "expected"), [(0o022, "0o644"), (0o077, "0o600"), (0o002, "0o664")]
)
def test_outputs_follow_the_umask_and_keep_what_they_have(
    tmp_path: Path, umask: int, expected: str
) -> None:
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "a", "1")
        assert rights(tmp_path / "a") == expected
        (tmp_path / "a").chmod(0o640)
        write_atomic(tmp_path / "a", "2")
        assert rights(tmp_path / "a") == "0o640"
        assert os.umask(umask) == umask
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("above", "folder", "file"), [(0o755, "0o700", "0o600"), (0o2775, "0o2770", "0o660")]
)
def test_the_state_is_private_unless_the_folder_is_the_groups(
    tmp_path: Path, above: int, folder: str, file: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    project.chmod(above)
    make_state_folder(project / ".tunesmith/runs/x")
    make_private(project / ".tunesmith/ledger.db")
    make_private(project / ".tunesmith/ledger.db")  # harmless
    assert [rights(project / place) for place in (".tunesmith", ".tunesmith/runs/x")] == [
        folder
    ] * 2
    assert rights(project / ".tunesmith/ledger.db") == file


def test_exact_text_keeps_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    assert exact_text(file) is None
    file.write_bytes(b"a: 1\r\nb: 2\n")
    assert exact_text(file) == "a: 1\r\nb: 2\n"
    file.write_bytes(b"a: \xff")
    with pytest.raises(UsageError, match=r"not UTF-8 text \(byte 3\)"):
        exact_text(file)
