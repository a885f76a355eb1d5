"""Findings of a verification, as plain data."""

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunesmith.config.names import CONFIG_NAMES

REBUILD = "`tunesmith report` writes it from the ledger; `tunesmith run` also where there is none."
Level = Literal["failure", "unseen", "note"]
"""A disagreement, something that could not be checked, and a note for the reader."""


@dataclass(frozen=True)
class Finding:
    """One disagreement, or something that a reader should know."""

    place: str
    """The file or other subject of the finding."""
    found: str
    expected: str = ""
    """Expected state."""
    fix: str = ""
    """The remedy."""
    level: Level = "failure"

    @property
    def words(self) -> str:
        """
        >>> print(Finding("a.md", "is missing", "the report", "Run again.").words)
        a.md: is missing
          Expected: the report.
          Run again.
        """
        expected = f"Expected: {self.expected}." if self.expected else ""
        return "\n  ".join(filter(None, [f"{self.place}: {self.found}", expected, self.fix]))


OWN = re.compile(r"`(tunesmith (?:run|report|adopt|dvc init)\b[^`]*)`")


def as_typed(text: str, config: Path | None) -> str:
    """Complete our commands in a text by ``-c FILE`` if they would not find the configuration.

    Args:
        text: with commands between backticks.
        config: of the study.
    """
    usual = next((path for path in map(Path, CONFIG_NAMES) if path.is_file()), None)
    if config is None or (usual is not None and usual.resolve() == config.resolve()):
        return text
    place = config.resolve()
    named = shlex.quote(min(os.path.relpath(place), str(place), key=len))
    return OWN.sub(lambda match: f"`{match[1]} -c {named}`", text)


def note(place: str, state: str, fix: str = "") -> Finding:
    """Return a note, which is no disagreement."""
    return Finding(place, state, fix=fix, level="note")


def unseen(place: str, state: str, fix: str = "") -> Finding:
    """Return a finding about something that could not be checked, so that nothing is certified."""
    return Finding(place, f"not verified: {state}", fix=fix, level="unseen")


def first_difference(there: str, wanted: str) -> str:
    """Describe the first difference of two texts.

    >>> first_difference("a\\nb", "a\\nc")
    'differs from line 2 on'
    """
    pairs = zip(there.split("\n"), wanted.split("\n"), strict=False)
    number = next((i for i, (one, other) in enumerate(pairs, 1) if one != other), None)
    return "is too short or too long" if number is None else f"differs from line {number} on"
