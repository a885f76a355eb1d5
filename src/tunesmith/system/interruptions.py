"""Signals: Ctrl-C and SIGTERM end a command with one line and the right exit code.

While trials run, the study has its own, gentler handlers (``study/signals``). Before and after, a
signal raises an exception, so that files and locks are closed. Within an import, or while Pydantic
builds a validator, it ends the process on the spot: there, libraries catch what is raised, and
nothing is open yet that the kernel would not close. Python itself loses what is raised as an object
dies: such a signal is sent again.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, NoReturn

from tunesmith.system.portable.abilities import INTERRUPTING as SIGNALS

IMPORTER = "<frozen importlib"
WRAPPER = "pydantic/_internal/_model_construction.py"
"""Code that turns whatever is raised in it into an error of its own, when it builds a validator."""
RAISING = (*SIGNALS, *(getattr(signal, name) for name in ("SIGALRM",) if hasattr(signal, name)))
"""Signals whose handlers may raise: those that end a command, and the timer of a time budget."""
AGAIN_S = 0.02
"""Seconds until a signal is sent again that came where nothing can be raised."""


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
    sys.unraisablehook = partial(_send_again, sys.unraisablehook)


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


def _send_again(show: Callable[[Any], Any], lost: "sys.UnraisableHookArgs") -> None:
    if not isinstance(lost.exc_value, Interrupted):
        show(lost)
        return
    # A little later, when whatever was dying is dead.
    timer = threading.Timer(AGAIN_S, send_to_main_thread, [lost.exc_value.signum])
    timer.daemon = True
    timer.start()


def send_to_main_thread(signum: int) -> None:
    """Send a signal to the thread that handles signals, so that it stops waiting."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signum)
    else:
        signal.raise_signal(signum)


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


def interruption_behind(error: BaseException) -> Interrupted | None:
    """Find the interruption that made a library raise an error that nobody expected.

    An error of our own code is a defect, also if it is raised after a signal; then there is none.
    """
    return None if _raised_by_us(error) else interruption_within(error)


def interruption_within(
    error: BaseException | None, handled: BaseException | None = None
) -> Interrupted | None:
    """Find the interruption that an error has taken the place of.

    Libraries raise errors of their own as they tidy up what a signal has left half made, such as a
    transaction.

    Args:
        error: that was caught.
        handled: exception that was being handled before all this, and is no part of it.
    """
    if error is None or error is handled or isinstance(error, Interrupted):
        return error if isinstance(error, Interrupted) and error is not handled else None
    inner = interruption_within(error.__cause__, handled)
    return inner or interruption_within(error.__context__, handled)


def _raised_by_us(error: BaseException) -> bool:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is None or str(place.tb_frame.f_globals.get("__name__")).startswith("tunesmith")


def _end_at_once(signum: int, _frame: FrameType | None) -> NoReturn:
    # Not through Python's streams: the signal may have come while one of them was in use, and
    # they cannot be entered again.
    with suppress(OSError):  # nobody may be listening
        os.write(2, f"{words(signum)}\n".encode())
    os._exit(128 + signum)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep signals back while something is done that must not be left half done.

    Whatever their handlers raise is raised when the block has ended. A signal without a handler
    in Python ends the process at once, as ever: the kernel then closes everything in good order.
    """
    # Python runs handlers in the main thread only; no other one is ever interrupted.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = _HeldSignals()
    try:
        held.begin()
        yield
    finally:
        held.end()


class _HeldSignals:
    """Handlers that wait, put in the place of those that may raise."""

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._came: list[int] = []
        self._is_over = False

    def begin(self) -> None:
        """Take the place of every handler that is written in Python."""
        for number in RAISING:
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._hold)

    def end(self) -> None:
        """Put the handlers back, and hand on what has come."""
        # First: if one of them raises before all are back, the others hand on what comes.
        self._is_over = True
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(self._came):
            signal.raise_signal(number)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            self._handlers[number](number, frame)
        else:
            self._came.append(number)
