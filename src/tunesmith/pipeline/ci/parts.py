"""Parts of Markdown texts: joined, shortened, and put in another order."""

import re
from collections.abc import Callable

from tunesmith.analysis.numbers import value
from tunesmith.reporting.cells import name_cell
from tunesmith.types import Params

HEADING = re.compile(r"^(?=#{1,3} )", re.MULTILINE)
FENCE = re.compile(r"^\s*(```+|~~~+)", re.MULTILINE)
CHANGES = ("## Current → proposed", "## Best parameters")
"""Headings of the report's table of parameters."""
TITLE = "# Tuning results"


def joined(*parts: str) -> str:
    """Return the parts that hold something, with blank lines between them."""
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def lead_of(report: str) -> tuple[str, str]:
    """Split a report after what was done and what changed; other texts have no lead.

    >>> lead_of("# Tuning results: x\\n\\nWrote.\\n## Best parameters\\n1\\n## Noise\\n")
    ('# Tuning results: x\\n\\nWrote.\\n## Best parameters\\n1\\n', '## Noise\\n')
    """
    parts = sections(report)
    if not report.startswith(TITLE):
        return "", report
    n = 2 if len(parts) > 1 and parts[1].startswith(CHANGES) else 1
    return "".join(parts[:n]), "".join(parts[n:])


def shows(lead: str, params: Params) -> bool:
    """Tell whether the lead of a report proposes these very parameters.

    Args:
        lead: of the report.
        params: in the best-parameters file.
    """
    rows = [line for line in lead.splitlines() if line.startswith("| ")]
    for name, given in params.items():
        cell = name_cell(value(given))
        ends = (f"| {cell} |", f"| **{cell}** |")
        if not any(r.startswith(f"| {name_cell(name)} |") and r.endswith(ends) for r in rows):
            return False
    return bool(params)


def shortened(text: str, fits: Callable[[str], bool]) -> str:
    """Shorten Markdown by its longest sections, as many as it takes, and say how many at the end.

    Args:
        text: any Markdown.
        fits: tells whether a text is short enough.
    """
    if fits(text):
        return text
    parts, n_left_out = sections(text), 0
    while len(parts) > 1:
        # The first section stays, as the title stands in it.
        parts.remove(max(parts[1:], key=len))
        n_left_out += 1
        shorter = joined(*parts, f"_Left out because of their size: {n_left_out} sections._")
        if fits(shorter):
            return shorter
    return "_The report is too long to be shown here._\n"


def sections(text: str) -> list[str]:
    """Split Markdown before its headings, except those within a code block or details.

    >>> sections("# a\\n```\\n# b\\n```\\n## c\\n")
    ['# a\\n```\\n# b\\n```\\n', '## c\\n']
    """
    parts: list[str] = []
    for part in HEADING.split(text):
        if parts and _is_open(parts[-1]):
            parts[-1] += part
        elif part:
            parts.append(part)
    return parts


def _is_open(text: str) -> bool:
    # After a cut in a fence or in details, a host would show the rest as code or fold it away.
    is_in_code = len(FENCE.findall(text)) % 2 == 1
    return is_in_code or text.count("<details") > text.count("</details>")
