"""Tables of seats and tasks. They exist on servers only, and lose nothing that the ledger needs."""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

seat = Table(
    "pull_seat",
    metadata,
    Column("study", String(80), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("wanted", Text, nullable=False),
)
"""The last run of each study that has offered tasks."""

task = Table(
    "pull_task",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("study", String(80), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("address", String(80), nullable=False),
    Column("number", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("worker", Text, nullable=False, server_default=""),
    Column("until", DateTime(timezone=True)),
    Column("n_lost", Integer, nullable=False, server_default="0"),
    Column("kind", String(8)),
    Column("answer", Text),
    UniqueConstraint("study", "address"),
    Index("ix_pull_task_state", "study", "state", "number"),
)


def create(connection: Connection) -> None:
    """Create the tables on a server; a file has no workers on other machines."""
    if connection.dialect.name == "postgresql":
        metadata.create_all(connection)
