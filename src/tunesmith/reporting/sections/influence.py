"""The course of the search, and the importance and direction of parameters."""

import math

from tunesmith.analysis import numbers
from tunesmith.analysis.effects import Marginal
from tunesmith.analysis.failure_groups import n_trials
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, html_code, name_cell, table
from tunesmith.reporting.chart import history_chart, shown_trials
from tunesmith.reporting.sparkline import bar, sparkline
from tunesmith.reporting.statements import leading
from tunesmith.reporting.wording.words import MARKDOWN

MAX_ROWS = 30
MEANING = (
    "A share is how much the score varies if this parameter alone is changed, against how much it"
    " varies over the whole space. Interactions count for each of their parameters, so that shares"
    " may add up to more than 100 %. The range in brackets is made to hold the true share in 95 of"
    " 100 studies."
)


def history(summary: Summary) -> str:
    """Scores in the order of the trials."""
    current = _current_score(summary)
    chart = history_chart(summary.best_so_far, summary.scores, summary.metric.name, current)
    if not chart:
        return ""
    line = f"Best so far: `{sparkline(summary.best_so_far)}`"
    return f"## History\n\n{line}\n\n{chart}\n\n{_explained(summary, current)}"


def _explained(summary: Summary, current: float | None) -> str:
    """Meaning of the bars and lines, and the trials that have none."""
    n_complete = sum(map(math.isfinite, summary.scores))
    n_failed = n_trials(summary.failures)
    n_stopped = len(summary.scores) - n_complete - n_failed
    shown = shown_trials(summary.best_so_far, summary.scores)
    bars = "Bars are scores of complete trials, on an axis that does not begin at 0"
    some = f" ({len(shown)} of {n_complete} are shown)" if len(shown) < n_complete else ""
    lines = "the line is the best so far"
    if current is not None:
        course = "rising" if summary.metric.sign > 0 else "falling"
        lines = f"the {course} line is the best so far, the level one the current parameters"
    without = [
        f"{numbers.counted(n, 'trial')} that {what}"
        for n, what in ((n_stopped, "the search stopped"), (n_failed, "failed"))
        if n > 0
    ]
    left_out = f" No bar stands for {' and '.join(without)}." if without else ""
    return f"{bars}{some}; {lines}.{left_out}"


def _current_score(summary: Summary) -> float | None:
    """Score of the current parameters, if they were evaluated."""
    known = summary.current_parameters
    if known is None:
        return None
    compared = (c.reference for c in summary.comparisons if c.name == "current")
    # The winner may be the current parameters themselves.
    same = (trial for trial in summary.ranking if dict(trial.params) == dict(known))
    reference = next(compared, next(same, None))
    return None if reference is None else reference.means[summary.metric.name]


def importance(summary: Summary) -> str:
    """Return the leading parameter, all shares with their errors, and interactions."""
    if not summary.ranking:
        return ""
    known = summary.importance
    if not known.shares:
        return f"## What mattered\n\n{leading(known, MARKDOWN)}"
    rows = [
        [name_cell(name), f"`{bar(share)}` {numbers.share(share, known.errors[name])}"]
        for name, share in known.shares[:MAX_ROWS]
    ]
    parts = [
        "## What mattered",
        leading(known, MARKDOWN),
        table(["parameter", MARKDOWN.term("share of the variance")], rows),
    ]
    if known.interactions:
        rows = [
            [f"{name_cell(i.first)} × {name_cell(i.second)}", numbers.share(i.strength, i.error)]
            for i in known.interactions
        ]
        parts.append(table(["pair", "share of the variance that the two have only together"], rows))
    return "\n\n".join([*parts, f"{known.basis} {MEANING}"])


def trends(summary: Summary) -> str:
    """Return, per parameter, the trials' scores by value and the scores that a model expects."""
    parts = []
    if summary.sample is not None and summary.trends:
        parts.append(f"Trends of {len(summary.sample.ranked):,} complete trials:")
    for name, levels in summary.trends.items():
        rows = [
            [name_cell(x.label), str(x.n), numbers.plain(x.mean), numbers.plain(x.best)]
            for x in levels[:MAX_ROWS]
        ]
        body = table(["value", "trials", "mean score", "best score"], rows)
        marginal = summary.marginals.get(name)
        if marginal is not None:
            body += f"\n\n{_marginal(marginal)}"
        curve = marginal.expected if marginal else [level.mean for level in levels]
        parts.append(details(f"{html_code(name)} {sparkline(curve)}", body))
    return "\n\n".join(parts)


def _marginal(marginal: Marginal) -> str:
    rows = [
        [name_cell(numbers.value(value)), numbers.with_error(expected, error)]
        for value, expected, error in zip(
            marginal.values, marginal.expected, marginal.errors, strict=True
        )
    ]
    return table(
        ["value", "score that a model expects, averaged over the other parameters of the trials"],
        rows,
    )
