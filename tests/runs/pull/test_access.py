import pytest

from tunesmith.errors import UsageError
from tunesmith.runs.pull.access import server_of


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://ann@localhost/x",
        "postgresql://127.0.0.1:5433/x",
        "postgresql:///x",
        "postgresql://ann@/x?host=/run/postgresql",
        "postgresql://db.example.org/x?sslmode=verify-full",
        "postgresql://db.example.org/x?sslmode=require",
    ],
)
def test_servers_here_and_encrypted_ones_are_used(location: str) -> None:
    assert server_of(location, insecure=False, environ={}).drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://db.example.org/x",
        "postgresql://ann:canary@db.example.org/x?sslmode=prefer",
        "postgresql:///x?host=/run/postgresql,db.example.org",
    ],
)
def test_others_are_refused_unless_that_is_accepted(location: str) -> None:
    with pytest.raises(UsageError, match=r"sslmode=verify-full.*insecure: true") as error:
        server_of(location, insecure=False, environ={})
    assert "canary" not in str(error.value)
    assert server_of(location, insecure=True, environ={})


def test_the_variable_of_libpq_counts() -> None:
    encrypted = {"PGSSLMODE": "verify-full"}
    assert server_of("postgresql://db.example.org/x", insecure=False, environ=encrypted)


def test_a_file_is_no_server() -> None:
    with pytest.raises(UsageError, match="needs a ledger on a PostgreSQL server"):
        server_of("sqlite:///x.db", insecure=True)
