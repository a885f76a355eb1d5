"""Following a running program: its output, its end, and its limits."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.types import EndsWithBlock

CHUNK = 1 << 16
GLANCE_S = 0.05
"""Seconds between two looks at a program that is followed."""


@dataclass(frozen=True)
class Limits:
    """Limits of one run; ``None`` sets no limit."""

    time_s: float | None = None
    grace_s: float = 5.0
    """Seconds between the wish that it ends and its forced end."""
    memory: int | None = None
    """Bytes of address space of each process."""


class FollowedProgram(EndsWithBlock, ABC):
    """A process whose output is logged as it comes."""

    has_ended = False

    def within(
        self, limits: Limits, began: float, is_enough: Callable[[], bool] | None
    ) -> tuple[bool, bool]:
        """Follow it until it has ended, or until it has had time to end when asked to.

        Args:
            limits: of the run.
            began: moment of its start, as ``time.monotonic``.
            is_enough: called again and again; true ends it.

        Returns:
            True if ``is_enough`` ended it, and true if its time was up.
        """
        end = None if limits.time_s is None else began + limits.time_s
        self.until(end, is_enough)
        if self.has_ended:
            return False, False
        was_late = end is not None and time.monotonic() >= end
        self._ask_to_end()
        self.until(time.monotonic() + limits.grace_s, None)
        return not was_late, was_late

    def until(self, end: float | None, is_enough: Callable[[], bool] | None) -> None:
        """Follow it until it has ended, a moment has come, or ``is_enough`` is true."""
        while not self.has_ended:
            left = None if end is None else max(end - time.monotonic(), 0.0)
            pause = left if is_enough is None else min(GLANCE_S, GLANCE_S if left is None else left)
            self._listen(pause)
            if not self.has_ended and is_enough is not None and is_enough():
                return
            if end is not None and time.monotonic() >= end:
                return

    @abstractmethod
    def end(self) -> int:
        """End it, if it still runs, with all its child processes; return its return code."""

    @abstractmethod
    def _listen(self, timeout_s: float | None) -> None:
        """Log the output that comes, until it ends or the time is up."""

    @abstractmethod
    def _ask_to_end(self) -> None:
        """Ask it, and what it has started, to end."""

    @abstractmethod
    def close(self) -> None:
        """End it if it still runs, and close its streams."""
