"""Locks of both kinds; Windows' own call is replaced by one that Linux has and that acts alike."""

import errno
import fcntl
import os
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.errors import LockedError
from tunesmith.ledger.lock import holder, holders, run_lock
from tunesmith.system.portable import locks


def locking(handle: int, mode: int, n_bytes: int) -> None:
    """Act as ``msvcrt.locking``: bytes from the position on, for this open file, alone."""
    kind = fcntl.F_WRLCK if mode == 2 else fcntl.F_UNLCK
    position = os.lseek(handle, 0, os.SEEK_CUR)
    try:
        fields = struct.pack("hhqqi4x", kind, os.SEEK_SET, position, n_bytes, 0)
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, fields)
    except OSError:
        raise PermissionError(errno.EACCES, "Permission denied") from None


@pytest.fixture(params=["flock", "forced", "windows"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TUNESMITH_PORTABLE", "0" if request.param == "flock" else "1")
    if request.param == "windows":
        monkeypatch.setitem(
            sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2, LK_UNLCK=0)
        )
        monkeypatch.setattr(locks, "is_forced", lambda: False)
        monkeypatch.setattr(locks, "has_flock", lambda: False)
    return str(request.param)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.write_text("who holds it")
    return path


def test_a_lock_is_held_alone_until_the_file_is_closed(kind: str, file: Path) -> None:
    with file.open("r+b") as first, file.open("r+b") as second:
        assert locks.lock_alone(first.fileno())
        assert not locks.lock_alone(second.fileno())
        assert not locks.lock_shared(second.fileno())
        # What the lock says about its holder can be read meanwhile.
        assert second.read() == b"who holds it"
        first.close()
        assert locks.lock_alone(second.fileno())


def test_a_lock_is_given_back(kind: str, file: Path) -> None:
    with file.open("r+b") as first, file.open("r+b") as second:
        assert locks.lock_alone(first.fileno())
        locks.unlock(first.fileno())
        assert locks.lock_shared(second.fileno())
        locks.unlock(second.fileno())
        assert locks.lock_alone(first.fileno())


def test_a_look_leaves_nothing_behind(kind: str, file: Path) -> None:
    with file.open("r+b") as first, file.open("r+b") as second:
        if kind == "windows":
            assert locks.lock_shared(first.fileno())
            assert locks.lock_alone(second.fileno())
        assert os.lseek(first.fileno(), 0, os.SEEK_CUR) == 0


def test_a_study_is_run_once_at_a_time(kind: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with run_lock(ledger, "churn"):
        with pytest.raises(LockedError, match=f"process {os.getpid()}"):
            run_lock(ledger, "churn").__enter__()
        if kind != "windows":  # its stand-in needs files that are open for writing
            assert (holder(ledger, "churn") or {})["pid"] == os.getpid()
            assert list(holders(ledger)) == ["churn"]
            assert holder(ledger, "another") is None
    with run_lock(ledger, "churn"):
        pass
    assert kind == "windows" or holder(ledger, "churn") is None


def test_runs_with_and_without_the_switch_see_each_other(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with file.open("r+b") as first, file.open("r+b") as second:
        monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
        assert locks.lock_alone(first.fileno())
        monkeypatch.setenv("TUNESMITH_PORTABLE", "0")
        assert not locks.lock_alone(second.fileno())
        locks.unlock(first.fileno())
        assert locks.lock_alone(second.fileno())
        monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
        assert not locks.lock_alone(first.fileno())
