"""The contract of executors: subclass ``ExecutorContract`` and override ``make``."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.errors import TunesmithError
from tunesmith.execute.executor import CallTimeoutError, Executor, WorkerDiedError

MARK = np.arange(1000.0)


def double(item: Any) -> Any:
    """Return twice the item."""
    return item * 2


def moody(item: int) -> int:
    """Return the item, but for 3 and 5."""
    if item == 3:
        raise ValueError("three")
    if item == 5:
        # Not an `Exception`: a worker that catches those alone would end here.
        raise SystemExit(7)
    return item


def nap(seconds: float) -> float:
    """Sleep, and return the seconds."""
    time.sleep(seconds)
    return seconds


def held(item: Any) -> Any:
    """Return the item; a path as soon as there is a file, within 30 seconds."""
    end = time.monotonic() + 30
    while isinstance(item, Path) and not item.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return item


def process_id(_item: Any) -> int:
    """Return the process that runs the call."""
    return os.getpid()


def drain(executor: Executor, futures: list[Future[Any]]) -> list[Future[Any]]:
    """Collect until all have ended; in the order of arrival."""
    ended: list[Future[Any]] = []
    # An executor that loses a call has to fail the test, not to hang it.
    end = time.monotonic() + 60
    while len(ended) < len(futures) and time.monotonic() < end:
        ended += executor.completed(1.0)
    return ended


class ExecutorContract:
    """Capabilities that an executor does not have are switched off in the subclass."""

    has_own_processes = True
    """True if calls run in other processes, so that they can be stopped and may die."""

    def make(self, function: Callable[[Any], Any], **options: Any) -> Executor:
        """Make an executor around a function; ``n_workers`` and ``timeout_s`` are the options."""
        raise NotImplementedError

    def test_results_are_those_of_the_function(self) -> None:
        with self.make(double, n_workers=2) as executor:
            futures = [executor.submit(n) for n in range(20)]
            assert len(drain(executor, futures)) == 20
            assert [future.result() for future in futures] == [2 * n for n in range(20)]

    def test_values_arrive_unchanged(self) -> None:
        values = [None, "ünï\n", {"a": [1, float("inf")]}, b"\0", np.arange(3), ("t",)]
        with self.make(lambda item: item, n_workers=2) as executor:
            futures = [executor.submit(value) for value in values]
            drain(executor, futures)
            for value, future in zip(values, futures, strict=True):
                np.testing.assert_equal(future.result(), value)

    def test_an_exception_is_delivered_and_the_others_finish(self) -> None:
        with self.make(moody, n_workers=2) as executor:
            futures = [executor.submit(n) for n in range(8)]
            drain(executor, futures)
            assert isinstance(futures[3].exception(), ValueError)
            assert isinstance(futures[5].exception(), SystemExit)
            others = [n for n in range(8) if n not in (3, 5)]
            assert [futures[n].result() for n in others] == others

    def test_each_future_is_handed_out_once(self) -> None:
        with self.make(double, n_workers=2) as executor:
            futures = [executor.submit(n) for n in range(10)]
            ended = drain(executor, futures)
            assert {id(f) for f in ended} == {id(f) for f in futures}
            assert executor.completed(0.01) == []

    def test_waiting_for_nothing_returns_at_once(self) -> None:
        with self.make(double, n_workers=1) as executor:
            began = time.monotonic()
            assert executor.completed(30.0) == []
            assert time.monotonic() - began < 5

    def test_calls_can_be_added_later(self) -> None:
        with self.make(double, n_workers=2) as executor:
            for n in range(3):
                future = executor.submit(n)
                drain(executor, [future])
                assert future.result() == 2 * n

    def test_a_queued_call_can_be_cancelled(self) -> None:
        with self.make(double, n_workers=1) as executor:
            futures = [executor.submit(n) for n in range(3)]
            executor.cancel(futures[2])
            drain(executor, futures[:2])
            assert futures[2].cancelled()
            assert futures[1].result() == 2

    def test_it_is_closed_with_calls_under_way(self) -> None:
        with self.make(double, n_workers=2) as executor:
            # Nothing is collected: leaving the context must neither hang nor raise.
            for n in range(50):
                executor.submit(n)

    def test_a_call_over_its_time_is_stopped(self) -> None:
        self._need_processes()
        with self.make(nap, n_workers=2, timeout_s=1.0) as executor:
            futures = [executor.submit(seconds) for seconds in (0.0, 60.0, 0.0)]
            drain(executor, futures)
            assert isinstance(futures[1].exception(), CallTimeoutError)
            assert [futures[0].result(), futures[2].result()] == [0.0, 0.0]

    def test_a_dying_worker_costs_its_own_call_only(self) -> None:
        self._need_processes()

        def deadly(item: int) -> int:
            if item == 2:
                # No exception: the process ends at once, as if it had been killed.
                os._exit(9)
            return item

        with self.make(deadly, n_workers=2) as executor:
            futures = [executor.submit(n) for n in range(6)]
            drain(executor, futures)
            assert isinstance(futures[2].exception(), WorkerDiedError)
            assert "status 9" in str(futures[2].exception())
            assert [futures[n].result() for n in (0, 1, 3, 4, 5)] == [0, 1, 3, 4, 5]

    def test_quick_calls_are_each_made_once(self) -> None:
        with self.make(double, n_workers=2) as executor:
            futures = [executor.submit(n) for n in range(500)]
            ended = drain(executor, futures)
            assert len({id(future) for future in ended}) == len(ended) == 500
            assert [future.result() for future in futures] == [2 * n for n in range(500)]

    def test_a_call_among_quick_ones_has_a_time_of_its_own(self) -> None:
        self._need_processes()
        # Quick calls may travel many at a time: together these naps take longer than one may.
        naps = [0.0] * 40 + [0.6] * 4 + [0.0] * 4
        with self.make(nap, n_workers=1, timeout_s=1.5) as executor:
            futures = [executor.submit(seconds) for seconds in naps]
            drain(executor, futures)
            assert [future.result() for future in futures] == naps

    def test_a_call_that_is_stopped_costs_the_quick_ones_behind_it_nothing(self) -> None:
        self._need_processes()
        # Calls that travelled with the one that is stopped have to be sent again.
        naps = [0.0] * 40 + [60.0] + [0.0] * 20
        with self.make(nap, n_workers=1, timeout_s=1.0) as executor:
            futures = [executor.submit(seconds) for seconds in naps]
            drain(executor, futures)
            assert isinstance(futures[40].exception(), CallTimeoutError)
            others = [n for n in range(len(naps)) if n != 40]
            assert [futures[n].result() for n in others] == [0.0] * 60

    def test_a_worker_that_dies_costs_the_quick_calls_behind_it_nothing(self) -> None:
        self._need_processes()
        with self.make(lambda n: os._exit(9) if n == 40 else n, n_workers=2) as executor:
            futures = [executor.submit(n) for n in range(80)]
            drain(executor, futures)
            assert isinstance(futures[40].exception(), WorkerDiedError)
            others = [n for n in range(80) if n != 40]
            assert [futures[n].result() for n in others] == others

    def test_a_call_behind_a_slow_one_can_be_cancelled(self, tmp_path: Path) -> None:
        gate = tmp_path / "open"
        items = [*range(40), gate, *range(41, 61)]
        with self.make(held, n_workers=1) as executor:
            futures = [executor.submit(item) for item in items]
            while not futures[39].done():
                executor.completed(1.0)
            had_ended = futures[42].done()
            executor.cancel(futures[42])
            gate.touch()
            end = time.monotonic() + 60
            while not all(f.done() for f in futures) and time.monotonic() < end:
                executor.completed(1.0)
            # Engines need not keep the order: it may have been running, or have ended.
            cancelled = futures[42].cancelled() or isinstance(
                futures[42].exception(), WorkerDiedError
            )
            assert cancelled != had_ended
            others = [n for n in range(61) if n != 42]
            assert [futures[n].result() for n in others] == [items[n] for n in others]

    def test_large_items_and_results_among_quick_calls(self) -> None:
        with self.make(double, n_workers=1) as executor:
            # More than a pipe holds: two sides that both write would wait for each other.
            items = [b"x" * size for size in [1] * 40 + [1 << 21] * 6]
            futures = [executor.submit(item) for item in items]
            drain(executor, futures)
            assert [future.result() for future in futures] == [2 * item for item in items]

    def test_large_arrays_are_shared_not_copied(self) -> None:
        self._need_processes()
        # An array over shared memory does not own its data.
        with self.make(lambda _item: MARK.flags.owndata, n_workers=2) as executor:
            future = executor.submit(0)
            drain(executor, [future])
            assert future.result() is False

    def test_what_cannot_be_sent_is_said(self) -> None:
        self._need_processes()
        # No pickler takes a lock.
        lock = threading.Lock()
        with pytest.raises(TunesmithError, match="cannot be sent to worker processes"):
            self.make(lambda _item: lock, n_workers=1)

    def test_a_result_that_cannot_be_sent_fails_its_call(self) -> None:
        self._need_processes()
        with self.make(lambda item: (lambda: item) if item else item, n_workers=1) as executor:
            futures = [executor.submit(n) for n in (1, 0)]
            drain(executor, futures)
            assert futures[0].exception() is not None
            assert futures[1].result() == 0

    def _need_processes(self) -> None:
        if not self.has_own_processes:
            pytest.skip("calls run in this process")
