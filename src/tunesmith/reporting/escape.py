"""One function per sink: text from data never becomes markup."""

import html
import json
import re
from typing import Any

from tunesmith.system.redact import printable

NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
SURROGATES = re.compile("[\\ud800-\\udfff]")
# Beginnings of formulas for spreadsheets; some skip a tab or a carriage return before one.
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


def md_block(text: str) -> str:
    r"""A block of code: nothing in it is markup, and nothing in it can end the block.

    >>> md_block("a\n```\nb")
    '````text\na\n```\nb\n````'
    """
    clean = printable(text).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", clean)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{clean}\n{fence}"


def csv_cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula.

    >>> csv_cell("=1+1"), csv_cell("-x"), csv_cell("rbf")
    ("'=1+1", "'-x", 'rbf')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def xml(text: str) -> str:
    """Text inside an element or a quoted attribute, without characters that XML does not know.

    >>> xml('<a href="x">&')
    '&lt;a href=&quot;x&quot;&gt;&amp;'
    """
    return html.escape(NOT_XML.sub("", one_line(text)))


def script_json(content: Any) -> str:
    """Compact JSON that can stand inside ``<script>``: nothing in it can end the element.

    >>> script_json({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # The last two end a line in older versions of JavaScript, also within a text.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # Half a character cannot be written as UTF-8.
    return SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def terminal(text: str) -> str:
    """Text without terminal escapes."""
    return printable(text)
