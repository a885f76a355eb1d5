"""A ledger whose process is interrupted (Ctrl-C, SIGTERM, a time budget) while it opens or closes.

The signal comes at a line of Tunesmith, of SQLAlchemy or of Python's library, drawn by seed; every
29th one is tried by ``python -m tests.ledger.test_interrupted 29``.
"""

import gc
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tunesmith.errors import StorageError
from tunesmith.ledger import integrity
from tunesmith.ledger.integrity import log_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.system.interruptions import Interrupted, interruption_behind
from tunesmith.testing.ledger import begin, tell

N_POINTS = 40


def stop(number: int, _frame: FrameType | None) -> None:
    # The command's own handler ends the process within an import; here, the next line is tried.
    raise Interrupted(number)


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


@contextmanager
def a_signal_at(wanted: int) -> Iterator[Callable[[], int]]:
    """Raise SIGTERM at a line; yields how many lines were passed."""
    n_lines = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal n_lines
        if event == "line":
            n_lines += 1
            if n_lines == wanted:
                signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: n_lines
    finally:
        sys.settrace(before)


def work(path: Path, number: int) -> None:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, number)


def interrupt(path: Path, wanted: int) -> bool:
    """Work, with a signal at a line; true if it was interrupted."""
    try:
        with a_signal_at(wanted):
            work(path, wanted)
    except Interrupted:
        return True
    except (AttributeError, AssertionError) as error:
        # SQLAlchemy tidies up what its own constructors had not finished.
        if interruption_behind(error) is None:
            raise
        return True
    return False


def trials(path: Path) -> list[int]:
    gc.collect()
    with Ledger.open(path, create=False) as ledger:
        return [trial.number for trial in ledger.load("study").history]


def n_lines(folder: Path) -> int:
    work(folder / "warm.db", 0)
    with a_signal_at(0) as passed:
        work(folder / "warm.db", 1)
    return passed()


def pristine(folder: Path, *, is_killed: bool) -> Path:
    """A ledger with a trial: at rest, or as a killed run leaves it."""
    path = folder / "pristine" / "l.db"
    path.parent.mkdir()
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
        if is_killed:
            killed = folder / "killed"
            shutil.copytree(path.parent, killed)
            return killed / "l.db"
    return path


# SQLAlchemy runs code as objects die; Python loses what is raised there.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_killed", [False, True], ids=["at rest", "killed"])
def test_an_interruption_anywhere_leaves_a_whole_ledger(tmp_path: Path, is_killed: bool) -> None:
    most, source = n_lines(tmp_path), pristine(tmp_path, is_killed=is_killed)
    points = sorted(random.Random(7).sample(range(1, most), N_POINTS))
    n_interrupted = 0
    for point in points:
        path = Path(shutil.copytree(source.parent, tmp_path / str(point))) / "l.db"
        n_interrupted += interrupt(path, point)
        assert 0 in trials(path), point
    assert n_interrupted >= N_POINTS - 2


def test_the_pool_prints_no_traceback_of_its_own() -> None:
    code = (
        "import logging\n"
        "from tunesmith.ledger import dialect\n"
        "logging.getLogger('sqlalchemy.pool.impl.QueuePool').error('Exception during reset')\n"
        "logging.getLogger('another').error('heard')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "heard\n"


def test_a_signal_while_it_closes_comes_when_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.db"
    ledger = Ledger.open(path)
    begin(ledger)
    rest = integrity.Closing._rest

    def interrupted(closing: integrity.Closing) -> None:
        signal.raise_signal(signal.SIGTERM)
        rest(closing)

    monkeypatch.setattr(integrity.Closing, "_rest", interrupted)
    with pytest.raises(Interrupted):
        ledger.close()
    assert not log_of(path).exists()
    assert integrity.is_at_rest(path)


def test_another_thread_may_close_it(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    ledger = Ledger.open(path)
    begin(ledger)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ledger.close).result()
    assert integrity.is_at_rest(path)
    assert not integrity._kept


# Python 3.13 tells of connections that nobody closed, which is what is wanted here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_an_interruption_lost_keeps_no_later_ledger_from_rest(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    lost = Ledger.open(path)
    begin(lost)
    # As between `open` and the block that would close it.
    del lost
    gc.collect()
    assert log_of(path).exists()
    assert not integrity.is_at_rest(path)
    work(path, 1)
    assert integrity.is_at_rest(path)
    assert not integrity._kept


def test_a_refused_ledger_of_a_killed_run_keeps_its_log(tmp_path: Path) -> None:
    path = pristine(tmp_path, is_killed=True)
    writer = integrity.connect(path, "mode=rw")
    writer.execute("UPDATE tunesmith SET schema_version = schema_version + 1000")
    reader = integrity.connect(path, "mode=ro")
    reader.execute("SELECT 1 FROM tunesmith").fetchone()
    writer.close()
    reader.close()
    for _ in range(2):
        with pytest.raises(StorageError, match="newer"):
            Ledger.open(path)
        assert log_of(path).exists()


def main(step: int) -> None:
    """Try every line once, or every step-th, on both kinds of ledgers."""
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        most = n_lines(folder)
        for is_killed in (False, True):
            (place := folder / f"killed={is_killed}").mkdir()
            source = pristine(place, is_killed=is_killed)
            for point in range(1, most + 1, step):
                path = Path(shutil.copytree(source.parent, place / "tried")) / "l.db"
                interrupt(path, point)
                try:
                    assert 0 in trials(path)
                except (StorageError, AssertionError) as error:
                    print(f"killed={is_killed} line {point}: {error}")
                shutil.rmtree(path.parent)
            print(f"killed={is_killed}: every {step}th of {most} lines tried")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
