"""Everything about one trial, as JSON content: folds, failures, warnings, notes and logs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.analysis import numbers
from tunesmith.history import FoldResult, Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.sections.failures import last_lines
from tunesmith.system.redact import printable

MAX_TEXTS = 100
"""Different texts of failures in a file; a live page has them all."""
MAX_LOG = 20_000
"""Characters of a log: its end."""


@dataclass(frozen=True)
class LogText:
    """Output of a fold's program, or the traceback of its fit."""

    title: str
    text: str


def trial_details(
    record: StudyRecord, trial: Trial, logs: Sequence[LogText] = ()
) -> dict[str, Any]:
    """Return what a live page shows of a trial that was chosen.

    Args:
        record: of the study.
        trial: one of its completed trials.
        logs: of its program.
    """
    folds = [_fold(result, record) for result in trial.folds]
    return {
        "trial": trial.number,
        "params": {name: numbers.value(value) for name, value in sorted(trial.params.items())},
        "folds": folds,
        "notes": list(record.notes.get(trial.number, ())),
        "texts": [
            {"title": f"fold {result.fold}: {result.failure.kind}", "text": text}
            for result in trial.folds
            if result.failure and (text := printable(result.failure.traceback))
        ],
        "logs": [{"title": log.title, "text": printable(log.text[-MAX_LOG:])} for log in logs],
    }


def _fold(result: FoldResult, record: StudyRecord) -> dict[str, Any]:
    scores = {
        m.name: numbers.plain(result.scores.get(m.name, float("nan"))) for m in record.metrics
    }
    failure = result.failure
    return {
        "fold": result.fold,
        "scores": scores,
        "seconds": f"{result.fit_time_s + result.score_time_s:.3g}",
        "failure": "" if failure is None else f"{failure.kind}: {failure.message}",
        "warning": result.warning,
    }


def told(record: StudyRecord, trials: Iterable[Trial]) -> dict[str, Any]:
    """Return what a file tells of single trials beside their scores.

    Args:
        record: of the study.
        trials: that the file shows.

    Returns:
        ``notes`` and ``warnings`` by trial number, and ``texts`` of failures, each once, with
        ``failed``: trial number -> position of its text.
    """
    places: dict[str, int] = {}
    failed: dict[int, int] = {}
    warned: dict[int, str] = {}
    for trial in trials:
        text = next((f.failure.traceback for f in trial.folds if f.failure), "")
        shown = last_lines(printable(text))
        if shown and (shown in places or len(places) < MAX_TEXTS):
            failed[trial.number] = places.setdefault(shown, len(places))
        said = list(dict.fromkeys(fold.warning for fold in trial.folds if fold.warning))
        if said:
            warned[trial.number] = printable("\n".join(said))
    notes = {number: [printable(text) for text in texts] for number, texts in record.notes.items()}
    return {"notes": notes, "warnings": warned, "texts": list(places), "failed": failed}


def as_json(content: object) -> bytes:
    """Return content as compact JSON."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
