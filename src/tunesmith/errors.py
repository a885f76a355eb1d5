"""The error family: one class and one exit code a kind.

Every error here is meant for a person: the command line prints its text without a traceback.
An error holds the data it was given and imports nothing to list alternatives.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import IntEnum
from functools import partial
from typing import Any, TypeAlias

MAX_LISTED = 20
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{4,}(?=[>\s,;)\]}]|$)")

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead to a value inside a configuration file."""


class ExitCode(IntEnum):
    """Exit codes for the shell, DVC and CI (docs/decisions/0004-exit-codes.md)."""

    OK = 0
    NO_RESULT = 1
    # click's own code for a command that is typed wrongly.
    USAGE = 2
    VERIFICATION = 3
    GATE = 4
    INTERNAL = 5
    # `EX_IOERR` and `EX_TEMPFAIL` of `sysexits.h`.
    STORAGE = 74
    LOCKED = 75
    # As a shell reports signals: 128 and the number.
    INTERRUPTED = 130
    TERMINATED = 143


class TunesmithError(Exception):
    """Base of every error that Tunesmith raises on purpose."""

    exit_code = ExitCode.INTERNAL

    def __str__(self) -> str:
        return without_addresses(super().__str__())


class UsageError(TunesmithError):
    """A request that cannot be carried out as it is."""

    exit_code = ExitCode.USAGE


class DataError(UsageError):
    """The data set cannot serve the study."""


class LostError(TunesmithError):
    """The process of a call was killed from outside, most often for want of memory.

    Another try makes sense when nothing else runs.
    """


class NoResultError(TunesmithError):
    """The study ended without one usable trial."""

    exit_code = ExitCode.NO_RESULT


class NoResultWarning(UserWarning):
    """A study ended without one usable trial, and its caller had asked for no progress."""


class LedgerWarning(UserWarning):
    """A ledger is used although its log is gone, after all of it was checked."""


class ChangedInputError(TunesmithError):
    """A file that all runs read was changed while a study was running.

    Args:
        name: of the file, as seen from the project.
        is_watched: true if runs are prevented from changing such files themselves.
    """

    exit_code = ExitCode.STORAGE

    def __init__(self, name: str, *, is_watched: bool) -> None:
        who = "somebody else" if is_watched else "the program, or somebody else"
        super().__init__(
            f"{name} was changed while the study was running, by {who}: the run does not count."
            "\n  All runs of a study must read the same files. Put it right and run again;"
            "\n  what had been evaluated before counts as long as the files are as they were."
        )
        self.name, self._is_watched = name, is_watched

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle makes an exception from positional arguments alone, and one is given by keyword.
        return partial(ChangedInputError, is_watched=self._is_watched), (self.name,)


class StorageError(TunesmithError):
    """The ledger or an output file cannot be read or written."""

    exit_code = ExitCode.STORAGE


class DamagedError(StorageError):
    """A ledger is damaged: its content is not what was written.

    Args:
        message: what is damaged.
        is_database: false if the file is no database at all.
    """

    def __init__(self, message: str, *, is_database: bool = True) -> None:
        super().__init__(message)
        self.is_database = is_database


class LockedError(TunesmithError):
    """Another run holds this study.

    Args:
        study: its name.
        holder: facts about that run: ``pid``, ``since``.
    """

    exit_code = ExitCode.LOCKED

    def __init__(self, study: str, holder: Mapping[str, Any]) -> None:
        who, since = holder.get("pid", "?"), holder.get("since", "?")
        super().__init__(
            f"study `{study}` is being run by process {who} since {since}."
            "\n  Wait for it, or end it; nothing was changed."
        )


@dataclass(frozen=True)
class FilePosition:
    """A position in a file: line and column, both from 1; 0 if unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file, *numbers])


@dataclass(frozen=True)
class Violation:
    """One broken rule of a configuration.

    ``message`` names the value and the rule, ``hint`` the likely fix.
    """

    path: Path
    message: str
    hint: str = ""
    # Not compared, so that a mistake that was found twice is reported once.
    place: FilePosition | None = field(default=None, compare=False)

    def __str__(self) -> str:
        parts = [str(self.place)] if self.place else []
        parts += [dotted(self.path)] if self.path else []
        head = ": ".join([*parts, self.message])
        return f"{head}\n  {self.hint}" if self.hint else head


class ConfigError(UsageError):
    """Every violation of a configuration at once, in file order."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(str(violation) for violation in self.violations))


def without_addresses(text: str) -> str:
    """Remove the memory addresses that Python prints for objects from a text.

    They differ from run to run, say nothing, and would make equal failures look different.

    >>> without_addresses("cannot use <function f at 0x7f3a5c0e1d00>")
    'cannot use <function f>'
    """
    return ADDRESS.sub("", text)


def dotted(path: Path) -> str:
    """Return a path with dots between its keys.

    >>> dotted(("space", "depth", "int", 0))
    'space.depth.int[0]'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint with the nearest known word and all known words; of very many, the first ones.

    >>> did_you_mean("bayse", ["grid", "random", "bayes"])
    'Did you mean `bayes`? Known: bayes, grid, random.'
    """
    if not known:
        return ""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    guess = f"Did you mean `{near[0]}`? " if near else ""
    if near and len(known) > MAX_LISTED:
        return guess.strip()
    listed, n_more = sorted(known)[:MAX_LISTED], len(known) - MAX_LISTED
    more = f" and {n_more} more" if n_more > 0 else ""
    return f"{guess}Known: {', '.join(listed)}{more}."
