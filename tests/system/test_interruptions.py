"""Signals before and after the study: one line, the right code, no traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import environment

from tunesmith.system.interruptions import Interrupted, leave, listen
from tunesmith.testing.projects import make_project

TERM = int(signal.SIGTERM)


def is_taken_over(process: "subprocess.Popen[str]") -> bool:
    """Whether the process has a handler of its own for SIGTERM."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line for line in lines if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (TERM - 1) & 1)


@pytest.mark.slow
@pytest.mark.parametrize("later_s", [0.0, 0.1, 0.4])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_the_command_starts(
    tmp_path: Path, number: int, code: int, later_s: float
) -> None:
    make_project(tmp_path, trials=3)
    process = subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "run", "--workers", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    while not is_taken_over(process):
        time.sleep(0.001)
    time.sleep(later_s)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert said == f"interrupted by {signal.Signals(number).name}\n"


def in_a_process(code: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    program = f"import os, sys\nfrom tunesmith.system import interruptions\n{code}\n"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=60
    )


def test_a_library_that_catches_everything_does_not_keep_a_signal(tmp_path: Path) -> None:
    (tmp_path / "greedy.py").write_text(
        f"import os\ntry:\n    os.kill(os.getpid(), {TERM})\nexcept BaseException:\n    pass\n"
    )
    done = in_a_process("interruptions.listen()\nimport greedy\nprint('went on')", tmp_path)
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr == "interrupted by SIGTERM\n"


def test_a_validator_that_is_built_does_not_keep_a_signal(tmp_path: Path) -> None:
    (tmp_path / "sections.py").write_text(
        "import os\nfrom pydantic import BaseModel\n"
        "class Part:\n"
        "    @classmethod\n"
        "    def __get_pydantic_core_schema__(cls, source, handler):\n"
        f"        os.kill(os.getpid(), {TERM})\n"
        "class Section(BaseModel):\n"
        "    model_config = {'defer_build': True}\n"
        "    part: Part\n"
    )
    code = (
        "import sections\ninterruptions.listen()\n"
        "try:\n    sections.Section(part=1)\nfinally:\n    print('went on')"
    )
    done = in_a_process(code, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "interrupted by SIGTERM\n")


def test_the_last_moments_are_quiet(tmp_path: Path) -> None:
    code = (
        "import atexit\ninterruptions.listen()\ninterruptions.leave()\n"
        f"atexit.register(os.kill, os.getpid(), {TERM})"
    )
    done = in_a_process(code, tmp_path)
    assert (done.returncode, done.stderr) == (143, "interrupted by SIGTERM\n")


def test_elsewhere_it_unwinds_what_is_under_way() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    closed = []

    def work() -> None:
        try:
            os.kill(os.getpid(), TERM)
        finally:
            closed.append(True)

    try:
        listen()
        with pytest.raises(Interrupted, match="interrupted by SIGTERM") as caught:
            work()
        leave()
        assert signal.getsignal(signal.SIGTERM) not in before.values()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (closed, caught.value.signum) == ([True], TERM)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        listen()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
        for number, handler in others.items():
            signal.signal(number, handler)
