"""Named places at which tests kill a process, or have the system refuse."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.system import faults


@pytest.fixture(autouse=True)
def _without_a_plan() -> Iterator[None]:
    yield
    faults.plan({})


def test_without_a_plan_nothing_happens() -> None:
    faults.plan({})
    for _ in range(3):
        faults.reach("a")


def test_the_system_refuses_at_the_nth_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    faults.plan({faults.VARIABLE: "fail:a:2", faults.LOG_VARIABLE: str(log)})
    faults.reach("a")
    faults.reach("b")
    with pytest.raises(OSError, match="by a test"):
        faults.reach("a")
    faults.reach("a")
    assert log.read_text().split() == ["a", "b", "a", "a"]


def test_it_kills_and_only_the_first_process_of_all(tmp_path: Path) -> None:
    once = {faults.VARIABLE: "kill:a:1", faults.ONCE_VARIABLE: str(tmp_path / "once")}
    ends = []
    for _ in range(2):
        if (process := os.fork()) == 0:
            faults.plan(once)
            faults.reach("a")
            os._exit(0)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    assert ends == [-signal.SIGKILL, 0]
