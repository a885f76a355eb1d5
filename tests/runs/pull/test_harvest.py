from pathlib import Path

import pytest

from tunesmith.history import FoldResult
from tunesmith.ledger.dialect import address
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.ledger.leases.seam import AnswerKind, Offer
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.pull.harvest import harvest
from tunesmith.runs.pull.wire import FitWire
from tunesmith.testing.functions import FunctionObjective
from tunesmith.testing.ledger import begin
from tunesmith.types import Fit

OBJECTIVE = FunctionObjective(lambda _params, _fold: 0.5)


def test_a_file_has_nothing_to_take_in(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        harvest(ledger, tmp_path / "ledger.db", "study", FitWire(OBJECTIVE))


@pytest.mark.slow
def test_results_of_a_killed_run_are_taken_in(database: str) -> None:
    wire = FitWire(OBJECTIVE)
    fits = [Fit(0, ({"x": n},)) for n in range(3)]
    store = PostgresLeases(address(database), "tests")
    with Ledger.open(database) as ledger:
        _, run = begin(ledger)
        epoch = store.sit("study", "a@here", 1, run_id=run, wanted={}, ttl_s=30.0)
        store.offer("study", epoch, [Offer(f"{n}", n, wire.content(f)) for n, f in enumerate(fits)])
        one, two, _ = store.take("study", epoch, "w", most=3, is_idle=True, ttl_s=30.0)
        text = wire.answer(fits[0], [FoldResult(0, {"score": 0.5})])
        store.finish("w", one, AnswerKind.RESULT, text)
        store.finish("w", two, AnswerKind.DIED, "killed")
        harvest(ledger, database, "other", wire)
        assert list(ledger.addresses()) == []
        for _ in range(2):
            harvest(ledger, database, "study", wire)
            key = OBJECTIVE.key({"x": 0}, 0)
            assert list(ledger.addresses()) == [(key, run)]
            assert ledger.known([key])[key].scores == {"score": 0.5}
        standing = store.look("study", epoch)
        assert not standing.ends
        assert standing.leased == {"2"}
    store.close()
