"""Sending of a study's trials to a tracker, from the ledger."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.tracking.seam import TrackedEnd, Tracker, tracked_study, tracked_trial
from tunesmith.system.redact import clean

PAUSE_S = 2.0
"""Time between two looks at the ledger while a run is on."""
MOST_CHARACTERS = 300


@dataclass(frozen=True)
class Sent:
    """Outcome of a sending."""

    n_sent: int
    """Number of trials that the tracker lacked, and has now."""
    n_lacking: int
    """Number of trials that it still lacks."""
    problem: str = ""
    """Reason for that; without secrets."""


def send(record: StudyRecord, tracker: Tracker, texts: Mapping[str, str] | None = None) -> Sent:
    """Send what a tracker lacks; whatever it raises ends the sending, and is told.

    Args:
        record: of the study.
        tracker: is told.
        texts: contents of files to keep with the study, by name.
    """
    # As long as the tracker has not answered, it may lack all of them.
    n_sent, n_lacking = 0, record.history.n_completed
    try:
        tracker.begin(tracked_study(record))
        known = tracker.numbers()
        new = [trial for trial in record.history.completed if trial.number not in known]
        n_lacking = len(new)
        for trial in new:
            tracker.trial(tracked_trial(trial, record.metrics))
            n_sent, n_lacking = n_sent + 1, n_lacking - 1
        tracker.finish(_end(record, texts or {}))
    except Exception as error:  # noqa: BLE001 - a tracker may raise anything
        # Addresses in messages of other tools may hold passwords.
        lines = clean(f"{type(error).__name__}: {error}").strip().splitlines()
        return Sent(n_sent, n_lacking, lines[0][:MOST_CHARACTERS])
    return Sent(n_sent, 0)


def follow(
    load: Callable[[], StudyRecord],
    is_on: Callable[[], bool],
    tracker: Tracker,
    texts: Callable[[StudyRecord], dict[str, str]],
    pause_s: float = PAUSE_S,
) -> Sent:
    """Send trials as they are completed, until the run has ended.

    Args:
        load: reads the record of the study.
        is_on: tells if a run is on.
        tracker: is told; if it is away, the next look tries again.
        texts: as in ``send``.
        pause_s: seconds between two looks.
    """
    n_sent = 0
    while True:
        # Asked first: what a run records before its end is then in the last look.
        goes_on = is_on()
        record = load()
        sent = send(record, tracker, {} if goes_on else texts(record))
        n_sent += sent.n_sent
        if not goes_on:
            return Sent(n_sent, sent.n_lacking, sent.problem)
        time.sleep(pause_s)


def _end(record: StudyRecord, texts: Mapping[str, str]) -> TrackedEnd:
    best = record.history.best()
    means = {} if best is None else {m.name: best.mean(m.name) for m in record.metrics}
    stopped_by = record.stopped_by
    return TrackedEnd(
        n_trials=record.history.n_completed,
        best=None if best is None else best.number,
        means=means,
        stopped_by="" if stopped_by is None else stopped_by.text,
        texts=texts,
    )
