import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tunesmith.errors import LockedError, StorageError
from tunesmith.ledger.lock import holder, run_lock

HOLD = """
import sys, time
from tunesmith.ledger.lock import run_lock
with run_lock(sys.argv[1], "churn"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / ".tunesmith" / "ledger.db"


def test_who_comes_second_is_told_who_holds_it(ledger: Path) -> None:
    with run_lock(ledger, "churn"):
        with pytest.raises(LockedError, match=rf"`churn`.*process {os.getpid()} since 2\d{{3}}-"):
            run_lock(ledger, "churn").__enter__()
        found = holder(ledger, "churn")
    assert found is not None
    assert found["pid"] == os.getpid()
    assert holder(ledger, "churn") is None
    with run_lock(ledger, "churn"):
        pass


def test_studies_do_not_wait_for_each_other(ledger: Path) -> None:
    with run_lock(ledger, "a"), run_lock(ledger, "b"):
        assert holder(ledger, "c") is None


def test_a_url_and_a_path_of_one_file_share_the_lock(ledger: Path) -> None:
    with run_lock(ledger, "a"), pytest.raises(LockedError):
        run_lock(f"sqlite:///{ledger}", "a").__enter__()


def test_looking_makes_nothing(ledger: Path) -> None:
    assert holder(ledger, "churn") is None
    assert not ledger.parent.exists()


@pytest.mark.slow
def test_kill_9_frees_it_at_once(ledger: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ledger)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    with other, other.stdout:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=str(other.pid)):
            run_lock(ledger, "churn").__enter__()
        other.send_signal(signal.SIGKILL)
        other.wait()
        began = time.monotonic()
        with run_lock(ledger, "churn"):
            assert time.monotonic() - began < 1


def look(ledger: Path, is_ready: Event) -> None:
    while True:
        holder(ledger, "churn")
        is_ready.set()


@pytest.mark.slow
def test_whoever_only_looks_is_in_nobodys_way(ledger: Path) -> None:
    with run_lock(ledger, "churn"):
        pass
    context = multiprocessing.get_context("spawn")
    is_ready = [context.Event() for _ in range(3)]
    lookers = [context.Process(target=look, args=(ledger, event)) for event in is_ready]
    for looker in lookers:
        looker.start()
    try:
        assert all(event.wait(30) for event in is_ready)
        for _ in range(300):
            with run_lock(ledger, "churn"):
                pass
    finally:
        for looker in lookers:
            looker.kill()
            looker.join()


def test_a_looker_that_is_paused_delays_a_run_and_never_refuses_it(ledger: Path) -> None:
    with run_lock(ledger, "churn"):
        (note,) = ledger.parent.iterdir()
    looker = note.open()
    fcntl.flock(looker, fcntl.LOCK_SH)
    threading.Timer(0.5, looker.close).start()
    with run_lock(ledger, "churn"):
        assert looker.closed


@pytest.mark.parametrize("content", ["", "[]", "nonsense", '"text"', '{"pid": 1}'])
def test_a_note_that_cannot_be_read_is_no_reason_to_fail(ledger: Path, content: str) -> None:
    with run_lock(ledger, "churn"):
        (note,) = ledger.parent.iterdir()
        note.write_text(content)
        assert isinstance(holder(ledger, "churn"), dict)
        with pytest.raises(LockedError):
            run_lock(ledger, "churn").__enter__()


def test_the_note_names_nobody(ledger: Path) -> None:
    with run_lock(ledger, "churn"):
        (note,) = ledger.parent.iterdir()
        assert json.loads(note.read_text()).keys() == {"pid", "since"}


def test_a_lock_through_a_link_is_refused(ledger: Path, tmp_path: Path) -> None:
    with run_lock(ledger, "churn"):
        (note,) = ledger.parent.iterdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    note.unlink()
    note.symlink_to(victim)
    with pytest.raises(StorageError, match=note.name):
        run_lock(ledger, "churn").__enter__()
    assert victim.read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot open the lock .*file"):
        run_lock(tmp_path / "file" / "ledger.db", "churn").__enter__()
