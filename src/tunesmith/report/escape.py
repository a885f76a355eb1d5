"""One function per sink: text from data never becomes markup."""

import re

from tunesmith.redact import printable

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def one_line(text: str) -> str:
    """Text without control characters and line breaks."""
    return " ".join(printable(text).split())


def md_code(text: str) -> str:
    r"""A code span for a table cell: no links, mentions or markup, and one cell.

    >>> md_code("a|b"), md_code("`x`")
    ('`a\\|b`', '`` `x` ``')
    """
    # A cell is cut at bars before code spans are read (GFM), so bars are escaped in them, too.
    clean = one_line(text).replace("|", "\\|") or " "
    longest = max((len(run) for run in re.findall(r"`+", clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def csv_cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula.

    >>> csv_cell("=1+1"), csv_cell("-x"), csv_cell("rbf")
    ("'=1+1", "'-x", 'rbf')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def terminal(text: str) -> str:
    """Text without terminal escapes."""
    return printable(text)
