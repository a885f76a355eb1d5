"""A run as another process sees it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.ongoing import OngoingRun
from tunesmith.runs.tune import tune
from tunesmith.testing.projects import make_project

HOLD = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tunesmith.ledger.lock import run_lock
with run_lock(sys.argv[1], "small"):
    try:
        print("locked", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture
def definition(tmp_path: Path) -> Definition:
    config = make_project(tmp_path)
    tune(config)
    return load_definition(config)


def record_of(definition: Definition) -> StudyRecord:
    with Ledger.open(definition.ledger, create=False) as ledger:
        return ledger.load(definition.file.study)


def under_way(record: StudyRecord) -> StudyRecord:
    """The same study, before its run had ended."""
    return replace(record, runs=(replace(record.runs[-1], ended=None),))


def test_without_a_run_the_state_is_that_of_the_record(definition: Definition) -> None:
    run = OngoingRun(lambda: definition)
    assert run.state(record_of(definition)).words == "12 of 12 trials"
    assert run.state(None).words == "0 of 12 trials"
    with pytest.raises(UsageError, match="no run is on"):
        run.stop()


def test_the_time_left_follows_the_pace(definition: Definition) -> None:
    record = under_way(record_of(definition))
    now = datetime.fromisoformat(record.runs[-1].started).astimezone(UTC) + timedelta(seconds=36)
    run = OngoingRun(lambda: definition, clock=now.timestamp)
    with run_lock(definition.ledger, "small"):
        state = run.state(record)
    assert state.is_running
    assert state.elapsed_s == 36
    # 36 evaluations in 36 seconds, and half a trial of three folds at least.
    assert state.left_s == pytest.approx(1.5, rel=0.3)


def test_the_time_left_does_not_depend_on_when_somebody_looks(
    definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = under_way(record_of(definition))
    started = datetime.fromisoformat(record.runs[-1].started).astimezone(UTC)
    # Before the first result, and then after many at once.
    looks = [(2.0, 0), (36.0, 36)]
    monkeypatch.setattr(Ledger, "n_made", lambda *_ids: looks[0][1])
    run = OngoingRun(lambda: definition, clock=lambda: started.timestamp() + looks[0][0])
    with run_lock(definition.ledger, "small"):
        run.state(record)
        looks.pop(0)
        state = run.state(record)
    assert state.left_s == pytest.approx(1.5, rel=0.3)


def holding(definition: Definition) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(definition.ledger)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


@pytest.mark.slow
def test_a_run_is_asked_to_stop_once(definition: Definition) -> None:
    run = OngoingRun(lambda: definition)
    with holding(definition) as process:
        assert "asked to stop" in run.stop()
        try:
            with pytest.raises(UsageError, match=r"already|no run is on"):
                run.stop()
            assert process.communicate(timeout=30)[0] == "interrupted\n"
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("who", [os.getppid, lambda: 999_999_999])
def test_a_process_that_does_not_hold_the_lock_gets_no_signal(
    definition: Definition, who: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    lock = definition.ledger.with_name(f"{definition.ledger.name}.small.lock")  # type: ignore[union-attr]
    with holding(definition) as process:
        text = lock.read_text().replace(f'"pid": {process.pid}', f'"pid": {who()}')
        lock.write_text(text)
        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", lambda *arguments: sent.append(arguments))
            with pytest.raises(UsageError, match="not a process of yours"):
                OngoingRun(lambda: definition).stop()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert sent == []
