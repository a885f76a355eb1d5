"""Notes on trials, for reports."""

from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import table
from tunesmith.reporting.escape import md_code

MAX_NOTES = 50


def trial_notes(summary: Summary) -> str:
    """Return the notes on trials, by trial number."""
    rows = [[str(n), md_code(text)] for n, texts in summary.notes.items() for text in texts]
    if not rows:
        return ""
    more = len(rows) - MAX_NOTES
    rest = f"\n\nAnd {more} more: `tunesmith trials` shows them." if more > 0 else ""
    return f"## Notes\n\n{table(['trial', 'note'], rows[:MAX_NOTES])}{rest}"
