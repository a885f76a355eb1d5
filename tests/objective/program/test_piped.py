"""Programs on the portable path, each a real process."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tunesmith.objective.program.following import Limits
from tunesmith.objective.program.process import Ended, run

pytestmark = pytest.mark.slow
TREE = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")

    def start(*argv: str, limits: Limits | None = None, **options: object) -> Ended:
        logs = tmp_path / "out.log", tmp_path / "err.log"
        limits = limits or Limits()
        return run(argv, tmp_path, environ=dict(os.environ), logs=logs, limits=limits, **options)  # type: ignore[arg-type]

    return start


def test_its_output_and_status_are_kept(start: Callable[..., Ended], tmp_path: Path) -> None:
    parts: list[bytes] = []
    ended = start(
        *("sh", "-c", "echo one; echo two >&2; exit 3"), listeners=(parts.append, lambda _: None)
    )
    assert (ended.code, ended.was_late, ended.was_stopped) == (3, False, False)
    assert (tmp_path / "out.log").read_text() == "one\n"
    assert (tmp_path / "err.log").read_text() == "two\n"
    assert b"".join(parts) == b"one\n"


def test_much_output_comes_whole(start: Callable[..., Ended], tmp_path: Path) -> None:
    assert (
        start(
            sys.executable,
            "-c",
            "print('x' * 99 + chr(10), end='') or [print('y' * 999) for _ in range(500)]",
        ).code
        == 0
    )
    assert len((tmp_path / "out.log").read_bytes()) == 100 + 500 * 1000


def test_its_time_ends_it_with_its_children(start: Callable[..., Ended], tmp_path: Path) -> None:
    ended = start(sys.executable, "-c", TREE, limits=Limits(time_s=2.0, grace_s=2.0))
    assert ended.was_late
    child = int((tmp_path / "out.log").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_it_is_stopped_when_it_has_said_enough(start: Callable[..., Ended]) -> None:
    began = time.monotonic()
    ended = start("sleep", "60", is_enough=lambda: time.monotonic() - began > 0.2)
    assert ended.was_stopped
    assert ended.seconds < 30


@pytest.mark.parametrize(
    "stray",
    [
        "import subprocess; subprocess.Popen(['sleep', '61'], start_new_session=True)",
        "import subprocess; subprocess.run(['sh', '-c', '(setsid sleep 61 &) ; exit 0'])",
    ],
)
def test_what_leaves_a_short_program_is_ended(start: Callable[..., Ended], stray: str) -> None:
    def strays() -> list[int]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.cmdline()[-2:] == ["sleep", "61"]:
                    found.append(process.pid)
        return found

    before = strays()
    # It is over before anybody looks for its children.
    assert start(sys.executable, "-c", stray).code == 0
    assert [pid for pid in strays() if pid not in before] == []
