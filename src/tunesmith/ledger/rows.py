"""Conversion between rows of the tables and the objects that the rest of Tunesmith uses."""

import json
import os
import secrets
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any

from tunesmith.history import LAW, OLD_LAW, Failure, FoldResult, Metric, Trial
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest as text_digest
from tunesmith.system.redact import MARK, clean, redact

if TYPE_CHECKING:  # workers write rows into journals, and need no database for that
    from sqlalchemy import Row


READER = json.JSONDecoder()
CHECKED: Mapping[str, tuple[str, ...]] = {
    "study": (
        *("id", "name", "generation", "identity", "definition", "context", "metrics"),
        *("n_objectives", "since_run", "created"),
    ),
    "run": (
        *("id", "study_id", "started", "ended", "stopped_by", "n_evaluated", "n_reused", "n_fits"),
        "provenance",
    ),
    "run_uid": ("id", "uid"),
    "evaluation": (
        *("key", "run_id", "fold", "scores", "fit_time_s", "score_time_s", "n_sharing"),
        *("failure_kind", "failure_message", "failure_traceback", "warning", "progress"),
        "stopped_at",
    ),
    "trial": (
        *("study_id", "number", "params", "origin", "state", "proposed", "n_points", "n_folds"),
    ),
    "trial_fold": ("study_id", "number", "fold", "evaluation_key", "run_id"),
    "note": ("study_id", "number", "place", "text"),
}
"""Tables, in an order in which they can be filled, and their columns that a checksum covers."""
LATER: Mapping[str, tuple[str, ...]] = {"evaluation": ("made", "reading")}
"""Columns that came later; a checksum covers them if they have a value."""
LATER_TABLES = frozenset({"note", "run_uid"})
"""Tables that came later; a ledger that an earlier version wrote lacks them."""


def checksum(table: str, row: Mapping[str, Any]) -> int:
    """Checksum of a row's values, which reveals a row that was changed on the disk."""
    content = [table, *(row[name] for name in CHECKED[table])]
    # Only if they have a value, so that checksums of older rows stay right.
    later = {name: row.get(name) for name in LATER.get(table, ())}
    content += [[name, value] for name, value in later.items() if value is not None]
    # Another form of this text would make every row of every ledger look damaged.
    return zlib.crc32(json.dumps(content).encode())


def checksums(table: str, columns: Mapping[str, Sequence[Any]]) -> list[int]:
    """Checksums of many rows, as ``checksum`` computes them one by one, at a third of the cost.

    Args:
        table: name of the table.
        columns: values by name of the column, as many of each.
    """
    names, later = CHECKED[table], [name for name in LATER.get(table, ()) if name in columns]
    rows: list[tuple[Any, ...]] = list(
        zip(repeat(table), *(columns[name] for name in names), strict=False)
    )
    for name in later:
        pairs = zip(rows, columns[name], strict=True)
        rows = [row if value is None else (*row, (name, value)) for row, value in pairs]
    # One text of all rows, and between them one that no value can hold.
    between = secrets.token_hex(16)
    text = json.dumps([item for row in rows for item in (row, between)])
    texts = text[1 : -len(f', "{between}"]')].split(f', "{between}", ') if rows else []
    return [zlib.crc32(row.encode()) for row in texts]


def with_run(row: Mapping[str, Any], run_id: int) -> dict[str, Any]:
    """Build the row of an evaluation from one without its run."""
    return signed("evaluation", {**row, "run_id": run_id})


def signed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Add its checksum to a row."""
    return {**row, "checksum": checksum(table, row)}


def json_text(value: object) -> str:
    """Canonical JSON that every database accepts."""
    return _storable(canonical_json(value))


def _storable(text: str) -> str:
    r"""Text that every database accepts: half a character becomes its escape, as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode()


