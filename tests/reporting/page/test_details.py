"""Everything about one trial."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tunesmith.history import Failure
from tunesmith.reporting.page.details import MAX_LOG, MAX_TEXTS, LogText, told, trial_details
from tunesmith.testing.figures import HOSTILE, points
from tunesmith.testing.records import make_record


def failing(n: int, text: Callable[[int], str]) -> Any:
    """A study whose fits fail with these tracebacks."""
    record = make_record(points(n), ["out of memory"] * n)
    trials = [
        replace(
            trial,
            folds=tuple(
                replace(fold, failure=Failure("fit-failed", "out of memory", text(trial.number)))
                for fold in trial.folds
            ),
        )
        for trial in record.history.completed
    ]
    return SimpleNamespace(
        history=SimpleNamespace(completed=trials), notes={}, metrics=record.metrics
    )


def test_failed_trials_with_one_text_share_it() -> None:
    record = failing(3, lambda number: "Traceback …" if number else "another")
    content = told(record, record.history.completed)
    assert content["texts"] == ["another", "Traceback …"]
    assert content["failed"] == {0: 0, 1: 1, 2: 1}
    details = trial_details(record, record.history.completed[1])
    assert "out of memory" in details["folds"][0]["failure"]
    assert details["folds"][0]["scores"] == {"score": "–"}
    assert details["texts"][0]["text"] == "Traceback …"


def test_a_file_holds_so_many_texts_and_no_more() -> None:
    record = failing(MAX_TEXTS + 9, "error {}".format)
    content = told(record, record.history.completed)
    assert len(content["texts"]) == len(content["failed"]) == MAX_TEXTS


def test_texts_lose_escapes_and_long_logs_their_beginning() -> None:
    record = make_record(points(2)).with_notes({1: (HOSTILE,)})
    log = LogText("out", "\x1b[31mbegin" + "x" * MAX_LOG)
    details = trial_details(record, record.history[1], [log])
    assert details["logs"] == [{"title": "out", "text": "x" * MAX_LOG}]
    assert json.loads(json.dumps(details, allow_nan=False))["notes"] == [HOSTILE]
    assert "\x1b" not in told(record, record.history.completed)["notes"][1][0]
