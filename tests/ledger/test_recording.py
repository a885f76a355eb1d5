import pytest

from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recording import add_evaluations
from tunesmith.ledger.rows import evaluation_row
from tunesmith.testing.ledger import begin, result

pytestmark = pytest.mark.slow


def test_evaluations_are_added_once_and_for_runs_that_are_there(database: str) -> None:
    row = evaluation_row("key", result(0), 0)
    row = {name: value for name, value in row.items() if name not in ("run_id", "checksum")}
    with Ledger.open(database) as ledger:
        _, run = begin(ledger)
        for run_id in (run, run, run + 1):
            with ledger.transaction(writes=True) as connection:
                add_evaluations(connection, run_id, [row])
        assert ledger.known(["key"])["key"].scores == result(0).scores
        assert list(ledger.addresses()) == [("key", run)]
