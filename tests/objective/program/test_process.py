"""Real processes, started and ended in a worker as in a study."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.execute.processes import ProcessExecutor
from tunesmith.objective.program.following import Limits
from tunesmith.objective.program.process import Ended, run
from tunesmith.system.child_processes import marked

TREE = """
import os, signal, subprocess, sys, time
def child(code, **kwargs):
    return subprocess.Popen([sys.executable, "-c", "import signal, time;" + code], **kwargs)
child("time.sleep(60)")
child("import subprocess; subprocess.Popen(['sleep', '60']); time.sleep(60)")
child("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
child("time.sleep(60)", start_new_session=True)
open("ready", "w").close()
time.sleep(float(sys.argv[1]))
"""
MARK = "TUNESMITH_TEST_TREE"
FREE = Limits()


def started(item: tuple[Any, ...]) -> Ended:
    argv, folder, environ, limits = item
    logs = folder / "out.log", folder / "err.log"
    return run(argv, folder, environ={**os.environ, **environ}, logs=logs, limits=limits)


@pytest.fixture(scope="module")
def worker() -> Iterator[Callable[..., Ended]]:
    with ProcessExecutor(started) as executor:

        def call(folder: Path, *argv: str, limits: Limits = FREE, environ: Any = None) -> Ended:
            future = executor.submit((argv, folder, environ or {}, limits))
            executor.completed()
            result: Ended = future.result()
            return result

        yield call


def test_what_it_prints_is_kept(worker: Callable[..., Ended], tmp_path: Path) -> None:
    ended = worker(tmp_path, "sh", "-c", "echo one; echo two >&2; exit 3")
    assert replace(ended, seconds=0) == Ended(3)
    assert (tmp_path / "out.log").read_text() == "one\n"
    assert (tmp_path / "err.log").read_text() == "two\n"


def test_it_reads_nothing(worker: Callable[..., Ended], tmp_path: Path) -> None:
    assert worker(tmp_path, "sh", "-c", "read line && exit 1; exit 0").code == 0


def test_arguments_arrive_as_they_are(worker: Callable[..., Ended], tmp_path: Path) -> None:
    odd = ["a b", "$(touch pwned)", "'\"", "-x", "new\nline", "é☃", "", "*", "{x}"]
    code = "import sys; print(ascii(sys.argv[1:]))"
    worker(tmp_path, sys.executable, "-c", code, *odd)
    assert (tmp_path / "out.log").read_text() == ascii(odd) + "\n"
    assert not (tmp_path / "pwned").exists()


def test_a_signal_is_told(worker: Callable[..., Ended], tmp_path: Path) -> None:
    assert worker(tmp_path, "sh", "-c", "kill -SEGV $$").code == -signal.SIGSEGV


def test_what_does_not_exist_is_an_error(worker: Callable[..., Ended], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        worker(tmp_path, "no-such-program")


def test_late_programs_may_end_by_themselves(worker: Callable[..., Ended], tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 5' TERM; sleep 60 & wait"
    ended = worker(tmp_path, "sh", "-c", script, limits=Limits(0.3, 10.0))
    assert (ended.code, ended.was_late) == (5, True)
    assert (tmp_path / "out.log").read_text() == "bye\n"
    assert ended.seconds < 5


def test_late_programs_that_stay_are_killed(worker: Callable[..., Ended], tmp_path: Path) -> None:
    ended = worker(tmp_path, "sh", "-c", "trap '' TERM; sleep 60", limits=Limits(0.2, 0.2))
    assert ended.code == -signal.SIGKILL
    assert ended.was_late


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sleeps", "limits"),
    [("0", Limits()), ("60", Limits(1.0, 0.2))],
    ids=["ended by itself", "stopped"],
)
def test_nothing_survives(
    worker: Callable[..., Ended], tmp_path: Path, sleeps: str, limits: Limits
) -> None:
    environ = {MARK: str(tmp_path)}
    worker(tmp_path, sys.executable, "-c", TREE, sleeps, limits=limits, environ=environ)
    assert (tmp_path / "ready").exists()
    assert marked(MARK, str(tmp_path)) == []


def test_a_flood_is_cut(worker: Callable[..., Ended], tmp_path: Path) -> None:
    flood = "echo first; head -c 30000000 /dev/zero | tr '\\0' 'x'; echo; echo last"
    assert worker(tmp_path, "sh", "-c", flood).code == 0
    text = (tmp_path / "out.log").read_bytes()
    assert len(text) < 1_200_000
    assert text.startswith(b"first\nxxx")
    assert text.endswith(b"x\nlast\n")
    assert b"bytes left out" in text


def test_memory_is_limited(worker: Callable[..., Ended], tmp_path: Path) -> None:
    code = "import time; time.sleep(0.2); x = bytearray(800_000_000)"
    ended = worker(tmp_path, sys.executable, "-c", code, limits=Limits(memory=600_000_000))
    assert ended.code == 1
    assert "MemoryError" in (tmp_path / "err.log").read_text()


def test_a_daemon_that_holds_the_output_open_is_not_waited_for(
    worker: Callable[..., Ended], tmp_path: Path
) -> None:
    began = time.monotonic()
    worker(tmp_path, "sh", "-c", "echo hi; setsid sleep 60 & exit 0")
    assert time.monotonic() - began < 30
    assert (tmp_path / "out.log").read_text() == "hi\n"
