"""A limit of CPU time for code of ours that runs on what others wrote."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tunesmith.system.portable.abilities import has_timers


class CpuLimitError(Exception):
    """The code took longer than it was given."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """End a block that takes too long, for instance a regular expression that backtracks.

    Python delivers signals to the main thread alone: in another one there is no limit, nor on a
    system without timers.

    Args:
        seconds: of CPU time of this process, so that a busy machine makes no difference.

    Raises:
        CpuLimitError: the block took longer.
    """
    if not has_timers() or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(*_: Any) -> None:
    raise CpuLimitError
