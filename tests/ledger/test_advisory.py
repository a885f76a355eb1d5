import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.errors import LockedError, StorageError
from tunesmith.ledger.advisory import advisory_lock
from tunesmith.ledger.lock import holder, run_lock

pytestmark = pytest.mark.slow

HOLD = """
import sys, time
from tunesmith.ledger.lock import run_lock
with run_lock(sys.argv[1], "churn"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_who_comes_second_is_told_who_holds_it(database: str) -> None:
    with run_lock(database, "churn"):
        with pytest.raises(LockedError, match=rf"`churn`.*process {os.getpid()} since 2\d{{3}}-"):
            run_lock(database, "churn").__enter__()
        found = holder(database, "churn")
    assert found is not None
    assert found["pid"] == os.getpid()
    assert holder(database, "churn") is None


def test_studies_and_databases_do_not_wait_for_each_other(database: str, server: str) -> None:
    with run_lock(database, "a"), run_lock(database, "b"), run_lock(server, "a"):
        assert holder(database, "c") is None
        assert holder(server, "b") is None


def test_kill_9_frees_it(database: str) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, database], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    with other, other.stdout:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=str(other.pid)):
            run_lock(database, "churn").__enter__()
        other.send_signal(signal.SIGKILL)
        other.wait()
        end = time.monotonic() + 5
        while holder(database, "churn") is not None:
            assert time.monotonic() < end
        with run_lock(database, "churn"):
            pass


def test_a_connection_that_is_cut_off_does_not_end_the_run(database: str) -> None:
    import psycopg

    with advisory_lock(database, "churn"), psycopg.connect(database, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'tunesmith %'"
        )
    with run_lock(database, "churn"):
        pass


def test_a_server_that_is_not_there_is_named_without_its_login(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        run_lock(f"postgresql://ann:canary@/x?host={tmp_path}", "churn").__enter__()
    assert str(tmp_path) in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "ann:" not in str(caught.value)
