"""The studies that a stage's command runs; it is split as by a shell, and never executed."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tunesmith.config.names import CONFIG_NAMES

PROGRAM, VERB = ("tunesmith", "tunesmith.exe"), "run"
OPTION = re.compile(r"--config(?:=(?P<long>.*))?\Z|-[qv]*c(?P<short>.*)\Z", re.DOTALL)
ENDS = set("();|&\n")
HERE = re.compile(r"\A(?:\$PWD|\$\{PWD\})(?=/|\Z)")
FOLDER_OPTIONS = {
    "env": ("-C", "--chdir"),
    "poetry": ("-C", "--directory"),
    "sudo": ("-D", "--chdir"),
    "uv": ("--directory",),
}
"""Options with which a program calls another one in a folder."""
SAYING = ("echo", "printf", "grep", "git", "sed", "cat")
"""Programs that run nothing that their arguments name."""


@dataclass(frozen=True)
class StudyCall:
    """One ``tunesmith run`` of a command."""

    folder: str
    """Folder of the call, relative to that of the command."""
    config: str | None
    """Value of ``-c``, as it stands there; ``None`` without it."""

    @property
    def is_told(self) -> bool:
        """True if its folder and configuration are known without running a shell."""
        return "$" not in f"{self.folder}{self.config or ''}"

    @property
    def candidates(self) -> list[str]:
        """Paths that it may read, relative to the command's folder; the first one counts."""
        names = CONFIG_NAMES if self.config is None else (self.config,)
        return [posixpath.normpath(posixpath.join(self.folder, name)) for name in names]


def calls(command: str | Sequence[str]) -> list[StudyCall]:
    """Every ``tunesmith run`` in a command, or in a list of commands, of a stage.

    DVC gives each line of a command to a shell of its own, and each item of a list as a whole.

    >>> calls("python -m tunesmith run -q --config=a.yaml"), calls("cd a && uv run tunesmith run")
    ([StudyCall(folder='.', config='a.yaml')], [StudyCall(folder='a', config=None)])
    >>> calls("cd a\\ntunesmith check && echo 'tunesmith'\\ntunesmith run")
    [StudyCall(folder='.', config=None)]
    >>> calls(["cd a\\ntunesmith run"])
    [StudyCall(folder='a', config=None)]
    """
    scripts = command.splitlines() if isinstance(command, str) else command
    return [call for script in scripts for call in _calls_in(script, ".")]


def _calls_in(script: str, folder: str) -> Iterator[StudyCall]:
    folders = [folder]
    for words in _simple(script.replace("\\\n", " ")):
        # A subshell leaves the folder of the shell around it as it is.
        if words == ["("]:
            folders.append(folders[-1])
        elif words == [")"]:
            folders = folders[:-1] or [folder]
        elif words[0] in ("cd", "pushd") and len(words) > 1:
            folders[-1] = _joined(folders[-1], words[-1])
        elif words[0] not in SAYING:
            yield from _calls_of(words, folders[-1])
            for word in words:
                if "tunesmith" in word and " " in word.strip():
                    yield from _calls_in(word, folders[-1])  # sh -c '…'


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, HERE.sub(".", path)))


def _calls_of(words: list[str], folder: str) -> Iterator[StudyCall]:
    places = [i for i, word in enumerate(words[:-1]) if PurePosixPath(word).name in PROGRAM]
    place = next((i for i in places if words[i + 1] == VERB), None)
    if place is None:
        return
    call = StudyCall(_joined(folder, _folder_in(words[:place])), None)
    rest = words[place + 2 :]
    for index, word in enumerate(rest):
        if match := OPTION.match(word):
            named = match["long"] or match["short"] or next(iter(rest[index + 1 :]), "")
            # The shell's folder, whatever folder the program is called in.
            call = replace(call, config=_from_here(named, folder, call.folder))
    yield call


def _from_here(path: str, shell: str, folder: str) -> str:
    if not HERE.match(path):
        return path
    return posixpath.relpath(_joined(shell, path), folder)


def _folder_in(words: Sequence[str]) -> str:
    """Folder in which the programs before the study's call it; ``.`` if none changes it."""
    options: Mapping[str, None] = {}
    folder = "."
    for index, word in enumerate(words):
        found = FOLDER_OPTIONS.get(PurePosixPath(word).name)
        options = dict.fromkeys(found) if found else options
        name, sign, value = word.partition("=")
        if name in options:
            value = value if sign else next(iter(words[index + 1 :]), ".")
            folder = posixpath.join(folder, value)
    return folder


def _simple(command: str) -> Iterator[list[str]]:
    """The words of each simple command, and parentheses; nothing if a quotation does not end."""
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
            if not is_comment:
                yield from ([sign] for sign in token if sign in "()")
        elif token.startswith("#") or is_comment:
            is_comment = True
        else:
            words.append(token)
