"""Results of pull workers that a killed run has not taken in: the next run of the study does."""

from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import delete, inspect, select

from tunesmith.ledger.dialect import address
from tunesmith.ledger.lease_tables import task
from tunesmith.ledger.leases.seam import AnswerKind
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recording import add_evaluations
from tunesmith.runs.pull.coordinator import RefusedAnswerError
from tunesmith.runs.pull.wire import evaluations_of

DONE = "done"


class Receiver(Protocol):
    """Takes in what comes with results, such as the logs of programs."""

    def receive(self, text: str) -> None:
        """Take in what came beside the rows of an answer.

        Raises:
            RefusedAnswerError: the result does not count here.
        """


def harvest(ledger: Ledger, location: str | Path, study: str, receiver: Receiver) -> None:
    """Record the results that workers have given to a run that was killed.

    The caller holds the study's lock. Tasks that workers still have stay until they end or lapse.

    Args:
        ledger: open for writing.
        location: file or URL of the ledger; a file has no such results.
        study: name of the study.
        receiver: takes in what came beside the results.
    """
    if address(location).get_backend_name() != "postgresql":
        return
    ended = (task.c.study == study) & (task.c.state == DONE)
    with ledger.transaction(writes=True) as connection:
        if not inspect(connection).has_table(task.name):
            return
        # Locked: a worker that is late would otherwise end a task that is being removed.
        query = select(task.c.id, task.c.kind, task.c.answer, task.c.run_id).where(ended)
        for row in list(connection.execute(query.with_for_update())):
            if row.kind == AnswerKind.RESULT.value:
                # A result that does not count is made again.
                with suppress(RefusedAnswerError):
                    receiver.receive(row.answer)
                    made = evaluations_of(row.answer, row.run_id)
                    add_evaluations(connection, made.run_id, made.rows, made.readings)
            connection.execute(delete(task).where(task.c.id == row.id))
