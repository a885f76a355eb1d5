"""Trailers in the message of a commit that applies parameters to a training branch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

EXPERIMENT = "Tunesmith-Experiment"
PARAMETERS = "Tunesmith-Parameters"
SOURCE = "Tunesmith-Source"
PROJECT = "Tunesmith-Project"
LINE = re.compile(rf"^ *({EXPERIMENT}|{PARAMETERS}|{SOURCE}|{PROJECT}): (.+)$", re.MULTILINE)
"""Trailers may stand anywhere in a message: a squashed merge carries many of them along."""


@dataclass(frozen=True)
class Note:
    """Record of one ``apply``, as the message of its commit has it."""

    commit: str
    """The commit that applied them."""
    experiment: str
    digest: str
    """Of the parameters."""
    source: str
    """The commit that they come from."""
    project: str = ""
    """The project folder, if that is not the top of the repository."""


def note_lines(experiment: str, digest: str, source: str, project: str = "") -> list[str]:
    """The trailers of a message."""
    trailers = {EXPERIMENT: experiment, PARAMETERS: digest, SOURCE: source, PROJECT: project}
    return [f"{word}: {value}" for word, value in trailers.items() if value]


def notes_in(commit: str, message: str) -> list[Note]:
    """Return the notes in a message; several if commits were squashed into one.

    >>> lines = note_lines("trees", "d1", "c1")
    >>> notes_in("c2", "x\\n\\n" + "\\n".join(lines))[0].source
    'c1'
    """
    groups: list[dict[str, str]] = []
    for word, value in LINE.findall(message):
        if word == EXPERIMENT:
            groups.append({})
        if groups:
            # A message that was written in a web form may have CRLF line ends.
            groups[-1][word] = value.removesuffix("\r")
    needed = {EXPERIMENT, PARAMETERS, SOURCE}
    whole: Sequence[dict[str, str]] = [n for n in groups if needed <= n.keys()]
    return [
        Note(commit, n[EXPERIMENT], n[PARAMETERS], n[SOURCE], n.get(PROJECT, ""))
        for n in reversed(whole)
    ]
