"""Leases on a real PostgreSQL server."""

import threading
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from tests.ledger.leases.conftest import sit

from tunesmith.ledger.dialect import address
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.ledger.leases.seam import (
    AnswerKind,
    LeaseStore,
    SeatTakenError,
    UnreachableError,
)
from tunesmith.testing.leases import STUDY, TTL_S, LeaseStoreContract, offers

pytestmark = pytest.mark.slow


class TestPostgresLeases(LeaseStoreContract):
    @pytest.fixture
    def store(self, postgres: PostgresLeases) -> LeaseStore:
        return postgres

    def pass_s(self, store: LeaseStore, seconds: float) -> None:
        # The server's clock stands still for the tests; every end comes nearer instead.
        assert isinstance(store, PostgresLeases)
        with store._engine.begin() as connection:
            for table in ("pull_seat", "pull_task"):
                change = f"UPDATE {table} SET until = until - make_interval(secs => :s)"  # noqa: S608
                connection.execute(text(change), {"s": seconds})


def test_of_many_that_take_at_once_each_gets_another_task(
    postgres: PostgresLeases, database: str
) -> None:
    epoch, n = sit(postgres), 120
    postgres.offer(STUDY, epoch, offers(*(f"{i}" for i in range(n))))
    taken: Counter[int] = Counter()

    def pull(name: str) -> None:
        own = PostgresLeases(address(database), name)
        while leases := own.take(STUDY, epoch, name, most=2, is_idle=True, ttl_s=TTL_S):
            for lease in leases:
                own.finish(name, lease, AnswerKind.RESULT, "r")
                taken[lease.task] += 1
        own.close()

    in_parallel(*(lambda i=i: pull(f"w{i}") for i in range(4)))
    assert len(taken) == n
    assert set(taken.values()) == {1}
    assert len(postgres.look(STUDY, epoch).ends) == n


def test_of_many_first_runs_one_has_the_seat(postgres: PostgresLeases, database: str) -> None:
    epochs: list[int] = []
    refused: list[str] = []

    def run(name: str) -> None:
        own = PostgresLeases(address(database), name)
        try:
            epochs.append(sit(own, f"{name}@{name}"))
        except SeatTakenError as error:
            refused.append(error.place)
        own.close()

    in_parallel(*(lambda i=i: run(f"r{i}") for i in range(4)))
    assert epochs == [1]
    assert len(set(refused)) == 1


def in_parallel(*acts: Any) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_a_database_without_the_tables_has_no_session(database: str) -> None:
    store = PostgresLeases(address(database), "tests")
    assert store.session(STUDY) is None
    store.close()


def test_a_server_that_is_not_there_is_said_without_its_password() -> None:
    store = PostgresLeases(address("postgresql://ann:canary@/x?host=/nowhere"), "tests")
    with pytest.raises(UnreachableError, match="ledger postgresql") as error:
        store.session(STUDY)
    assert "canary" not in str(error.value)
    store.close()


def test_a_role_that_may_change_nothing_but_tasks_is_enough_for_a_worker(
    postgres: PostgresLeases, database: str
) -> None:
    import psycopg

    epoch = sit(postgres)
    postgres.offer(STUDY, epoch, offers("x", "y"))
    grants = (
        "CREATE ROLE worker LOGIN",
        "GRANT SELECT ON pull_seat TO worker",
        "GRANT SELECT, UPDATE ON pull_task TO worker",
    )
    with psycopg.connect(database, autocommit=True) as owner:
        for grant in grants:
            owner.execute(grant.encode())
    own = PostgresLeases(address(database.replace("postgres@", "worker@")), "worker")
    try:
        assert own.session(STUDY) is not None
        own.wait_for_tasks(STUDY, 0.01)
        one, two = own.take(STUDY, epoch, "w", most=2, is_idle=True, ttl_s=TTL_S)
        assert own.renew("w", [one, two], TTL_S) == {one.task, two.task}
        own.finish("w", one, AnswerKind.RESULT, "r")
        own.give_back("w", own.held("w"))
        with pytest.raises(UnreachableError, match="permission denied"):
            own.record(STUDY, epoch, [])
        with pytest.raises(UnreachableError, match="permission denied"):
            sit(own, "worker@here")
    finally:
        own.close()
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute("DROP OWNED BY worker; DROP ROLE worker")
    assert [end.content for end in postgres.look(STUDY, epoch).ends] == ["r"]
