"""Trials as rows: filtered, sorted, and written as CSV, JSON, Markdown or text."""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tunesmith.analysis import numbers
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Metric, Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.cells import table
from tunesmith.reporting.escape import csv_cell, md_code, terminal
from tunesmith.space.expression import Expression, ExpressionError

Row = dict[str, Any]


def suffix(metric: Metric, metrics: Sequence[Metric]) -> str:
    """Scikit-learn calls a single metric ``score``, several by their names."""
    return "score" if len(metrics) == 1 else metric.name


def rows_of(record: StudyRecord) -> list[Row]:
    """Return one row a trial with results, in number order, with scikit-learn's column names.

    Params of a trial stand under ``params``; scores that do not exist are ``None``.
    """
    ranks = {metric.name: ranks_of(record, metric) for metric in record.metrics}
    n_folds = max((len(trial.folds) for trial in record.history.told), default=0)
    rows = []
    for trial in record.history.told:
        row: Row = {"trial": trial.number, "state": trial.state.value, "origin": trial.origin}
        row["params"] = dict(trial.params)
        for metric in record.metrics:
            name, scores = suffix(metric, record.metrics), trial.scores(metric.name)
            row[f"rank_test_{name}"] = ranks[metric.name][trial.number]
            row[f"mean_test_{name}"] = _finite(trial.mean(metric.name))
            row[f"std_test_{name}"] = _finite(trial.std(metric.name))
            for fold in range(n_folds):
                # A failed trial may have fewer folds than others.
                score = scores[fold] if fold < len(scores) else math.nan
                row[f"split{fold}_test_{name}"] = _finite(score)
        row["mean_fit_time"] = _finite(np.mean([fold.fit_time_s for fold in trial.folds]))
        row["mean_score_time"] = _finite(np.mean([fold.score_time_s for fold in trial.folds]))
        row["failure"] = f"{trial.failure.kind}: {trial.failure.message}" if trial.failure else None
        rows.append(row)
    return rows


def with_failures(record: StudyRecord, rows: Sequence[Row]) -> list[Row]:
    """Add ``failures`` to rows: for each failed fold the reason and its last output.

    Args:
        record: of the study.
        rows: some of ``rows_of``.
    """
    told = list(record.history.told)
    return [{**row, "failures": _failures(told[row["trial"]])} for row in rows]


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
    """``rank_test_<metric>`` by trial: equals share the better rank, failed trials the last."""
    from scipy.stats import rankdata

    gains = np.array([metric.sign * t.mean(metric.name) for t in record.history.told])
    if not len(gains):
        return []
    # `rankdata` cannot rank NaN, so that failed trials get a gain below all others.
    lowest = np.nanmin(gains) - 1 if np.isfinite(gains).any() else 0.0
    ranks = rankdata(-np.where(np.isnan(gains), lowest, gains), method="min")
    return [int(rank) for rank in ranks]


def cv_results(record: StudyRecord) -> dict[str, Any]:
    """Return the trials with results in the layout of scikit-learn's ``cv_results_``."""
    rows = rows_of(record)
    params = [row["params"] for row in rows]
    names = sorted({name for own in params for name in own})
    results: dict[str, Any] = {}
    for clock in ("fit", "score"):
        times = [[getattr(f, f"{clock}_time_s") for f in t.folds] for t in record.history.told]
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
        kind = np.int32 if column.startswith("rank_") else np.float64
        results[column] = np.array(values, dtype=kind)
    return results


def _finite(number: Any) -> float | None:
    return float(number) if math.isfinite(number) else None


# -- choosing ----------------------------------------------------------------------------------


def chosen(
    rows: Sequence[Row], *, where: str | None = None, by: str | None = None, n: int | None = None
) -> list[Row]:
    """Return the rows that meet a condition, in an order.

    Args:
        rows: from ``rows_of``.
        where: a condition over params and columns, e.g. ``max_depth > 5 and state == 'complete'``.
        by: a column, a param or a metric; ``-name`` turns the order round. Ranks by default.
        n: keep the first ones only.

    Raises:
        UsageError: the condition or the column cannot be used.
    """
    if where is not None:
        _check_names(rows, where)
    kept = [row for row in rows if where is None or _holds(row, where)]
    name = by or next(
        (column for column in (rows[0] if rows else ()) if "rank_" in column), "trial"
    )
    kept = _ordered(kept, name.removeprefix("-"), is_reversed=name.startswith("-"))
    return kept[:n]


