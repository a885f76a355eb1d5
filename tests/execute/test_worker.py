import pickle
import signal
import threading
from typing import Any

import pytest

from tunesmith.execute.worker import FAILED, RESULT, _answer


class OneWayError(Exception):
    """Pickles, but does not come back: its arguments are not those of ``__init__``."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class LockedError(Exception):
    """Cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("no")


def fail(error: BaseException) -> Any:
    raise error


def test_a_result_is_answered() -> None:
    assert pickle.loads(_answer(abs, -1)) == (RESULT, 1)


def test_an_exception_travels_as_it_is_where_it_can() -> None:
    kind, error = pickle.loads(_answer(fail, KeyError("column")))
    assert kind == FAILED
    assert isinstance(error, KeyError)
    assert error.args == ("column",)


@pytest.mark.parametrize("error", [OneWayError("this", "that"), LockedError("this and that")])
def test_one_that_cannot_travel_is_told(error: Exception) -> None:
    kind, found = pickle.loads(_answer(fail, error))
    assert kind == FAILED
    assert type(found) is RuntimeError
    assert f"{type(error).__name__}: this and that" in str(found)


def test_a_result_that_cannot_travel_is_a_failure() -> None:
    kind, error = pickle.loads(_answer(lambda _item: threading.Lock(), 1))
    assert kind == FAILED
    assert "cannot pickle" in str(error)


class Abort(BaseException):
    """Of a library that does not want to be caught."""


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), Abort("now")])
def test_what_would_end_the_run_is_told(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a worker, which does not listen to Ctrl-C.
    monkeypatch.setattr(signal, "getsignal", lambda _number: signal.SIG_IGN)
    kind, found = pickle.loads(_answer(fail, error))
    assert kind == FAILED
    assert type(found) is RuntimeError
    assert type(error).__name__ in str(found)
