"""Trials in tables: the front, the first ones, all of them."""

from collections.abc import Sequence
from itertools import islice

from tunesmith.analysis import numbers
from tunesmith.analysis.ranking import Ranked, find_ranked
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, name_cell, params_cell, score_cell, table, value_cell
from tunesmith.reporting.sparkline import sparkline
from tunesmith.reporting.wording.words import MARKDOWN

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
    """The first different answers, with ties marked and their folds as a small picture."""
    if not summary.ranking:
        return ""
    leaders = leading_groups(summary)
    names = [metric.name for metric in summary.metrics]
    has_others = any(summary.near_equal[trial.number] for trial in leaders)
    header = ["rank", "trial", *map(name_cell, names), "folds"]
    header += [MARKDOWN.term("nearly equal")] if has_others else []
    rows = [_top_row(trial, names, summary, has_others=has_others) for trial in leaders]
    body = table([*header, "parameters"], rows)
    heading = f"## Top {len(rows)} of {numbers.counted(len(summary.ranking), 'trial')}"
    if not has_others:
        return f"{heading}\n\n{body}"
    note = "Each row is a different answer, and stands for the trials that are nearly equal to it."
    return f"{heading}\n\n{note}\n\n{body}"


def leading_groups(summary: Summary, n: int = TOP) -> list[Ranked]:
    """Best trials of the first groups of nearly equal ones."""
    found = (find_ranked(summary.ranking, number) for number in islice(summary.near_equal, n))
    return [trial for trial in found if trial is not None]


def _top_row(
    trial: Ranked, names: Sequence[str], summary: Summary, *, has_others: bool
) -> list[str]:
    tied, n_others = set(summary.ties.numbers), len(summary.near_equal[trial.number])
    return [
        f"{trial.rank}{' ≈' if trial.number in tied and len(tied) > 1 else ''}",
        str(trial.number),
        *(score_cell(trial, name) for name in names),
        sparkline(trial.scores[summary.metric.name]),
        *([f"{n_others} more" if n_others else "–"] if has_others else []),
        params_cell(trial),
    ]


def least_of_every_trial(summary: Summary) -> int:
    """Return a number of characters that the table of all trials has at least."""
    # Of a large history, each has as many folds as the first.
    n_alike = 1 if summary.sample is None else len(summary.ranking)
    trials = (*summary.ranking[: None if n_alike == 1 else 1], *summary.outcomes.trials)
    # A row has the rank, the trial, and for each metric the mean, the deviation and the folds; a
    # cell is a bar, two blanks, and one character or more.
    n_cells = sum(2 + sum(2 + len(scores) for scores in t.scores.values()) for t in trials)
    return 4 * n_cells * n_alike


def every_trial(summary: Summary) -> str:
    """All complete trials, with scikit-learn's column names; those that cannot win are last."""
    trials = [*summary.ranking, *summary.outcomes.trials]
    if not trials:
        return ""
    names = sorted({name for trial in trials for name in trial.params})
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
    # Trials that violate a constraint cannot win, and have no rank.
    rows += [["–", *_full_row(t, names, summary)[1:]] for t in summary.outcomes.trials]
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
