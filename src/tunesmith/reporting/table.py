"""Trials as rows, and rows as CSV, JSON, Markdown or text."""

import csv
import io
import json
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.analysis import numbers
from tunesmith.analysis.outcomes import violation_text, winning
from tunesmith.analysis.ranking import standard_error
from tunesmith.history import Metric, Trial, mean_of, std_of
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.cells import table
from tunesmith.reporting.escape import csv_cell, md_code, terminal
from tunesmith.types import State

Row = dict[str, Any]


def suffix(metric: Metric, metrics: Sequence[Metric]) -> str:
    """Scikit-learn calls a single metric ``score``, several by their names."""
    return "score" if len(metrics) == 1 else metric.name


def rows_of(record: StudyRecord) -> list[Row]:
    """Return one row a trial with results, in number order, with scikit-learn's column names.

    Params of a trial stand under ``params``; scores that do not exist are ``None``. Trials that
    violate a constraint cannot win, and their ranks are ``None``, too.
    """
    ranks = {metric.name: ranks_of(record, metric) for metric in record.metrics}
    violating = {trial.number for trial in record.history.completed if _violates(trial, record)}
    n_folds = record.history.most_folds
    return [
        row_of(
            trial,
            record,
            {
                name: own[trial.number] if trial.number not in violating else None
                for name, own in ranks.items()
            },
            n_folds,
        )
        for trial in record.history.completed
    ]


def row_of(trial: Trial, record: StudyRecord, ranks: Mapping[str, int | None], n_folds: int) -> Row:
    """Return the row of a trial, as in ``rows_of``.

    Args:
        trial: with results.
        record: of its study.
        ranks: its rank by metric.
        n_folds: most folds of a trial of the study.
    """
    row: Row = {"trial": trial.number, "state": trial.state.value, "origin": trial.origin}
    row["params"] = dict(trial.params)
    for metric in record.metrics:
        name, scores = suffix(metric, record.metrics), trial.fold_scores(metric.name)
        row[f"rank_test_{name}"] = ranks[metric.name]
        row[f"mean_test_{name}"] = _finite(trial.mean(metric.name))
        row[f"std_test_{name}"] = _finite(trial.std(metric.name))
        for fold in range(n_folds):
            # A failed trial may have fewer folds than others.
            score = scores[fold] if fold < len(scores) else math.nan
            row[f"split{fold}_test_{name}"] = _finite(score)
    row["mean_fit_time"] = _finite(_clock([fold.fit_time_s for fold in trial.folds]))
    row["mean_score_time"] = _finite(_clock([fold.score_time_s for fold in trial.folds]))
    if record.history.subject_to:
        row["violates"] = _violates(trial, record)
    if record.notes:
        row["note"] = "\n".join(record.notes.get(trial.number, ())) or None
    row["failure"] = f"{trial.failure.kind}: {trial.failure.message}" if trial.failure else None
    return row


def _clock(seconds: Sequence[float]) -> float:
    return mean_of(seconds) if seconds else math.nan


def _violates(trial: Trial, record: StudyRecord) -> str | None:
    """Constraints that a trial violates, with its outcomes; ``None`` unless it is complete."""
    if not record.history.subject_to:
        return None
    is_complete = trial.state is State.COMPLETE
    return violation_text(trial, record.history) if is_complete else None


def with_failures(record: StudyRecord, rows: Sequence[Row]) -> list[Row]:
    """Add ``failures`` to rows: for each failed fold the reason and its last output.

    Args:
        record: of the study.
        rows: some of ``rows_of``.
    """
    trials = record.history.at([row["trial"] for row in rows])
    return [{**row, "failures": _failures(trial)} for row, trial in zip(rows, trials, strict=True)]


def _failures(trial: Trial) -> list[dict[str, Any]]:
    return [
        {
            "fold": fold.fold,
            "kind": fold.failure.kind,
            "message": fold.failure.message,
            "text": fold.failure.traceback,
        }
        for fold in trial.folds
        if fold.failure is not None
    ]


def ranks_of(record: StudyRecord, metric: Metric) -> list[int]:
    """``rank_test_<metric>`` by trial: equals share the better rank.

    Trials that failed, or that cannot win because they violate a constraint, share the last one.
    """
    gains = [metric.sign * score for score in winning(record.history, metric)]
    known = [gain for gain in gains if not math.isnan(gain)]
    # NaN has no rank, so that failed trials get a gain below all others.
    lowest = min(known) - 1 if any(map(math.isfinite, known)) else 0.0
    losses = [-(lowest if math.isnan(gain) else gain) for gain in gains]
    # As `scipy.stats.rankdata` by its method `min`, whose import takes half a second.
    rising = sorted(losses)
    return [bisect_left(rising, loss) + 1 for loss in losses]


