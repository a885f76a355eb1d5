"""Addition of evaluations that come as rows, without trials."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from tunesmith.ledger import dialect, schema
from tunesmith.ledger.queries import SAYS_NOTHING, started_at
from tunesmith.ledger.rows import signed


def add_evaluations(
    connection: Connection,
    run_id: int,
    rows: Sequence[Mapping[str, Any]],
    readings: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Add evaluations of a run; those that are there stay as they are.

    A result that says nothing about the params, such as a time-out, is replaced. Nothing is added
    for a run that is gone.

    Args:
        connection: connection within a transaction.
        run_id: id of the run.
        rows: rows of the table ``evaluation``, without the run.
        readings: rows of the table ``reading``.
    """
    if started_at(connection, run_id) is None:
        return
    unique = {row["digest"]: dict(row) for row in readings}
    dialect.upsert(connection, schema.reading, list(unique.values()))
    made = [signed("evaluation", {**row, "run_id": run_id}) for row in rows]
    dialect.upsert(connection, schema.evaluation, made, where=SAYS_NOTHING)
