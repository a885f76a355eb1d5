"""Signals before and after the study: one line, the right code, no traceback."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import environment

from tunesmith.system.interruptions import (
    Interrupted,
    interruption_behind,
    interruption_within,
    leave,
    listen,
    undisturbed,
)
from tunesmith.testing.projects import make_project

TERM = int(signal.SIGTERM)


@pytest.fixture(autouse=True)
def own_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pytest's hook to later tests; ``listen`` puts another one before it."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)


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


@pytest.mark.parametrize("dying", ["weakref.ref(thing, end)", "weakref.finalize(thing, end, 0)"])
def test_a_signal_as_an_object_dies_is_not_lost(tmp_path: Path, dying: str) -> None:
    code = (
        "import time, weakref\n"
        "class Thing: pass\n"
        "def end(_):\n"
        f"    os.kill(os.getpid(), {TERM})\n"
        "    time.sleep(0)\n"
        "interruptions.listen()\n"
        f"thing = Thing(); kept = {dying}\n"
        "try:\n"
        "    del thing\n"
        "    time.sleep(30)\n"
        "    print('went on')\n"
        "except interruptions.Interrupted as stop:\n"
        "    print(stop)"
    )
    done = in_a_process(code, tmp_path)
    assert (done.stdout, done.stderr) == ("interrupted by SIGTERM\n", "")


def test_other_errors_as_an_object_dies_are_shown(tmp_path: Path) -> None:
    code = (
        "class Thing:\n"
        "    def __del__(self): raise ValueError('mine')\n"
        "interruptions.listen()\n"
        "Thing()"
    )
    assert "ValueError: mine" in in_a_process(code, tmp_path).stderr


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


@pytest.fixture
def handled() -> Iterator[list[str]]:
    """What was done, and that a signal came, in order."""
    log: list[str] = []

    def note(number: int, _frame: object) -> None:
        log.append(signal.Signals(number).name)
        raise Interrupted(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGALRM)}
    yield log
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGALRM])
def test_what_must_not_be_left_half_done_is_done_first(handled: list[str], number: int) -> None:
    def work() -> None:
        with undisturbed():
            handled.append("first")
            with undisturbed():
                signal.raise_signal(number)
                handled.append("second")
            handled.append("third")

    with pytest.raises(Interrupted):
        work()
    assert handled == ["first", "second", "third", signal.Signals(number).name]
    with pytest.raises(Interrupted):
        signal.raise_signal(number)


def test_an_error_and_a_signal_at_once(handled: list[str]) -> None:
    def work() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGTERM)
            raise ValueError("mine")

    with pytest.raises(Interrupted) as caught:
        work()
    assert isinstance(caught.value.__context__, ValueError)
    assert handled == ["SIGTERM"]


def test_a_signal_between_two_handlers_that_are_put_back_is_not_lost(
    handled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put, n_put = signal.signal, 0

    def interrupted(number: int, handler: Any) -> Any:
        nonlocal n_put
        n_put += 1
        if n_put > 1:
            signal.raise_signal(signal.SIGALRM)
        return put(number, handler)

    with pytest.raises(Interrupted), undisturbed():
        monkeypatch.setattr(signal, "signal", interrupted)
    monkeypatch.undo()
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGTERM)
    assert handled[-1] == "SIGTERM"


def test_other_threads_are_left_alone(handled: list[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work() -> None:
        with undisturbed():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (seen, handled) == ([before], [])


def caught_from(module: str) -> Exception:
    """An error that code of a module raises while it is interrupted."""
    names: dict[str, Any] = {"__name__": module, "Interrupted": Interrupted}
    code = "try:\n    raise Interrupted(15)\nfinally:\n    assert not 1, 'half made'"
    try:
        exec(code, names)  # noqa: S102 - as a module of another name
    except AssertionError as error:
        return error
    raise LookupError


def test_an_error_of_a_library_that_was_interrupted_is_an_interruption() -> None:
    stop = interruption_behind(caught_from("sqlalchemy.engine"))
    assert stop is not None
    assert stop.signum == TERM
    assert interruption_behind(caught_from("tunesmith.reporting")) is None
    assert interruption_behind(ValueError("nobody raised it")) is None


def test_an_interruption_that_was_being_handled_before_is_no_part_of_an_error() -> None:
    def tidied(cause: BaseException | None) -> Exception:
        try:
            try:
                raise Interrupted(TERM)
            finally:
                raise OSError("the server is away") from cause
        except OSError as error:
            return error

    found = [
        interruption_within(tidied(None)),
        interruption_within(tidied(ValueError("said by a driver"))),
    ]
    try:
        raise Interrupted(TERM)
    except Interrupted as old:
        handled = old
        found.append(interruption_within(tidied(None), handled))
        try:
            raise OSError("another one")
        except OSError as error:
            old_one, none = interruption_within(error), interruption_within(error, handled)
    assert None not in found
    assert handled not in found
    assert old_one is handled
    assert none is None
