"""A new ledger from a damaged one."""

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.test_integrity import fill, fill_and_die
from tests.ledger.test_schema import age

from tunesmith.errors import StorageError
from tunesmith.ledger.integrity import log_of
from tunesmith.ledger.ledger import Ledger, empty
from tunesmith.ledger.rescue.pages import records
from tunesmith.ledger.rescue.salvage import Saved, salvage
from tunesmith.testing.ledger import begin, tell

N_TRIALS = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fill(tmp_path / "l.db")
    return tmp_path / "l.db"


def repaired(path: Path) -> Saved:
    before = path.read_bytes()
    saved = salvage(path, empty())
    assert saved.aside.read_bytes() == before
    assert sorted(file.suffix for file in path.parent.iterdir() if file.suffix == ".tmp") == []
    return saved


def completed(path: Path) -> list[int]:
    with Ledger.open(path, create=False) as ledger:
        return [trial.number for trial in ledger.load("study").history]


def test_the_pages_hold_what_sqlite_finds(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        wanted = [list(row) for row in connection.execute("SELECT * FROM evaluation")]
    found = [values for _, values in records(path.read_bytes())]
    assert [values for values in found if len(values) == len(wanted[0])] == wanted


def test_long_records_are_read_over_their_pages(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    texts = ["x" * n + "☃" for n in (10, 3000, 4061, 4062, 5000, 20_000)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, 0.5)", [(text,) for text in texts])
    found = [values[0] for _, values in records(path.read_bytes()) if len(values) == 2]
    assert found == texts


def test_a_ledger_that_only_lost_its_checksum_is_saved_whole(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError, match="--repair"):
        Ledger.open(path)
    saved = repaired(path)
    assert saved.lost == []
    assert saved.n_rows == {
        "study": 1,
        "run": 1,
        "run_uid": 1,
        "evaluation": 3 * N_TRIALS,
        "trial": N_TRIALS,
        "trial_fold": 3 * N_TRIALS,
        "note": 0,
    }
    assert completed(path) == list(range(N_TRIALS))


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_ledger_that_was_migrated_is_saved_whole(path: Path, version: int) -> None:
    dropped = ["reading", "made"][: 1 if version == 5 else 2]
    columns = [f"ALTER TABLE evaluation DROP COLUMN {name}" for name in dropped]
    age(path, version, *columns, "DROP TABLE reading")
    Ledger.open(path).close()
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    saved = repaired(path)
    assert saved.lost == []
    assert saved.n_rows["evaluation"] == 3 * N_TRIALS
    assert completed(path) == list(range(N_TRIALS))


def test_what_a_killed_run_had_in_its_log_is_saved_too(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    fill_and_die(path)
    content = bytearray(path.read_bytes())
    content[:4096] = bytes(4096)
    path.write_bytes(content)
    saved = repaired(path)
    assert log_of(saved.aside).stat().st_size > 0
    assert not log_of(path).exists()
    assert completed(path) == list(range(N_TRIALS))


def test_a_zeroed_page_costs_its_rows_and_they_are_named(path: Path) -> None:
    size = path.stat().st_size
    for page in range(2, size // 4096):
        path.unlink(missing_ok=True)
        fill(path)
        content = bytearray(path.read_bytes())
        content[page * 4096 : (page + 1) * 4096] = bytes(4096)
        path.write_bytes(content)
        try:
            saved = repaired(path)
        except StorageError:
            continue  # the only page of runs or series: all that hangs on it is lost
        with Ledger.open(path) as ledger:
            if not ledger.studies():
                continue
            n_known = len(ledger.known(f"study-{n}-{f}" for n in range(N_TRIALS) for f in range(3)))
            n_completed = ledger.load("study").history.n_completed
            assert saved.n_rows["evaluation"] == n_known
            assert n_completed == N_TRIALS or saved.lost
            head, run = begin(ledger)
            for number in range(n_completed, N_TRIALS):
                tell(ledger, head, run, number)
            assert ledger.load("study").history.n_completed == N_TRIALS


def test_without_any_run_the_evaluations_are_kept(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        text = "SELECT rootpage FROM sqlite_master WHERE name = 'run'"
        (page,) = connection.execute(text).fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = bytes(4096)
    path.write_bytes(content)
    saved = repaired(path)
    assert saved.lost[0].startswith("all runs")
    with Ledger.open(path) as ledger:
        names = [f"study-{n}-{f}" for n in range(N_TRIALS) for f in range(3)]
        assert len(ledger.known(names)) == saved.n_rows["evaluation"] == 3 * N_TRIALS
        assert ledger.load("study").history.n_completed == N_TRIALS


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "ledger.db-journal"])
def test_what_is_no_plain_file_is_named_and_nobody_waits(path: Path, name: str) -> None:
    place = path.with_name(name.replace("ledger.db", path.name))
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    with pytest.raises(StorageError, match=rf"{place.name} is no plain file"):
        Ledger.open(path)
    place.unlink()
    place.symlink_to("nowhere")
    with pytest.raises(StorageError, match=rf"{place.name} is a link that leads nowhere"):
        Ledger.open(path)


def test_random_damage_never_brings_back_anything_wrong(path: Path) -> None:
    with Ledger.open(path, create=False) as ledger:
        wanted = list(ledger.load("study").history)
    data, chance = path.read_bytes(), random.Random(4)
    for _ in range(25):
        content = bytearray(data)
        for _ in range(chance.choice([1, 20, 300])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            repaired(path)
        except StorageError:
            continue
        with Ledger.open(path, create=False) as ledger:
            if ledger.studies():
                found = ledger.load("study").history
                assert all(trial == wanted[trial.number] for trial in found.completed)


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    path.write_text("trial,score\n" * 500)
    with pytest.raises(StorageError, match="nothing of a ledger"):
        salvage(path, empty())
    assert [file.name for file in tmp_path.iterdir()] == ["l.db"]
