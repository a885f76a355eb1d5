"""Runs of other ledgers in a ledger: they are there, and outrank nothing."""

from pathlib import Path

from tunesmith.ledger import schema
from tunesmith.ledger.exchange.tables import LedgerPlace, numbered_runs
from tunesmith.ledger.exchange.transfer import opened, transfer
from tunesmith.ledger.ledger import Ledger, empty
from tunesmith.ledger.rescue.salvage import salvage
from tunesmith.testing.ledger import METRICS, begin, forge_ledger, result, tell


def move(source: Path, target: Path) -> int:
    with opened(source, create=False) as one, opened(target, create=True) as other:
        return transfer(one, other).n_new


def filled(path: Path, score: float = 0.5) -> Path:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        ledger.record(head.id, run, results={"k": result(0, score)})
    return path


def test_runs_of_an_older_version_have_the_same_name_in_every_copy(tmp_path: Path) -> None:
    one = filled(tmp_path / "one.db")
    with Ledger.open(one) as ledger:
        ledger.begin_run(1, {"definition": {}})
    forge_ledger(one, "DELETE FROM run_uid")
    (tmp_path / "copy.db").write_bytes(one.read_bytes())
    with Ledger.open(one) as ledger, ledger.transaction(writes=False) as connection:
        uids = [run.uid for _, run in numbered_runs(connection)]
    assert len(set(uids)) == 2
    assert [move(tmp_path / "copy.db", one), move(one, tmp_path / "copy.db")] == [0, 0]


def test_an_own_result_outranks_one_from_elsewhere(tmp_path: Path) -> None:
    one, two = filled(tmp_path / "one.db", 0.25), filled(tmp_path / "two.db", 0.75)
    move(one, two)
    move(one, tmp_path / "three.db")
    with Ledger.open(two) as ledger:
        assert ledger.known(["k"])["k"].scores["accuracy"] == 0.75
    with Ledger.open(tmp_path / "three.db") as ledger:
        head, run = begin(ledger)
        assert (run, head.generation, head.is_new) == (1, 1, True)
        assert ledger.known(["k"])["k"].scores["accuracy"] == 0.25
        # A trial may use it, and says whose it is.
        tell(ledger, head, run, 0)
        ledger.record_apart(head.id, run, [(0, -1, "k")], {})
        assert ledger.load().holdout[0].scores["accuracy"] == 0.25
        link = schema.trial_fold
        with ledger.transaction(writes=False) as connection:
            query = link.select().where(link.c.fold == -1)
            assert [row.run_id for row in connection.execute(query)] == [-1]


def test_no_command_takes_a_shelf_for_a_study(tmp_path: Path) -> None:
    one, two = filled(tmp_path / "one.db"), tmp_path / "two.db"
    move(one, two)
    with Ledger.open(two) as ledger:
        assert ledger.studies() == []
        assert ledger.previous("study") is None
        assert ledger.series("study", "i") is None
        metrics = {"metrics": METRICS, "objectives": METRICS[:1]}
        new = ledger.begin_study("study", "i", {}, context={}, **metrics)  # type: ignore[arg-type]
        assert (new.is_new, new.generation) == (True, 1)


def test_a_rescue_keeps_whose_evaluations_they_are(tmp_path: Path) -> None:
    one, two = filled(tmp_path / "one.db"), filled(tmp_path / "two.db")
    move(one, two)
    with opened(two, create=False) as place:
        before = {one.address for batch in place.batches() for one in batch}
        runs = place.runs()
    content = bytearray(two.read_bytes())
    content[60] ^= 1
    two.write_bytes(content)
    assert salvage(two, empty()).lost == []
    with opened(two, create=False) as place:
        assert isinstance(place, LedgerPlace)
        assert {one.address for batch in place.batches() for one in batch} == before
        assert place.runs() == runs
