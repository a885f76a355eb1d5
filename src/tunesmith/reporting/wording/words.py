"""Markup of names, emphasis and terms in each format."""

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.reporting.cells import name_cell, shortened
from tunesmith.reporting.escape import one_line
from tunesmith.reporting.wording.terms import linked


@dataclass(frozen=True)
class Words:
    """A format's markup for names from the user's files, for emphasis, and for terms."""

    name: Callable[[str], str]
    strong: Callable[[str], str]
    term: Callable[[str], str]
    """Markup of a term that the report explains."""


PLAIN = Words(lambda text: one_line(shortened(text)), str, str)
MARKDOWN = Words(name_cell, lambda text: f"**{text}**", linked)