def cv_results(record: StudyRecord) -> dict[str, Any]:
    """Return the trials with results in the layout of scikit-learn's ``cv_results_``."""
    import numpy as np

    rows = rows_of(record)
    params = [row["params"] for row in rows]
    names = sorted({name for own in params for name in own})
    results: dict[str, Any] = {}
    for clock in ("fit", "score"):
        times = [[getattr(f, f"{clock}_time_s") for f in t.folds] for t in record.history.completed]
        results[f"mean_{clock}_time"] = np.array([np.mean(own) for own in times])
        results[f"std_{clock}_time"] = np.array([np.std(own) for own in times])
    for name in names:
        values = [own.get(name) for own in params]
        # Masked, as in scikit-learn, so that the same code reads both.
        masked = np.ma.MaskedArray(np.empty(len(rows), dtype=object), mask=False)
        masked[:] = values
        masked.mask = [name not in own for own in params]
        results[f"param_{name}"] = masked
    results["params"] = params
    for column in [name for name in (rows[0] if rows else ()) if "_test_" in name]:
        values = [math.nan if row[column] is None else row[column] for row in rows]
        results[column] = np.array(values, dtype=np.float64)
    for metric in record.metrics if rows else ():
        # Whole numbers, as in scikit-learn, for trials that cannot win as well.
        ranks = np.array(ranks_of(record, metric), dtype=np.int32)
        results[f"rank_test_{suffix(metric, record.metrics)}"] = ranks
    return results


def _finite(number: Any) -> float | None:
    return float(number) if math.isfinite(number) else None


def flat(row: Row) -> Row:
    """A row with its params as ``param_<name>`` columns."""
    params = {f"param_{name}": value for name, value in row["params"].items()}
    plain = {name: value for name, value in row.items() if name != "params"}
    first = {name: plain.pop(name) for name in ("trial", "state", "origin")}
    return {**first, **params, **plain}


# -- writing -----------------------------------------------------------------------------------


def to_csv(rows: Sequence[Row]) -> str:
    """RFC 4180, one header line; text that looks like a formula is quoted for spreadsheets."""
    flats = [flat(row) for row in rows]
    columns = list(dict.fromkeys(column for row in flats for column in row))
    stream = io.StringIO()
    # Not the module's own `\r\n`, which Git may convert: `verify` compares bytes.
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_csv(row.get(column)) for column in columns] for row in flats])
    return stream.getvalue()


def _csv(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return csv_cell(value)
    return (
        value
        if isinstance(value, int | float) and not isinstance(value, bool)
        else json.dumps(value)
    )


def to_json_lines(rows: Sequence[Row]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n" for row in rows)


def to_markdown(rows: Sequence[Row]) -> str:
    """A GFM table."""
    flats = [flat(row) for row in rows]
    columns = list(dict.fromkeys(column for row in flats for column in row))
    body = [[_markdown(row.get(column)) for column in columns] for row in flats]
    return table([md_code(column) for column in columns], body)


def _markdown(value: Any) -> str:
    return "–" if value is None else md_code(numbers.value(value))


def to_text(rows: Sequence[Row], metrics: Sequence[Metric], by: str | None = None) -> str:
    """Aligned columns for a terminal: rank, trial, scores, params.

    Args:
        rows: from ``rows_of``.
        metrics: of the study.
        by: name by which the rows were sorted, with its ``-``; shown if it is a further column.
    """
    # Scores and params are there anyway; a sorted time that is not shown tells nobody anything.
    name = (by or "").removeprefix("-")
    is_shown = not name or "test_" in name or name in ("trial", "state", "params")
    more = [] if is_shown or not rows or name not in rows[0] else [name]
    header = ["rank", "trial", "state", *(metric.name for metric in metrics), *more, "params"]
    body = []
    for row in rows:
        *cells, last = _text_row(row, metrics)
        body.append([*cells, *(_cell(row[column]) for column in more), last])
    widths = [max(len(line[i]) for line in (header, *body)) for i in range(len(header) - 1)]
    lines = []
    for line in (header, *body):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        lines.append("  ".join([*cells, line[-1]]).rstrip())
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else terminal(str(value))


def _text_row(row: Row, metrics: Sequence[Metric]) -> list[str]:
    name = suffix(metrics[0], metrics)
    scores = [_mean_std(row, suffix(metric, metrics)) for metric in metrics]
    params = params_text(row)
    is_complete = row["state"] == "complete"
    violates = row.get("violates")
    text = params if is_complete else f"{params}  {row['failure'] or _stopped(row, name)}"
    text += f"  violates {violates}" if violates else ""
    text += f"  note: {row['note']}" if row.get("note") else ""
    rank = str(row[f"rank_test_{name}"]) if is_complete and not violates else "–"
    return [rank, str(row["trial"]), row["state"], *scores, terminal(text.replace("\n", " "))]


def params_text(row: Row) -> str:
    """All params of a row in a line."""
    return " ".join(f"{k}={numbers.value(v)}" for k, v in sorted(row["params"].items()))


def _mean_std(row: Row, name: str) -> str:
    mean, std = row[f"mean_test_{name}"], row[f"std_test_{name}"]
    splits = [row[column] for column in _splits_of(row, name) if row[column] is not None]
    if row["state"] == "pruned":
        # The fold or budget at which it ended; it is not ranked, but gives the reason.
        mean, std = (mean_of(splits), std_of(splits)) if splits else (None, None)
    if mean is None:
        return "–"
    return f"{numbers.rounded(mean, standard_error(splits))} (std {std:.2g})"


def _stopped(row: Row, name: str) -> str:
    """Number of folds after which a trial was stopped; empty if it has all of them."""
    splits = [row[column] is not None for column in _splits_of(row, name)]
    is_raced = row["state"] == "pruned" and not all(splits)
    return f"stopped after {sum(splits)} of {len(splits)} folds" if is_raced else ""


def _splits_of(row: Row, name: str) -> list[str]:
    return [c for c in row if c.startswith("split") and c.partition("_")[2] == f"test_{name}"]
