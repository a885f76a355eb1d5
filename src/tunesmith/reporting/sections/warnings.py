"""Warnings for a reviewer of the winner, and the sources of noise."""

from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import table
from tunesmith.reporting.wording.notes import notes
from tunesmith.reporting.wording.words import MARKDOWN


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
        ["between trials", f"{parts.trial:.2g}", "true differences, which a search is after"],
        [
            "between folds",
            f"{parts.fold:.2g}",
            "some folds are easier; it cancels where trials are compared on the same folds",
        ],
        ["the rest", f"{parts.residual:.2g}", "chance, which blurs every comparison of trials"],
    ]
    correlation = (
        "On average, two folds agree on the ranking of the trials with a correlation of"
        f" {parts.correlation:.2f} (1 is full agreement)."
    )
    head = ["spread", "standard deviation", "what it is"]
    return f"## Noise\n\n{table(head, rows)}\n\n{correlation}"
