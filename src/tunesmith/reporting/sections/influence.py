"""The course of the search, and the importance and direction of parameters."""

from tunesmith.analysis import numbers
from tunesmith.analysis.effects import Marginal
from tunesmith.analysis.importance import Importance
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, html_code, name_cell, table
from tunesmith.reporting.chart import history_chart
from tunesmith.reporting.sparkline import bar, sparkline

MAX_ROWS = 30


def history(summary: Summary) -> str:
    """Scores in the order of the trials."""
    chart = history_chart(summary.best_so_far, summary.scores, summary.metric.name)
    if not chart:
        return ""
    line = f"Best so far: `{sparkline(summary.best_so_far)}`"
    return f"## History\n\n{line}\n\n{chart}"


def importance(summary: Summary) -> str:
    """Return shares with their errors, and the interactions of the first parameters."""
    if not summary.ranking:
        return ""
    shares = summary.importance
    if not shares.shares:
        return f"## What mattered\n\nNo importance: {shares.reason}."
    rows = [
        [name_cell(n), f"`{bar(s)}` {_share(shares, n, s)}"] for n, s in shares.shares[:MAX_ROWS]
    ]
    parts = ["## What mattered", table(["parameter", "importance (PED-ANOVA)"], rows)]
    if summary.interactions:
        rows = [
            [f"{name_cell(i.first)} × {name_cell(i.second)}", f"{i.strength:.2f} ± {i.error:.2f}"]
            for i in summary.interactions
        ]
        parts.append(table(["pair", "interaction (H: 0 none, 1 only together)"], rows))
    return "\n\n".join(parts)


def _share(importances: Importance, name: str, share: float) -> str:
    error = importances.errors.get(name)
    return f"{share:.0%}" if error is None else f"{share:.0%} ± {100 * error:.0f}"


def trends(summary: Summary) -> str:
    """Return, per parameter, the trials' scores by value and the scores that a model expects."""
    parts = []
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
    return table(["value", "expected score, the other parameters as they were"], rows)
