"""Errors of databases that take the place of an interruption."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from tunesmith.errors import StorageError
from tunesmith.ledger.messages import named
from tunesmith.system.interruptions import Interrupted

TERM = 15


def half_made(error: Exception) -> None:
    """What a signal leaves if the database says no to the end of a transaction."""
    with named("l.db"):
        try:
            raise Interrupted(TERM)
        finally:
            raise error


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("ROLLBACK", None, sqlite3.OperationalError("no transaction is active")),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        OSError("the server is away"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_signal_is_not_taken_for_a_fault_of_the_database(error: Exception) -> None:
    with pytest.raises(Interrupted) as caught:
        half_made(error)
    assert caught.value.signum == TERM


def test_a_fault_while_an_interruption_is_handled_is_a_fault() -> None:
    def fail() -> None:
        with named("l.db"):
            raise sqlite3.OperationalError("disk I/O error")

    def tidy_up() -> None:
        try:
            raise Interrupted(TERM)
        except Interrupted:
            fail()

    with pytest.raises(StorageError, match="disk I/O error"):
        tidy_up()