def flat(row: Row) -> Row:
    """A row with its params as ``param_<name>`` columns."""
    params = {f"param_{name}": value for name, value in row["params"].items()}
    plain = {name: value for name, value in row.items() if name != "params"}
    first = {name: plain.pop(name) for name in ("trial", "state", "origin")}
    return {**first, **params, **plain}


def _check_names(rows: Sequence[Row], where: str) -> None:
    """Refuse names that no row has; a name that some rows lack is an inactive parameter."""
    try:
        names = Expression(where).names
    except ExpressionError as error:
        raise UsageError(f"--filter: {error}") from None
    known = sorted({column for row in rows for column in (*flat(row), *row["params"])})
    # Without rows no name is known.
    for name in sorted(names - set(known)) if rows else ():
        raise UsageError(f"--filter: no column `{name}`. {did_you_mean(name, known)}")


def _holds(row: Row, where: str) -> bool:
    condition = Expression(where)
    known = {**flat(row), **row["params"]}
    if not condition.names <= known.keys():
        return False
    try:
        return condition.holds(known)
    except ExpressionError:
        # An inactive or failed value cannot be compared: such a row is left out.
        return False


def _ordered(rows: list[Row], name: str, *, is_reversed: bool) -> list[Row]:
    if not rows:
        return rows
    columns = {column for row in rows for column in (*flat(row), *row["params"])}
    column = next((c for c in (name, f"mean_test_{name}", f"param_{name}") if c in columns), None)
    if column is None:
        raise UsageError(f"--sort: no column `{name}`. {did_you_mean(name, sorted(columns))}")
    is_score = column.startswith(("mean_test_", "split"))

    def key(row: Row) -> Any:
        value = {**flat(row), **row["params"]}.get(column)
        return value if isinstance(value, int | float) else str(value)

    present = [row for row in rows if {**flat(row), **row["params"]}.get(column) is not None]
    # At the end in either order: a missing value is neither best nor worst.
    absent = [row for row in rows if row not in present]
    kinds = {isinstance(key(row), str) for row in present}
    ordered = sorted(
        present,
        # Numbers and texts cannot be compared with each other.
        key=key if len(kinds) == 1 else lambda row: str(key(row)),
        reverse=is_reversed != is_score,
    )
    return ordered + absent


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


def to_text(rows: Sequence[Row], metrics: Sequence[Metric]) -> str:
    """Aligned columns for a terminal: rank, trial, scores, params."""
    header = ["rank", "trial", "state", *(metric.name for metric in metrics), "params"]
    body = [_text_row(row, metrics) for row in rows]
    widths = [max(len(line[i]) for line in (header, *body)) for i in range(len(header) - 1)]
    lines = []
    for line in (header, *body):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        lines.append("  ".join([*cells, line[-1]]).rstrip())
    return "\n".join(lines)


def _text_row(row: Row, metrics: Sequence[Metric]) -> list[str]:
    name = suffix(metrics[0], metrics)
    scores = [_mean_std(row, suffix(metric, metrics)) for metric in metrics]
    params = " ".join(f"{k}={numbers.value(v)}" for k, v in sorted(row["params"].items()))
    is_complete = row["state"] == "complete"
    text = params if is_complete else f"{params}  {row['failure'] or ''}"
    rank = str(row[f"rank_test_{name}"]) if is_complete else "–"
    return [rank, str(row["trial"]), row["state"], *scores, terminal(text.replace("\n", " "))]


def _mean_std(row: Row, name: str) -> str:
    mean, std = row[f"mean_test_{name}"], row[f"std_test_{name}"]
    if row["state"] == "pruned":
        # The fold or budget at which it ended; it is not ranked, but gives the reason.
        splits = [row[column] for column in _splits_of(row, name) if row[column] is not None]
        mean, std = (np.mean(splits), np.std(splits)) if splits else (None, None)
    return "–" if mean is None else f"{mean:.5g} (std {std:.2g})"


def _splits_of(row: Row, name: str) -> list[str]:
    return [c for c in row if c.startswith("split") and c.partition("_")[2] == f"test_{name}"]
