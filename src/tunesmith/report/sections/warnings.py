"""What a reviewer should know before trusting the winner."""

from collections.abc import Sequence

from tunesmith.report import numbers
from tunesmith.report.alike import Alike
from tunesmith.report.cells import name_cell, shortened, table
from tunesmith.report.doubts import Doubts
from tunesmith.report.escape import md_code
from tunesmith.report.summary import Summary

MAX_LISTED = 30
MAX_MESSAGE = 200


def warnings(summary: Summary) -> str:
    """Ends of ranges, odd folds, signs of a leak, failures, what the code warned of."""
    lines = [
        f"- The chosen {name_cell(edge.name)} ({numbers.plain(edge.value)}) lies at the {edge.side}"
        " end of its range: a wider range may hold something better."
        for edge in summary.edges
    ]
    lines += _doubts(summary.doubts)
    lines += _listed([_alike("failed with", g, summary.n_trials) for g in summary.failures])
    lines += _listed([_alike("warned of", g, summary.n_trials) for g in summary.warnings])
    return "## Warnings\n\n" + "\n".join(lines) if lines else ""


def _doubts(doubts: Doubts) -> list[str]:
    lines = []
    if doubts.leak:
        lines.append(f"- Too good to be true? {doubts.leak.capitalize()}: look for a leak.")
    if doubts.shifted_folds:
        lines.append(f"- {_folds(doubts.shifted_folds)}: most trials score far from the others.")
    if doubts.discordant_folds:
        lines.append(f"- {_folds(doubts.discordant_folds)}: trials rank otherwise than elsewhere.")
    return lines


def _folds(folds: Sequence[int]) -> str:
    return f"On fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"


def _alike(what: str, group: Alike, n_trials: int) -> str:
    n = len(group.numbers)
    trials = "1 trial" if n == 1 else f"{n} trials"
    reason = f"{name_cell(group.kind)}: {md_code(shortened(group.message, MAX_MESSAGE))}"
    return f"- {trials} of {n_trials} {what} {reason} (first: trial {group.numbers[0]})."


def _listed(lines: list[str]) -> list[str]:
    more = len(lines) - MAX_LISTED
    return [*lines[:MAX_LISTED], f"- And {more} other kinds."] if more > 0 else lines


def noise(summary: Summary) -> str:
    """Where the spread of the scores comes from."""
    found = summary.noise
    if found is None:
        return ""
    rows = [
        ["between trials", f"{found.trial:.2g}", "what tuning is about"],
        [
            "between folds",
            f"{found.fold:.2g}",
            "cancels where trials are compared on the same folds",
        ],
        ["the rest", f"{found.residual:.2g}", "the noise of comparisons"],
    ]
    correlation = f"Two folds rank the trials with a correlation of {found.correlation:.2f}."
    head = ["spread", "standard deviation", "what it is"]
    return f"## Noise\n\n{table(head, rows)}\n\n{correlation}"
