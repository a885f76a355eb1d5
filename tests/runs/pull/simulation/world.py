"""A world with one thread of events: processes that are switched at every message, by a seed.

Each process is a greenlet that runs the real code. It gives way whenever it sends a message, gets
an answer, or sleeps; then the earliest event happens. So a seed fixes the whole history.
"""

import heapq
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]

from tunesmith.ledger.leases.seam import UnreachableError

PATIENT_S = 20.0
"""Seconds that a message waits for an answer."""


class Process:
    """A process of the world: it may be killed, stopped for a while, or cut off."""

    def __init__(self, world: "World", name: str, body: Callable[["Process"], None]) -> None:
        self.world, self.name, self.is_alive, self.clock_shift = world, name, True, 0.0
        self.stopped_until = self.cut_off_until = 0.0
        self._green = greenlet(lambda: self._run(body), world.hub)
        self._n_wakes = 0
        self._wake_in(0.0)

    def _run(self, body: Callable[["Process"], None]) -> None:
        try:
            body(self)
        finally:
            self.is_alive = False

    def _wake_in(self, seconds: float) -> None:
        self._n_wakes += 1
        number = self._n_wakes
        self.world.at(seconds, lambda: self._wake(number))

    def _wake(self, number: int) -> None:
        # It may have been interrupted since, and sleep anew.
        if not self.is_alive or number != self._n_wakes:
            return
        if self.world.now < self.stopped_until:
            self.world.at(self.stopped_until - self.world.now, lambda: self._wake(number))
        else:
            self._green.switch()

    def sleep(self, seconds: float) -> None:
        """Give way for some time."""
        self.check()
        self._wake_in(seconds)
        self.world.hub.switch()
        self.check()

    def interrupt(self, error: BaseException) -> None:
        """Raise an error in it, wherever it is."""
        if self.is_alive and self._green:
            self._n_wakes += 1
            self._green.throw(error)

    def check(self) -> None:
        # A process that is killed does nothing more, also while Python unwinds its stack.
        if not self.is_alive:
            raise GreenletExit

    def kill(self) -> None:
        if self.is_alive:
            self.is_alive = False
            if self._green:
                self._green.throw(GreenletExit)

    def clock(self) -> float:
        """The process's own clock, which jumps."""
        return self.world.now + self.clock_shift


class World:
    """Time, events and the network.

    Args:
        seed: fixes the history. ``rates`` are the probabilities of a message's faults, by name.
    """

    def __init__(self, seed: str) -> None:
        self.rng, self.now, self.is_calm = Random(seed), 0.0, False
        self.rates: dict[str, float] = {}
        self.hub: Any = getcurrent()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self.faults: list[str] = []
        self.on_fault: Callable[[Process], None] = lambda _process: None

    def at(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay_s, next(self._numbers), act))

    def run(self, until: Callable[[], bool], limit_s: float) -> bool:
        """Let events happen; return false if it is not done in time."""
        while not until():
            if not self._events or self.now > limit_s:
                return False
            self.now, _, act = heapq.heappop(self._events)
            act()
        return True

    def draws(self, fault: str) -> bool:
        happens = not self.is_calm and self.rng.random() < self.rates.get(fault, 0.0)
        if happens:
            self.faults.append(fault)
        return happens

    def some(self, most_s: float) -> float:
        return self.rng.random() * most_s

    def message(self, process: Process, act: Callable[[], Any], *, may_repeat: bool = True) -> Any:
        """Send a transaction to the database, over a network that loses, delays and repeats."""
        rng = self.rng
        process.sleep(0.001 + self.some(0.02))
        if self.now < process.cut_off_until:
            return self._unanswered(process)
        if self.draws("slow"):
            self.on_fault(process)
            # It waits on the server, while the client gives up and goes on.
            self.at(PATIENT_S + self.some(60.0), lambda: self._late(act))
            return self._unanswered(process)
        if may_repeat and self.draws("twice"):
            self.at(self.some(60.0), lambda: self._late(act))
        answer = act()
        if self.draws("answer lost"):
            self.on_fault(process)
            return self._unanswered(process)
        process.sleep(0.001 + self.some(0.02 if rng.random() < 0.9 else 1.0))
        return answer

    def _unanswered(self, process: Process) -> Any:
        process.sleep(self.some(PATIENT_S))
        raise UnreachableError("no answer")

    def _late(self, act: Callable[[], Any]) -> None:
        # Nobody is there who could hear of an error.
        with suppress(Exception):
            act()
