"""Standard streams as they come: closed, full, a broken pipe, a terminal without UTF-8."""

import codecs
import os
import sys
import warnings
from contextlib import suppress
from typing import Any

import click

from tunesmith.errors import LedgerWarning, StorageError
from tunesmith.system.ci_commands import inert, is_ci
from tunesmith.system.redact import redact

# Characters of our own texts, for terminals that know ASCII alone.
PLAIN = {"·": "-", "±": "+/-", "–": "-", "…": "...", "×": "x", "→": "->", "█": "#"}


def prepare() -> None:
    """Make both streams usable, even if the caller has closed them."""
    # By default, a character that the terminal lacks would end the command.
    codecs.register_error("tunesmith", _spelled)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # `tunesmith … 2>&-`: what is said to nobody must not reach the other stream.
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - until the end
        elif hasattr(stream, "reconfigure"):
            # Only a terminal can lack characters; files and pipes take UTF-8.
            is_narrow = "ascii" in stream.encoding.lower() and not stream.isatty()
            stream.reconfigure(errors="tunesmith", encoding="utf-8" if is_narrow else None)


def say_warnings() -> None:
    """Say what a ledger warns of as a sentence, without the line of code that found it."""
    usual = warnings.showwarning

    def shown(message: Warning | str, category: type[Warning], *others: Any, **named: Any) -> None:
        if issubclass(category, LedgerWarning):
            say(str(message))
        else:
            usual(message, category, *others, **named)

    warnings.showwarning = shown


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    """Characters that the terminal lacks, in those that it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    spelled = [PLAIN.get(c, c.encode("ascii", "backslashreplace").decode()) for c in text]
    return "".join(spelled), error.end


def is_utf8() -> bool:
    """Tell whether stdout takes every character."""
    return "utf" in (sys.stdout.encoding or "").lower()


def show(text: str, *, nl: bool = True) -> None:
    """Print a result.

    Raises:
        StorageError: stdout leads to a full disk or the like.
    """
    try:
        click.echo(_fit(text), file=sys.stdout, nl=nl)
    except BrokenPipeError:
        # `tunesmith trials | head`: the reader has seen enough.
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        raise StorageError(f"cannot write the result: {error.strerror}") from None


def _discard_stdout() -> None:
    # What is left in the buffer would fail once more at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Print something that is not the result to stderr, which may be closed."""
    with suppress(OSError):
        click.echo(_fit(text), file=sys.stderr)


def command_ci(text: str) -> None:
    """Give the CI job a command of our own."""
    with suppress(OSError):
        # Not `_fit`, which would make the command inert.
        click.echo(redact(text), file=sys.stderr)


def _fit(text: str) -> str:
    """Remove secrets, and in CI anything that the job would take for a command."""
    return inert(redact(text)) if is_ci() else redact(text)
