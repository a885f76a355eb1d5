from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from tunesmith.ledger import schema, standing
from tunesmith.ledger.ledger import Ledger
from tunesmith.reporting.choosing import chosen, page_of
from tunesmith.reporting.table import rows_of
from tunesmith.testing.ledger import begin_with, tell_some


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        yield ledger


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("n", "skip"), [(3, 0), (4, 3), (50, 0), (5, 9), (2, 40)])
def test_a_page_is_a_part_of_the_list_of_trials(
    ledger: Ledger, seed: int, n: int, skip: int
) -> None:
    draw = Random(seed)
    head = begin_with(ledger, 1 + seed % 2)
    run = ledger.begin_run(head.id, {})
    for number in range(13 if seed else 1):
        tell_some(ledger, head, run, number, draw)
    stored, whole = ledger.load(is_whole=False), ledger.load()
    page = page_of(stored, n, skip)
    assert stored.history._held is None
    assert page == chosen(rows_of(whole), whole.metrics)[skip : skip + n] == page_of(whole, n, skip)


def test_rows_are_the_same_if_they_are_derived_anew(ledger: Ledger) -> None:
    draw = Random(1)
    head = begin_with(ledger, 2)
    run = ledger.begin_run(head.id, {})
    for number in range(9):
        tell_some(ledger, head, run, number, draw)
    with ledger._writing() as connection:
        before = set(map(tuple, connection.execute(select(schema.standing))))
        standing.rebuild(connection)
        assert before
        assert set(map(tuple, connection.execute(select(schema.standing)))) == before


def test_trials_that_are_proposed_again_lose_their_standing(ledger: Ledger) -> None:
    head = begin_with(ledger, 1)
    run = ledger.begin_run(head.id, {})
    for number in range(9):
        tell_some(ledger, head, run, number, Random(number))
    ledger.forget_from(head.id, 4)
    record = ledger.load(is_whole=False)
    assert record.history.n_completed == 4
    assert record.history.best() == ledger.load().history.best()


def test_tables_that_another_process_has_just_made_are_no_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.db"
    with Ledger.open(path) as first:
        head = begin_with(first, 1)
        run = first.begin_run(head.id, {})
        tell_some(first, head, run, 0, Random(0))
        # As this one saw it a moment ago; deriving rows anew would meet those of the other one.
        monkeypatch.setattr(schema, "is_ready", lambda _connection: False)
        monkeypatch.setattr(standing, "rebuild", lambda _connection: pytest.fail("it is new"))
        Ledger.open(path).close()
