from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from tunesmith.ledger.dialect import address
from tunesmith.ledger.ledger import Ledger

NAMES = {"pull_seat", "pull_task"}


def test_a_file_has_no_tables_for_workers(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db"):
        pass
    made = create_engine(f"sqlite:///{tmp_path}/ledger.db")
    assert not NAMES & set(inspect(made).get_table_names())
    made.dispose()


@pytest.mark.slow
def test_a_server_gets_them_also_if_its_ledger_is_older(database: str) -> None:
    with Ledger.open(database):
        pass
    with psycopg.connect(database) as connection:
        connection.execute("DROP TABLE pull_seat, pull_task")
        connection.execute("UPDATE tunesmith SET schema_version = 10")
    with Ledger.open(database):
        pass
    made = create_engine(address(database))
    assert set(inspect(made).get_table_names()) >= NAMES
    made.dispose()
