"""Rows and files go together: what the ledger forgets leaves no folder behind."""

from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.errors import LockedError, StorageError
from tunesmith.ledger.housekeeping.garbage import GarbageChoice
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.runs.garbage.collect import collect
from tunesmith.testing.ledger import begin, result, tell
from tunesmith.testing.projects import make_project
from tunesmith.types import StopKind, StopReason


def test_logs_go_with_their_evaluations(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path))
    with Ledger.open(definition.ledger) as ledger:
        head, run = begin(ledger, "small")
        keys = tell(ledger, head, run, 0)
        ledger.record(head.id, run, results={"unused": result(0)})
        ledger.end_run(run, StopReason(StopKind.CRITERION, "1 trial"), 4, 0, 4)
    logs = tmp_path / ".tunesmith" / "runs" / "small"
    for key in (*keys, "unused", "orphan"):
        (logs / key).mkdir(parents=True)
        (logs / key / "stdout").write_text("epoch 1\n")
    choice = GarbageChoice(only_unused=True)
    shown = collect(definition.ledger, choice, definition, removes=False)
    assert [one.path.name for one in shown.files] == ["orphan", "unused"]
    assert (shown.n_bytes, shown.n_files("logs"), shown.is_empty) == (16, 2, False)
    assert len(list(logs.iterdir())) == 5
    removed = collect(definition.ledger, choice, definition, removes=True)
    assert removed == shown
    assert sorted(path.name for path in logs.iterdir()) == sorted(keys)
    assert collect(definition.ledger, choice, definition, removes=True).is_empty
    assert collect(definition.ledger, GarbageChoice(study="small"), None, removes=True).files == ()
    assert len(list(logs.iterdir())) == 3


def test_it_waits_for_no_run_and_makes_no_ledger(tmp_path: Path) -> None:
    file = tmp_path / "l.db"
    with pytest.raises(StorageError, match="there is no ledger"):
        collect(file, GarbageChoice(only_unused=True), None, removes=True)
    assert not file.exists()
    with Ledger.open(file) as ledger:
        begin(ledger)
    with run_lock(file, "study"), pytest.raises(LockedError):
        collect(file, GarbageChoice(only_unused=True), None, removes=False)
