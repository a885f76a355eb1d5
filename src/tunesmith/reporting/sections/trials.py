"""Trials in tables: the front, the first ones, all of them."""

from collections.abc import Sequence

from tunesmith.analysis import numbers
from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, name_cell, params_cell, score_cell, table, value_cell
from tunesmith.reporting.sparkline import sparkline

TOP = 10
MAX_FRONT = 50


def pareto(summary: Summary) -> str:
    """Trials that no other beats in every objective."""
    if not summary.front:
        return ""
    names = [metric.name for metric in summary.objectives]
    header = ["trial", *map(name_cell, names), "parameters"]
    rows = [
        [str(t.number), *(score_cell(t, n) for n in names), params_cell(t)]
        for t in summary.front[:MAX_FRONT]
    ]
    more = len(summary.front) - MAX_FRONT
    note = f"\n\nAnd {more} more." if more > 0 else ""
    head = "## Pareto front\n\nNo trial beats these in every objective.\n\n"
    return f"{head}{table(header, rows)}{note}"


def top(summary: Summary) -> str:
    """The first trials, with ties marked and their folds as a small picture."""
    if not summary.ranking:
        return ""
    names = [metric.name for metric in summary.metrics]
    tied = set(summary.ties.numbers)
    header = ["rank", "trial", *map(name_cell, names), "folds", "parameters"]
    rows = [
        [
            f"{trial.rank}{' ≈' if trial.number in tied and len(tied) > 1 else ''}",
            str(trial.number),
            *(score_cell(trial, name) for name in names),
            sparkline(trial.scores[summary.metric.name]),
            params_cell(trial),
        ]
        for trial in _different(summary.ranking)[:TOP]
    ]
    return f"## Top {len(rows)} of {len(summary.ranking)}\n\n" + table(header, rows)


def _different(ranking: Sequence[Ranked]) -> list[Ranked]:
    """The first of trials with the same parameters: curves that overlap may have one best."""
    by_params: dict[str, Ranked] = {}
    for trial in ranking:
        # By its text, because a list cannot be a key.
        by_params.setdefault(repr(sorted(trial.params.items())), trial)
    return list(by_params.values())


def every_trial(summary: Summary) -> str:
    """All trials, with scikit-learn's column names."""
    if not summary.ranking:
        return ""
    names = sorted({name for trial in summary.ranking for name in trial.params})
    is_single = len(summary.metrics) == 1
    header = ["trial", *(name_cell(f"param_{name}") for name in names)]
    for metric in summary.metrics:
        suffix = "score" if is_single else metric.name
        columns = [f"mean_test_{suffix}", f"std_test_{suffix}"]
        columns += [f"split{fold}_test_{suffix}" for fold in range(summary.n_folds)]
        header += [_header(column) for column in columns]
    header.insert(
        0, "rank_test_score" if is_single else _header(f"rank_test_{summary.metric.name}")
    )
    rows = [_full_row(trial, names, summary) for trial in summary.ranking]
    return details(f"All {len(rows)} complete trials", table(header, rows))


def _header(column: str) -> str:
    return column if column.replace("_", "").isalnum() else name_cell(column)


def _full_row(trial: Ranked, names: Sequence[str], summary: Summary) -> list[str]:
    row = [str(trial.rank), str(trial.number)]
    row += [value_cell(trial.params, name) for name in names]
    for metric in summary.metrics:
        row += [numbers.plain(trial.means[metric.name]), numbers.plain(trial.stds[metric.name])]
        row += [numbers.plain(score) for score in trial.scores[metric.name]]
    return row
