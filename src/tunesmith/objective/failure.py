"""Failures and warnings of the user's code, prepared to be kept."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tunesmith.errors import without_addresses
from tunesmith.history import Failure
from tunesmith.system.importing import user_frames
from tunesmith.system.redact import clean

MAX_MESSAGE = 500
MAX_TRACEBACK = 4000
MAX_RAW, MAX_SECRET = 100_000, 20_000
"""So much of a text is cleaned, and so much next to a cut may be a part of a secret."""
MAX_INNER = 3
"""Number of exceptions of a group that a message tells."""


class BadScoreError(ValueError):
    """A metric gave a value that is not a finite real number."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def failure_of(error: BaseException) -> Failure:
    """Describe why a fold has no score, without secrets and without frames of our own.

    The ``kind`` of a failure groups failures with the same cause.

    >>> failure_of(SystemExit(3)).message
    'the code called sys.exit(3)'
    """
    frames = "\n".join(user_frames(error))
    return Failure(_kind(error), _clean(_message(error), MAX_MESSAGE), _tail(frames))


def failure_from(kind: str, message: str, said: str = "") -> Failure:
    """Describe a failure outside of Python: the event, and the end of the program's output."""
    return Failure(kind, _clean(message, MAX_MESSAGE), _tail(said))


def _kind(error: BaseException) -> str:
    if isinstance(error, BadScoreError):
        return error.kind
    return "memory" if isinstance(error, MemoryError) else type(error).__name__


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the code called sys.exit({error.code!r})"
    if not isinstance(error, Exception):
        said = f": {error}" if error.args else ""
        return f"the code raised {type(error).__name__}{said}"
    parts = [_text(error) or type(error).__name__]
    if isinstance(error, BaseExceptionGroup):
        parts += [f"{type(one).__name__}: {_text(one)}" for one in error.exceptions[:MAX_INNER]]
    # Notes are where libraries say for which input it was.
    parts += [note for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
    if error.__cause__ is not None:
        cause = error.__cause__
        parts.append(f"caused by {type(cause).__name__}: {_text(cause)}".removesuffix(": "))
    return "; ".join(parts)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception that cannot be printed is still a failure
        return ""


def _clean(text: str, limit: int) -> str:
    # Redacted before it is cut: half a secret would not be recognised.
    whole = clean(text[:MAX_RAW])
    if len(text) > MAX_RAW:
        whole = whole[:-MAX_SECRET]
    whole = without_addresses(whole).strip()
    return whole if len(whole) <= limit else f"{whole[: limit - 1]}…"


def _tail(text: str) -> str:
    whole = clean(text[-MAX_RAW:])
    if len(text) > MAX_RAW:
        whole = whole[MAX_SECRET:]
    whole = without_addresses(whole)
    return whole if len(whole) <= MAX_TRACEBACK else f"…{whole[-MAX_TRACEBACK + 1 :]}"


@contextmanager
def noting_warnings() -> Iterator[list[str]]:
    """Collect the first warning, as ``Category: message``; none is shown, however many come."""
    noted: list[str] = []

    def note(message: Warning | str, category: type[Warning], *_place: Any) -> None:
        if not noted:
            noted.append(_clean(f"{category.__name__}: {message}", MAX_MESSAGE))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note  # type: ignore[assignment]
        yield noted
