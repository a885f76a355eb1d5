"""The winner of a study in a few plain lines."""

from typing import TYPE_CHECKING

from tunesmith.analysis import numbers
from tunesmith.reporting.escape import terminal
from tunesmith.reporting.wording.constraints import outcome_lines, unmet
from tunesmith.reporting.wording.trade_off import trade_off

if TYPE_CHECKING:  # statistics take longer to import than `best` may take in all
    from tunesmith.analysis.summary import Summary
    from tunesmith.analysis.winner import Winner

NAMES = {
    "best": "best",
    "one_se": "simplest within one standard error of the best",
    "simplest": "simplest of those that are nearly as good as the best",
    "fastest": "fastest of those that are nearly as good as the best",
}


def best_text(summary: "Summary | Winner") -> str:
    """Return the best trial, its scores and its parameters, in a few lines."""
    best = summary.chosen
    if best is None:
        return terminal(unmet(summary.outcomes, str, str) or "no usable result")
    scores = [
        f"{metric.name} {numbers.with_error(best.means[metric.name], best.error(metric.name))}"
        for metric in summary.metrics
    ]
    head = "chosen" if summary.front else NAMES[summary.selection]
    lines = [f"{head}: trial {best.number}, {', '.join(scores)}"]
    lines += filter(None, [trade_off(summary, str)])
    lines += [f"  {name} = {numbers.value(value)}" for name, value in sorted(best.params.items())]
    lines += outcome_lines(summary.outcomes.chosen)
    if summary.holdout is not None:
        unseen = [f"{name} {numbers.plain(score)}" for name, score in summary.holdout.items()]
        lines.append(f"on the held-out rows: {', '.join(unseen) or 'no score'}")
    if summary.nested is not None:
        nested = summary.nested
        worth = [numbers.with_error(m, nested.errors[name]) for name, m in nested.means.items()]
        lines.append(
            f"the whole search, by nested cross-validation: {', '.join(worth)} (± standard error)"
        )
    return terminal("\n".join(lines))
