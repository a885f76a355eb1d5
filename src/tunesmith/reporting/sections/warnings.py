"""Warnings for a reviewer of the winner, and the sources of noise."""

from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import table
from tunesmith.reporting.statements import MARKDOWN, notes


def warnings(summary: Summary) -> str:
    """Return one list item a sentence."""
    lines = [f"- {note}" for note in notes(summary, MARKDOWN)]
    return "## Warnings\n\n" + "\n".join(lines) if lines else ""


def noise(summary: Summary) -> str:
    """Return the sources of the spread of the scores."""
    parts = summary.noise
    if parts is None:
        return ""
    rows = [
        ["between trials", f"{parts.trial:.2g}", "what tuning is about"],
        [
            "between folds",
            f"{parts.fold:.2g}",
            "cancels where trials are compared on the same folds",
        ],
        ["the rest", f"{parts.residual:.2g}", "the noise of comparisons"],
    ]
    correlation = f"Two folds rank the trials with a correlation of {parts.correlation:.2f}."
    head = ["spread", "standard deviation", "what it is"]
    return f"## Noise\n\n{table(head, rows)}\n\n{correlation}"
