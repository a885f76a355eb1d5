from pathlib import Path

import pytest

from tunesmith.history import FoldResult
from tunesmith.ledger.exchange.transfer import opened, transfer
from tunesmith.ledger.housekeeping.savings import savings
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, made


def timed(fold: int, seconds: float, n_sharing: int = 1) -> FoldResult:
    scores = {"accuracy": 0.5, "loss": 0.5}
    ways = ("x",) if n_sharing > 1 else ()
    return FoldResult(fold, scores, fit_time_s=seconds, n_sharing=n_sharing, ways=ways)


def fill(location: str | Path, name: str, keys: dict[str, FoldResult]) -> None:
    """One trial, whose evaluations are made unless they are there."""
    with Ledger.open(location) as ledger:
        head, run = begin(ledger, name)
        known = ledger.known(keys)
        new = {key: one for key, one in keys.items() if key not in known}
        trial = made(0).completed(list(keys.values()))
        ledger.record(head.id, run, results=new, completed=[(trial, list(keys))])


def check(location: str | Path, elsewhere: Path) -> None:
    keys = {"a": timed(0, 10.0), "b": timed(1, 20.0, n_sharing=4)}
    fill(location, "first", keys)
    with Ledger.open(location, create=False) as ledger:
        found = savings(ledger)
        assert (found.n_used, found.n_saved, found.saved_s) == (2, 0, 0.0)
    fill(location, "second", keys)
    fill(elsewhere, "third", {"c": timed(0, 3600.0)})
    with opened(elsewhere, create=False) as one, opened(location, create=True) as other:
        transfer(one, other)
    fill(location, "third", {"c": timed(0, 3600.0)})
    with Ledger.open(location, create=False) as ledger:
        found = savings(ledger)
    assert (found.n_studies, found.n_trials) == (3, 3)
    assert (found.n_runs, found.n_runs_elsewhere) == (4, 1)
    assert (found.n_evaluations, found.n_evaluations_elsewhere) == (3, 1)
    assert (found.n_used, found.n_saved, found.n_saved_elsewhere) == (5, 3, 1)
    assert (found.saved_fits, found.saved_s) == (2.25, 3630.0)


def test_what_was_there_already_is_saved(tmp_path: Path) -> None:
    check(tmp_path / "l.db", tmp_path / "other.db")
    with Ledger.open(tmp_path / "l.db", create=False) as ledger:
        assert savings(ledger).n_bytes == (tmp_path / "l.db").stat().st_size


def test_an_empty_ledger_has_saved_nothing(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.db") as ledger:
        found = savings(ledger)
    assert (found.n_studies, found.n_saved, found.saved_s) == (0, 0, 0.0)


@pytest.mark.slow
def test_a_server_counts_the_same(database: str, tmp_path: Path) -> None:
    check(database, tmp_path / "other.db")
    with Ledger.open(database, create=False) as ledger:
        assert savings(ledger).n_bytes is None
