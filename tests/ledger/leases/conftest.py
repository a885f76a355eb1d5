"""A store of leases on a real server."""

from collections.abc import Iterator

import pytest

from tunesmith.ledger.dialect import address
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.ledger.leases.seam import LeaseStore
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.leases import STUDY, TTL_S


@pytest.fixture
def postgres(database: str) -> Iterator[PostgresLeases]:
    with Ledger.open(database):
        pass
    store = PostgresLeases(address(database), "tests")
    yield store
    store.close()


def sit(store: LeaseStore, holder: str = "a@here") -> int:
    return store.sit(STUDY, holder, 1, run_id=1, wanted={}, ttl_s=TTL_S)
