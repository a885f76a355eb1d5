"""What a removal takes, and what it leaves: whatever a remaining trial uses."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tunesmith.errors import LockedError, StorageError
from tunesmith.ledger import schema
from tunesmith.ledger.exchange.transfer import opened, transfer
from tunesmith.ledger.housekeeping.garbage import GarbageChoice, garbage, no_run, remove
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.system import faults
from tunesmith.testing.ledger import begin, forge_ledger, made, result, tell
from tunesmith.types import StopKind, StopReason

END = StopReason(StopKind.CRITERION, "2 trials")


def fill(location: str | Path) -> None:
    """Two series of a study, a second study that uses one of its evaluations, and unused ones."""
    with Ledger.open(location) as ledger:
        for identity in ("old", "new"):
            head, run = begin(ledger, "study", identity)
            for number in range(2):
                tell(ledger, head, run, number)
            ledger.record(head.id, run, results={f"unused-{identity}": result(0)})
            ledger.end_run(run, END, 6, 0, 6)
        head, run = begin(ledger, "other")
        trial = made(0).completed([result(0, score=1.0)])
        ledger.record(head.id, run, completed=[(trial, ["study-0-0"])])
        ledger.end_run(run, END, 0, 1, 0)


def left(ledger: Ledger) -> dict[str, int]:
    """Number of rows by table."""
    with ledger.transaction(writes=False) as connection:
        return {
            table.name: len(connection.execute(table.select()).all())
            for table in (schema.study, schema.run, schema.evaluation, schema.trial, schema.reading)
        }


@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.slow)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    if request.param == "file":
        return tmp_path / "l.db"
    return str(request.getfixturevalue("database"))


def test_unused_evaluations_go_alone(location: str | Path) -> None:
    fill(location)
    choice = GarbageChoice(only_unused=True)
    with Ledger.open(location) as ledger:
        before = left(ledger)
        found = garbage(ledger, choice)
        # The first series has evaluations of its own, which the second one has made anew.
        assert {key for key, _ in found.evaluations} == {"unused-old", "unused-new"}
        assert left(ledger) == before
        assert remove(ledger, choice) == found
        assert left(ledger) == {**before, "evaluation": before["evaluation"] - 2}
        assert remove(ledger, choice).evaluations == []
    with Ledger.open(location) as ledger:
        assert ledger.load("study").history.n_completed == 2


def test_a_named_study_goes_but_for_what_others_use(location: str | Path) -> None:
    fill(location)
    with Ledger.open(location) as ledger:
        found = remove(ledger, GarbageChoice(study="study"))
        assert (len(found.series), found.n_trials) == (2, 4)
        assert [head.name for head in ledger.studies()] == ["other"]
        assert ledger.load("other").history.n_completed == 1
        # Its run stays, too: it says who made this, and when.
        assert left(ledger) == {"study": 2, "run": 2, "evaluation": 1, "trial": 1, "reading": 0}
        assert ledger.known(["study-0-0"]).keys() == {"study-0-0"}
    with Ledger.open(location) as ledger:
        head, run = begin(ledger, "study", "new")
        assert (head.is_new, head.generation) == (True, 1)
        tell(ledger, head, run, 0)
        assert remove(ledger, GarbageChoice(study="other")).n_trials == 1
        assert ledger.load("study").history.n_completed == 1


def test_age_spares_what_a_study_shows(location: str | Path) -> None:
    fill(location)
    with Ledger.open(location) as ledger:
        assert garbage(ledger, GarbageChoice(before="2020")).evaluations == []
        found = remove(ledger, GarbageChoice(before="2999"))
        assert (len(found.series), found.n_trials) == (1, 2)
        heads = {head.name: head.identity for head in ledger.studies()}
        assert heads == {"study": "new", "other": "i"}
        assert [ledger.load(name).history.n_completed for name in heads] == [1, 2]


def test_conditions_narrow_each_other(tmp_path: Path) -> None:
    fill(tmp_path / "l.db")
    with Ledger.open(tmp_path / "l.db") as ledger:
        assert garbage(ledger, GarbageChoice(study="study", before="2020")).series == []
        assert garbage(ledger, GarbageChoice(study="other", only_unused=True)).evaluations == []
        assert garbage(ledger, GarbageChoice(study="nested")).series == []
    assert GarbageChoice(study="a").has_name("a.outer3")
    assert not GarbageChoice(study="a").has_name("ab")


def test_a_killed_runs_evaluations_wait_for_the_next_run(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.db") as ledger:
        head, run = begin(ledger)
        ledger.record(head.id, run, results={"ahead": result(0)})
        assert garbage(ledger, GarbageChoice(only_unused=True)).evaluations == []
        assert garbage(ledger, GarbageChoice(only_unused=True, before="2999")).evaluations


def test_runs_from_elsewhere_go_with_their_last_evaluation(tmp_path: Path) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    fill(one)
    with opened(one, create=False) as source, opened(two, create=True) as target:
        transfer(source, target)
    with Ledger.open(two) as ledger:
        assert left(ledger)["run"] == 2
        remove(ledger, GarbageChoice(only_unused=True))
        assert left(ledger) == {"study": 0, "run": 0, "evaluation": 0, "trial": 0, "reading": 0}
        assert begin(ledger)[1] == 1


def test_a_run_keeps_it_from_beginning(location: str | Path) -> None:
    fill(location)
    with (
        Ledger.open(location) as ledger,
        run_lock(location, "other"),
        pytest.raises(LockedError),
        no_run(location, ledger),
    ):
        pass
    with Ledger.open(location) as ledger, no_run(location, ledger) as names:
        assert names == ["other", "study"]
        with pytest.raises(LockedError), run_lock(location, "study"):
            pass


def test_a_removal_that_fails_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "l.db")
    with Ledger.open(tmp_path / "l.db") as ledger:
        before = left(ledger)
        with monkeypatch.context() as patch:
            patch.setattr(faults, "reach", _refusing("garbage.removed"))
            with pytest.raises(StorageError, match="no space"):
                remove(ledger, GarbageChoice(study="study"))
        assert left(ledger) == before
    with closing(sqlite3.connect(tmp_path / "l.db")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    assert not any("garbage" in str(name) for name in names)


def _refusing(refused: str) -> Callable[[str], None]:
    def reach(point: str) -> None:
        if point == refused:
            raise OSError(28, "no space")

    return reach


def test_the_file_gets_smaller_and_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        ledger.record(head.id, run, results={f"k{n:05}": result(0) for n in range(2000)})
        ledger.end_run(run, END, 2000, 0, 2000)
    size = path.stat().st_size
    with Ledger.open(path) as ledger:
        remove(ledger, GarbageChoice(only_unused=True))
    assert path.stat().st_size < size / 2
    with Ledger.open(path) as ledger:
        assert list(ledger.addresses()) == []
    # An older file, without the names of runs, is cleaned as well.
    fill(tmp_path / "old.db")
    forge_ledger(tmp_path / "old.db", "DELETE FROM run_uid")
    with Ledger.open(tmp_path / "old.db") as ledger:
        assert len(remove(ledger, GarbageChoice(study="other")).series) == 1