def without_secrets(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """A JSON-like value with every text in it redacted."""
    environ = dict(os.environ) if environ is None else environ
    if isinstance(value, str):
        return redact(value, environ)
    if isinstance(value, Mapping):
        return {name: without_secrets(item, environ) for name, item in value.items()}
    if isinstance(value, list | tuple):
        kept = [without_secrets(item, environ) for item in value]
        return [
            _as_argument(kept[i - 1], item, environ) if i else item for i, item in enumerate(kept)
        ]
    return value


def _as_argument(before: Any, item: Any, environ: Mapping[str, str]) -> Any:
    """An item of a list; of a command it may be the value of an option, such as a password."""
    if not (isinstance(before, str) and before.startswith("-") and isinstance(item, str)):
        return item
    line = f" {before} {item}"
    return item if redact(line, environ) == line else MARK


def definition_without_secrets(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition as it is recorded; what it sets for programs may hold secrets.

    Names in the environment of this process say nothing about the words of a configuration.
    """
    objective = RecordedStudy.of(definition).objective
    variables = {} if objective is None else objective.variables
    return dict(without_secrets(definition, variables))


def as_recorded(definition: Mapping[str, Any]) -> RecordedStudy:
    """A definition as it would be read from a ledger; to be compared with recorded ones."""
    return RecordedStudy.of(definition_without_secrets(definition))


def provenance_without_secrets(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance of a run as it is recorded."""
    found = provenance.get("definition")
    own = {"definition": definition_without_secrets(found)} if isinstance(found, Mapping) else {}
    return dict(without_secrets({**provenance, **own}))


def trial_row(study_id: int, trial: Trial) -> dict[str, Any]:
    """Build a row of the table ``trial``."""
    row = {
        "study_id": study_id,
        "number": trial.number,
        "params": json_text(dict(trial.params)),
        "origin": trial.origin,
        "state": trial.state.value,
        "proposed": None if trial.proposed is None else json_text(dict(trial.proposed)),
        "n_points": trial.n_points,
        "n_folds": len(trial.folds),
    }
    return signed("trial", row)


def evaluation_row(key: str, result: FoldResult, run_id: int) -> dict[str, Any]:
    """Build a row of the table ``evaluation``; texts of failures are cleaned."""
    failure = result.failure
    row = {
        "key": key,
        "run_id": run_id,
        "fold": result.fold,
        "scores": json_text(dict(result.scores)),
        # A whole number would come back from the column as a float, with another checksum.
        "fit_time_s": float(result.fit_time_s),
        "score_time_s": float(result.score_time_s),
        "n_sharing": result.n_sharing,
        "failure_kind": failure and _fit_to_keep(failure.kind),
        "failure_message": failure and _fit_to_keep(failure.message),
        "failure_traceback": failure and _fit_to_keep(failure.traceback),
        "warning": (result.warning and _fit_to_keep(result.warning)) or None,
        "progress": json_text(result.progress) if result.progress else None,
        "stopped_at": result.stopped_at,
        "made": made_text(result),
        "reading": None if result.reading is None else reading_row(result.reading)["digest"],
    }
    return signed("evaluation", row)


def reading_row(reading: Mapping[str, str]) -> dict[str, str]:
    """Build a row of the table ``reading``."""
    content = json_text(dict(reading))
    return {"digest": text_digest(content), "content": content}


def made_text(result: FoldResult) -> str | None:
    """Describe how a fit was shared, as JSON, and the rows' parts in its score.

    Returns:
        ``None`` if it was made for one candidate, and has no parts.
    """
    if not result.is_shared and not result.parts:
        return None
    # Beside what earlier versions read here, so that they read such a ledger as well.
    parts = {"parts": result.parts} if result.parts else {}
    return json_text({"law": result.law, "ways": list(result.ways), **parts})


def made_of(text: str | None, n_sharing: int) -> tuple[tuple[str, ...], int]:
    """Sharing methods of a fit, and the version of the sharing rules at that time.

    If a shared fit has none, an earlier version made its scores.
    """
    if text is None:
        return (), LAW if n_sharing == 1 else OLD_LAW
    content = json.loads(text)
    return tuple(map(str, content["ways"])), int(content["law"])


def parts_of(text: str | None) -> str:
    """Parts of the rows in a score; empty if they are not known.

    >>> parts_of('{"law":2,"parts":"0a","ways":[]}'), parts_of(None)
    ('0a', '')
    """
    return "" if text is None or '"parts"' not in text else str(json.loads(text)["parts"])


def _fit_to_keep(text: str) -> str:
    return _storable(clean(text))


def link_row(study_id: int, number: int, fold: int, key: str, run_id: int) -> dict[str, Any]:
    """Build a row of the table ``trial_fold``: the evaluation that a trial's fold points to."""
    row = {
        "study_id": study_id,
        "number": number,
        "fold": fold,
        "evaluation_key": key,
        "run_id": run_id,
    }
    return signed("trial_fold", row)


def note_row(study_id: int, number: int, place: int, text: str) -> dict[str, Any]:
    """Build a row of the table ``note``; secrets in the text are taken out."""
    row = {"study_id": study_id, "number": number, "place": place, "text": _fit_to_keep(text)}
    return signed("note", row)


def fold_result_of(row: "Row[Any]", fold: int) -> FoldResult:
    """Result in a row, as the given fold."""
    failure = None
    if row.failure_kind is not None:
        failure = Failure(row.failure_kind, row.failure_message, row.failure_traceback)
    # Written by us, so that no blanks are to be skipped around it; there may be a million of them.
    scores, _ = READER.raw_decode(row.scores)
    progress: tuple[tuple[int, float], ...] = ()
    if row.progress is not None:
        progress = tuple((step, score) for step, score in json.loads(row.progress))
    ways, law = made_of(row.made, row.n_sharing)
    return FoldResult(
        fold,
        scores,
        fit_time_s=row.fit_time_s,
        score_time_s=row.score_time_s,
        failure=failure,
        n_sharing=row.n_sharing,
        warning=row.warning or "",
        progress=progress,
        stopped_at=row.stopped_at,
        ways=ways,
        law=law,
        parts=parts_of(row.made),
    )


def trial_of(row: "Row[Any]") -> Trial:
    """Trial in a row, without results."""
    proposed = None if row.proposed is None else json.loads(row.proposed)
    return Trial(
        row.number,
        json.loads(row.params),
        key=row.params,
        origin=row.origin,
        proposed=proposed,
        n_points=row.n_points,
    )


def head_of(row: "Row[Any]", *, is_new: bool = False) -> StudyHead:
    """Study in a row."""
    context, definition = json.loads(row.context), json.loads(row.definition)
    return StudyHead(
        id=row.id,
        name=row.name,
        generation=row.generation,
        identity=row.identity,
        context=context,
        definition=definition,
        since_run=row.since_run,
        is_new=is_new,
    )


def metrics_of(row: "Row[Any]") -> tuple[Metric, ...]:
    """Metrics of a study, the deciding ones first."""
    return tuple(Metric(name, direction) for name, direction in json.loads(row.metrics))


def now() -> str:
    """Present time in the form of the ledger: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
