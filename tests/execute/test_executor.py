"""The end of a call."""

from concurrent.futures import Future
from typing import Any

import pytest

from tunesmith.execute.executor import WorkerDiedError, settle


def test_a_call_ends_once() -> None:
    future: Future[Any] = Future()
    assert settle(future, result=1)
    assert not settle(future, result=2)
    assert not settle(future, error=WorkerDiedError("late"))
    assert future.result() == 1


def test_a_call_ends_with_its_error() -> None:
    future: Future[Any] = Future()
    assert settle(future, error=WorkerDiedError("killed"))
    with pytest.raises(WorkerDiedError, match="killed"):
        future.result()


def test_nothing_comes_of_a_call_that_was_cancelled() -> None:
    future: Future[Any] = Future()
    future.cancel()
    assert not settle(future, result=1)
    assert future.cancelled()
