"""Signals such as Ctrl-C, which interrupt a study only at safe points.

A signal interrupts the study while it waits for fits. At any other point it is kept until the next
wait. A second one is handled at once.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from tunesmith.system.interruptions import (
    AGAIN_S,
    Interrupted,
    send_to_main_thread,
    would_be_caught,
)
from tunesmith.system.portable.abilities import INTERRUPTING as SIGNALS
from tunesmith.system.portable.abilities import has_timers


def _is_listened_to(number: signal.Signals) -> bool:
    # Under nohup the run is meant to outlive its terminal.
    is_of_terminal = number not in (signal.SIGINT, signal.SIGTERM)  # SIGHUP, if there is one
    return not (is_of_terminal and signal.getsignal(number) is signal.SIG_IGN)


@contextmanager
def time_budget(budget_s: float | None) -> Iterator[Callable[[], bool]]:
    """For the duration of the block, end this process (SIGTERM) when its time is up.

    Args:
        budget_s: seconds; ``None`` for no end.

    Returns:
        A function that tells if the time was up.

    Raises:
        SystemExit: the time was up while signals were not handled.
    """
    spent: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if would_be_caught(frame):
            # A signal would end the process here, before it could say why.
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
            return
        spent.append(number)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            # Before and after the study: leave in good order, and not by being killed.
            sys.exit(128 + signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    if budget_s is None:
        yield lambda: False
        return
    if not has_timers():
        yield from _timed_by_thread(budget_s)
        return
    # A timer of the process rather than a thread, which workers must not be forked beside.
    before = signal.signal(signal.SIGALRM, ask)
    timer = signal.setitimer(signal.ITIMER_REAL, budget_s)
    try:
        yield lambda: bool(spent)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


def _timed_by_thread(budget_s: float) -> Iterator[Callable[[], bool]]:
    """Raise SIGTERM in this process after a time, on systems without timers."""
    is_spent = threading.Event()

    def ask() -> None:
        is_spent.set()
        send_to_main_thread(signal.SIGTERM)

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_DFL:
        # Before and after the study: leave in good order, and not by being killed.
        signal.signal(signal.SIGTERM, leave)
    timer = threading.Timer(budget_s, ask)
    timer.daemon = True
    timer.start()
    try:
        yield is_spent.is_set
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)


class StopRequested(Interrupted):
    """A signal asked the study to stop."""

    def __str__(self) -> str:
        return signal.Signals(self.signum).name


class SignalGate:
    """While entered, turns signals into ``StopRequested`` at safe points."""

    def __init__(self, signals: Sequence[signal.Signals] = SIGNALS) -> None:
        self._signals = [number for number in signals if _is_listened_to(number)]
        self._pending: int | None = None
        self._is_open = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Only the main thread may install handlers; elsewhere the caller's own ones stay.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in self._signals}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        is_second, self._pending = self._pending is not None, signum
        if self._is_open or is_second:
            raise StopRequested(signum)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Handle signals for the duration of the block.

        Raises:
            StopRequested: a signal came, now or since the last wait.
        """
        self._is_open = True
        try:
            if self._pending is not None:
                raise StopRequested(self._pending)
            yield
        finally:
            self._is_open = False
