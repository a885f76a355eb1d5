"""Sentence on the rule that chose among several metrics."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tunesmith.analysis import numbers
from tunesmith.config.rules import PSEUDO_METRICS

if TYPE_CHECKING:  # statistics take longer to import than a command that reads may take
    from tunesmith.analysis.summary import Summary
    from tunesmith.analysis.winner import Winner

AMONG = {
    "one_se": "the simplest of those within one standard error of {best}",
    "simplest": "the simplest of those that are shown to be nearly as good as {best}",
    "fastest": "the fastest of those that are shown to be nearly as good as {best}",
}


def trade_off(summary: "Summary | Winner", name: Callable[[str], str]) -> str:
    """Return the sentence on the choice from the Pareto front; empty with one metric.

    Args:
        summary: with a chosen trial.
        name: markup of a metric's name.
    """
    n = len(summary.front)
    if not n:
        return ""
    rule = best_by(summary, name)
    rule = AMONG.get(summary.selection, "{best}").format(best=rule)
    trials = "the one trial" if n == 1 else f"{n:,} trials"
    sentence = f"It was chosen from the Pareto front of {trials}: {rule}."
    # Statements on ties and gains are about what the rule compares.
    if summary.preference.rule == "lexicographic" or not summary.comparisons:
        return sentence
    return f"{sentence} Gains over other parameters are those of this sum."


def best_by(summary: "Summary | Winner", name: Callable[[str], str]) -> str:
    """Name the best trial by the rule of a study with several metrics."""
    names = [name(metric.name) for metric in summary.objectives]
    match summary.preference.rule:
        case "weights":
            return f"the largest {_weighted(summary, name)}"
        case "knee":
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            return (
                f"the knee, which is the largest sum of {listed}, each on a scale from its worst to"
                " its best on the front"
            )
    return f"the best {names[0]}, of equals the best {', then '.join(names[1:])}"


def _weighted(summary: "Summary | Winner", name: Callable[[str], str]) -> str:
    signs = {metric.name: metric.sign for metric in summary.objectives}
    text = ""
    for metric, weight in summary.preference.weights:
        is_first, is_negative = not text, signs.get(metric, 1) < 0
        sign = "−" if is_negative else "" if is_first else "+"
        gap = "" if is_first else " "
        text += f"{gap}{sign}{gap}{numbers.plain(weight)} × {name(metric)}"
    return text


def unrepeatable(summary: "Summary", name: Callable[[str], str]) -> list[str]:
    """Return the warning that durations decide, which no other run repeats."""
    clocks = [m.name for m in summary.objectives if m.name in PSEUDO_METRICS]
    if not clocks or summary.is_program:
        return []
    listed = " and ".join(map(name, clocks))
    text = (
        f"Of the metrics that decide, {listed} depends on the machine: the same study and seed may"
        " find other trials and another winner."
    )
    return [text]
