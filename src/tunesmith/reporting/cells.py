"""Markdown tables and their cells; text from data is escaped here."""

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.analysis import numbers
from tunesmith.analysis.ranking import Ranked
from tunesmith.reporting.escape import md_code, xml

MAX_CELL = 200
"""Characters of a cell; the ledger and the trials file have the whole text."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a GFM table; the caller has escaped the cells."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def details(summary: str, body: str) -> str:
    """Return a section that opens on a click.

    Args:
        summary: HTML, escaped by the caller.
        body: Markdown blocks.
    """
    # Without the blank lines Git hosts would take the body for HTML.
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def name_cell(text: str) -> str:
    """Cell for a name from the user's files."""
    # Shortened first: cut afterwards, a code span would lose its end.
    return md_code(shortened(text))


def value_cell(params: Mapping[str, Any], name: str) -> str:
    """Cell for the value of a parameter; a dash if it is not active."""
    return name_cell(numbers.value(params[name])) if name in params else "–"


def params_cell(trial: Ranked) -> str:
    """Cell for all parameters of a trial."""
    return name_cell(", ".join(f"{n}={numbers.value(v)}" for n, v in sorted(trial.params.items())))


def score_cell(trial: Ranked, metric: str) -> str:
    """Cell for mean and standard error."""
    return numbers.with_error(trial.means[metric], trial.error(metric))


def html_code(text: str) -> str:
    """Escape a name from the user's files for HTML."""
    # Shortened first: cut afterwards, an entity could be torn apart.
    return f"<code>{xml(shortened(text))}</code>"


def shortened(text: str, at_most: int = MAX_CELL) -> str:
    """Return the text, or its beginning and an ellipsis.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"
