import os
from collections.abc import Callable
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from tunesmith.execute.serial import SerialExecutor
from tunesmith.testing.executor import ExecutorContract, process_id


class TestSerialExecutor(ExecutorContract):
    has_own_processes = False

    def make(self, function: Callable[[Any], Any], **options: Any) -> SerialExecutor:
        return SerialExecutor(function, **options)


def test_it_runs_here() -> None:
    with SerialExecutor(process_id) as executor:
        future = executor.submit(0)
        executor.completed()
        assert future.result() == os.getpid()


def test_nothing_runs_before_it_is_waited_for() -> None:
    seen: list[int] = []
    with SerialExecutor(seen.append) as executor:
        executor.submit(1)
        executor.submit(2)
        assert seen == []
        executor.completed()
        assert seen == [1]


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupted(_item: Any) -> None:
        raise KeyboardInterrupt

    with SerialExecutor(interrupted) as executor:
        executor.submit(0)
        with pytest.raises(KeyboardInterrupt):
            executor.completed()


def test_a_call_has_one_thread() -> None:
    def threads(_item: Any) -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info()]

    with SerialExecutor(threads) as executor:
        future = executor.submit(0)
        executor.completed()
        assert set(future.result()) <= {1}
