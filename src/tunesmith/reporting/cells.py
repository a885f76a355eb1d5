"""Markdown tables and what stands in their cells: text from data is escaped here."""

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.reporting import numbers
from tunesmith.reporting.escape import md_code, xml
from tunesmith.reporting.ranking import Ranked

MAX_CELL = 200
"""Characters of a cell; the ledger and the trials file have the whole text."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A GFM table; cells are escaped by whoever made them."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def details(summary: str, body: str) -> str:
    """A part that is opened by a click.

    Args:
        summary: HTML, escaped by whoever made it.
        body: Markdown blocks.
    """
    # Without the blank lines the body would be taken for HTML.
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def name_cell(text: str) -> str:
    """A name from the user's files."""
    return md_code(shortened(text))


def value_cell(params: Mapping[str, Any], name: str) -> str:
    """The value of a parameter; a dash where it is not active."""
    return name_cell(numbers.value(params[name])) if name in params else "–"


def params_cell(trial: Ranked) -> str:
    """All parameters of a trial."""
    return name_cell(", ".join(f"{n}={numbers.value(v)}" for n, v in sorted(trial.params.items())))


def score_cell(trial: Ranked, metric: str) -> str:
    """Mean and standard error."""
    return numbers.with_error(trial.means[metric], trial.error(metric))


def html_code(text: str) -> str:
    """A name from the user's files inside of HTML."""
    return f"<code>{xml(shortened(text))}</code>"


def shortened(text: str, at_most: int = MAX_CELL) -> str:
    """The text, or its beginning and an ellipsis.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"
