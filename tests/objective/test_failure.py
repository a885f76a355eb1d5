"""The true cause of a failure is in its message, whatever an exception is made of."""

import time

import pytest

from tunesmith.objective.failure import failure_of

TOKEN = "ghp_" + "a1B2" * 9


def chained() -> BaseException:
    try:
        raise RuntimeError("cannot fit") from ZeroDivisionError("no rows left")
    except RuntimeError as error:
        return error


def noted() -> BaseException:
    error = ValueError("bad value")
    error.add_note(f"in column `age`, with {TOKEN}")
    return error


class SilentError(Exception):
    def __str__(self) -> str:
        raise OSError


def nested(depth: int) -> BaseException:
    error: Exception = ValueError("innermost")
    for _ in range(depth):
        error = ExceptionGroup("group", [error])
    return error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (chained(), "cannot fit; caused by ZeroDivisionError: no rows left"),
        (noted(), "bad value; in column `age`, with [redacted]"),
        (SilentError(), "SilentError"),
        (
            ExceptionGroup("two", [ValueError("a"), KeyError("b"), SilentError()]),
            "two (3 sub-exceptions); ValueError: a; KeyError: 'b'; SilentError: ",
        ),
        (nested(5000), "group (1 sub-exception); ExceptionGroup: group (1 sub-exception)"),
    ],
)
def test_all_parts_of_an_exception_are_told(error: BaseException, message: str) -> None:
    assert failure_of(error).message == message.strip()


def test_a_message_of_any_length_is_cleaned_soon() -> None:
    began = time.process_time()
    failure = failure_of(ValueError(f"{'x ' * 200}{TOKEN} " * 20_000))
    assert time.process_time() - began < 2
    assert len(failure.message) == 500
    assert "a1B2" not in failure.message
