"""The studies that a stage's command runs; it is split as by a shell, and never executed."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tunesmith.config.names import CONFIG_NAMES

PROGRAM, VERB = ("tunesmith", "tunesmith.exe"), "run"
OPTION = re.compile(r"--config(?:=(?P<long>.*))?\Z|-[qv]*c(?P<short>.*)\Z", re.DOTALL)
ENDS = set("();|&\n")


@dataclass(frozen=True)
class StudyCall:
    """One ``tunesmith run`` of a command."""

    folder: str
    """Folder of the call, relative to that of the command."""
    config: str | None
    """Value of ``-c``, as it stands there; ``None`` without it."""

    @property
    def candidates(self) -> list[str]:
        """Paths that it may read, relative to the command's folder; the first one counts."""
        names = CONFIG_NAMES if self.config is None else (self.config,)
        return [posixpath.normpath(posixpath.join(self.folder, name)) for name in names]


def calls(command: str) -> list[StudyCall]:
    """Every ``tunesmith run`` in a command; DVC gives each of its lines to a shell of its own.

    >>> calls("python -m tunesmith run -q --config=a.yaml"), calls("cd a && uv run tunesmith run")
    ([StudyCall(folder='.', config='a.yaml')], [StudyCall(folder='a', config=None)])
    >>> calls("cd a\\ntunesmith check && echo 'tunesmith'\\ntunesmith run")
    [StudyCall(folder='.', config=None)]
    """
    return [call for line in command.splitlines() for call in _calls_in(line, ".")]


def _calls_in(line: str, folder: str) -> Iterator[StudyCall]:
    for words in _simple(line):
        if words[0] == "cd" and len(words) > 1:
            folder = posixpath.normpath(posixpath.join(folder, words[-1]))
            continue
        yield from _calls_of(words, folder)
        for word in words:
            if "tunesmith" in word and " " in word.strip():
                yield from _calls_in(word, folder)  # sh -c '…'


def _calls_of(words: list[str], folder: str) -> Iterator[StudyCall]:
    places = [i for i, word in enumerate(words[:-1]) if PurePosixPath(word).name in PROGRAM]
    place = next((i for i in places if words[i + 1] == VERB), None)
    if place is None:
        return
    call = StudyCall(folder, None)
    rest = words[place + 2 :]
    for index, word in enumerate(rest):
        if found := OPTION.match(word):
            named = found["long"] or found["short"] or next(iter(rest[index + 1 :]), "")
            call = replace(call, config=named)
    yield call


def _simple(command: str) -> Iterator[list[str]]:
    """The words of each simple command; nothing if a quotation does not end."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();|&\n")
    # No comments for the lexer: to it any `#` begins one, to a shell only that of a new word.
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    is_comment = False
    try:
        tokens = [*lexer, "\n"]
    except ValueError:
        return
    for token in tokens:
        if token and set(token) <= ENDS:
            is_comment = is_comment and "\n" not in token
            if words and not is_comment:
                yield words
                words = []
        elif token.startswith("#") or is_comment:
            is_comment = True
        else:
            words.append(token)
