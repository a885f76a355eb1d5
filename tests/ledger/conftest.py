"""A PostgreSQL server for the tests of ledgers, with an empty database for each."""

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.ledger.postgres import PostgresServer


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a running server's own database."""
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-pg-"))
    try:
        made = PostgresServer(folder)
        try:
            made.start()
            yield made.url
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The URL of an empty database, alone for one test."""
    name = f"t{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


_numbers = count()


def _execute(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
