"""The last output of failed runs, and the tracebacks of failed fits: each text once."""

from tunesmith.analysis.failure_groups import Said
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, html_code
from tunesmith.reporting.escape import md_block

MAX_TEXTS = 10
MAX_LINES = 30
MAX_NUMBERS = 20


def failures(summary: Summary) -> str:
    """Return a section for each text, which opens on a click."""
    if not summary.said:
        return ""
    parts = [_text(said) for said in summary.said[:MAX_TEXTS]]
    more = len(summary.said) - MAX_TEXTS
    if more > 0:
        parts.append(f"And {more} other texts: `tunesmith logs` shows those of a trial.")
    return "## Failures\n\n" + "\n\n".join(parts)


def _text(said: Said) -> str:
    head = f"{numbered(said.numbers)}: {html_code(f'{said.kind}: {said.message}')}"
    return details(head, md_block(last_lines(said.text)))


def last_lines(text: str) -> str:
    """The end of a text, with an ellipsis if it was longer."""
    lines = text.strip("\n").splitlines()
    return "\n".join(["…", *lines[-MAX_LINES:]] if len(lines) > MAX_LINES else lines)


def numbered(numbers: tuple[int, ...]) -> str:
    """The trials by their numbers.

    >>> numbered((3,)), numbered((3, 5))
    ('trial 3', 'trials 3, 5')
    """
    more = len(numbers) - MAX_NUMBERS
    listed = ", ".join(map(str, numbers[:MAX_NUMBERS])) + (f" and {more} more" if more > 0 else "")
    return f"trial{'s' if len(numbers) > 1 else ''} {listed}"
