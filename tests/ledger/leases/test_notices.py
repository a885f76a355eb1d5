"""Notices of a real server."""

import threading

import pytest
from tests.ledger.leases.conftest import sit

from tunesmith.ledger.dialect import address
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.ledger.leases.seam import AnswerKind, UnreachableError
from tunesmith.testing.leases import STUDY, TTL_S, offers

pytestmark = pytest.mark.slow


def test_notices_wake_those_who_wait(postgres: PostgresLeases, database: str) -> None:
    epoch = sit(postgres)
    other = PostgresLeases(address(database), "other")
    # Listening begins with the first wait.
    other.wait_for_tasks(STUDY, 0.01)
    postgres.wait_for_ends(STUDY, 0.01)
    postgres.offer(STUDY, epoch, offers("x"))
    waits = threading.Thread(target=lambda: other.wait_for_tasks(STUDY, 600))
    waits.start()
    waits.join(30)
    assert not waits.is_alive()
    (lease,) = other.take(STUDY, epoch, "w", most=1, is_idle=True, ttl_s=TTL_S)
    other.finish("w", lease, AnswerKind.RESULT, "r")
    hears = threading.Thread(target=lambda: postgres.wait_for_ends(STUDY, 600))
    hears.start()
    hears.join(30)
    assert not hears.is_alive()
    other.close()


def test_a_connection_that_is_cut_off_is_told_and_made_anew(
    postgres: PostgresLeases, server: str
) -> None:
    import psycopg

    epoch = sit(postgres)
    postgres.wait_for_ends(STUDY, 0.01)
    with psycopg.connect(server, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='tests'"
        )
    with pytest.raises(UnreachableError):
        postgres.wait_for_ends(STUDY, 60)
    postgres.wait_for_ends(STUDY, 0.01)
    postgres.stay(STUDY, epoch, TTL_S)
