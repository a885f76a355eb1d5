"""Signals: Ctrl-C and SIGTERM end a command with one line and the right exit code.

While trials run, the study has its own, gentler handlers (``study/signals``). Before and after, a
signal raises an exception, so that files and locks are closed. Within an import, or while Pydantic
builds a validator, it ends the process on the spot: there, libraries catch what is raised, and
nothing is open yet that the kernel would not close.
"""

import os
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IMPORTER = "<frozen importlib"
WRAPPER = "pydantic/_internal/_model_construction.py"
"""Code that turns whatever is raised in it into an error of its own, when it builds a validator."""


class Interrupted(BaseException):
    """A signal asked the process to end."""

    def __init__(self, signum: int) -> None:
        super().__init__(words(signum))
        self.signum = signum


def is_ours(error: BaseException) -> bool:
    """Tell whether an exception asks this process to end, and was not raised by the code it calls.

    ``KeyboardInterrupt`` may be either, if Python's own handler of Ctrl-C is in place.
    """
    if isinstance(error, KeyboardInterrupt):
        is_handled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        return is_handled and threading.current_thread() is threading.main_thread()
    return isinstance(error, Interrupted)


def listen() -> None:
    """Install our handlers; a signal that is ignored, as under ``nohup``, stays ignored."""
    for number in SIGNALS:
        # `nohup` and background jobs of a shell ask for that.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def leave() -> None:
    """End the process at once on a signal from now on: only closing is left to do."""
    for number in SIGNALS:
        if signal.getsignal(number) is _end:
            signal.signal(number, _end_at_once)


def words(signum: int) -> str:
    """Return the message of a signal.

    >>> words(15)
    'interrupted by SIGTERM'
    """
    return f"interrupted by {signal.Signals(signum).name}"


def _end(signum: int, frame: FrameType | None) -> None:
    if would_be_caught(frame):
        _end_at_once(signum, frame)
    raise Interrupted(signum)


def would_be_caught(frame: FrameType | None) -> bool:
    """Tell whether what is raised now may be lost: in an import, or in a validator's making."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(IMPORTER) or name.endswith(WRAPPER):
            return True
        frame = frame.f_back
    return False


def _end_at_once(signum: int, _frame: FrameType | None) -> NoReturn:
    # Not through Python's streams: the signal may have come while one of them was in use, and
    # they cannot be entered again.
    with suppress(OSError):  # nobody may be listening
        os.write(2, f"{words(signum)}\n".encode())
    os._exit(128 + signum)
