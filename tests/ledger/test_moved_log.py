"""A ledger of a killed run whose log another SQLite program has moved into the file."""

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.ledger.test_integrity import N_TRIALS, content, fill, fill_and_die

from tunesmith.errors import DamagedError, LedgerWarning
from tunesmith.ledger import integrity
from tunesmith.ledger.integrity import lacks_log, log_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.projects import make_project

MOVED = "moved the log into it"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    path = tmp_path_factory.mktemp("origin") / "l.db"
    fill(path)
    return content(path)


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    path = tmp_path / "l.db"
    fill_and_die(path)
    assert integrity.has_log(path)
    assert not lacks_log(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM trial").fetchone() == (N_TRIALS,)
    assert not log_of(path).exists()
    assert lacks_log(path)
    return path


@pytest.mark.parametrize("most_bytes", [1, 1 << 30])
def test_readers_use_it_and_say_so(moved: Path, most_bytes: int, origin: list[object]) -> None:
    for _ in range(2):
        with (
            pytest.warns(LedgerWarning, match=MOVED),
            Ledger.open(moved, create=False, most_bytes=most_bytes) as ledger,
        ):
            assert list(ledger.load("study").history) == origin[2]


def test_a_writer_goes_on_and_brings_it_to_rest(moved: Path, origin: list[object]) -> None:
    with pytest.warns(LedgerWarning, match=MOVED), Ledger.open(moved) as ledger:
        assert ledger.load(is_whole=False).history.best() == ledger.load().history.best()
    # From here on it is a ledger as any other one.
    assert content(moved)[1:] == origin[1:]
    assert [file.name for file in moved.parent.iterdir()] == ["l.db"]


def test_another_kill_is_no_other_case(moved: Path, origin: list[object]) -> None:
    if (process := os.fork()) == 0:
        # Whatever happens, the twin of the test must not go on with the tests.
        with suppress(BaseException):
            warnings.simplefilter("ignore")
            Ledger.open(moved).begin_run(1, {})
        os.kill(os.getpid(), 9)
    os.waitpid(process, 0)
    assert integrity.has_log(moved)
    assert content(moved)[1:] == origin[1:]


def test_a_log_that_was_deleted_costs_what_was_written_last(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    fill_and_die(path)
    log_of(path).unlink()
    with pytest.warns(LedgerWarning, match="is evaluated again"):
        Ledger.open(path).close()
    with Ledger.open(path, create=False) as ledger:
        n = len(list(ledger.load("study").history))
        assert 0 < n < N_TRIALS
        assert ledger.load(is_whole=False).history.n_completed == n


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE evaluation SET scores = '{}' WHERE rowid = 5",
        "DELETE FROM trial_fold WHERE number = 3 AND fold = 1",
        "UPDATE trial SET params = '{}' WHERE number = 4",
        "DELETE FROM evaluation WHERE rowid = 9",
        "ALTER TABLE study RENAME COLUMN generation TO generatioo",
    ],
)
def test_one_that_the_program_has_changed_is_damaged(moved: Path, damage: str) -> None:
    with closing(sqlite3.connect(moved)) as connection, connection:
        connection.execute(damage)
    assert lacks_log(moved)
    for create in (False, True, False):
        with pytest.raises(DamagedError, match=r"its run was killed, l\.db-wal is not there, and"):
            Ledger.open(moved, create=create)


def test_flipped_bits_are_damage_or_change_nothing(moved: Path, origin: list[object]) -> None:
    data, n_refused = moved.read_bytes(), 0
    for place in range(5_000, len(data), len(data) // 40):
        flipped = bytearray(data)
        flipped[place] ^= 4
        # In place: a new file would have another inode.
        moved.write_bytes(flipped)
        for end in ("-wal", "-shm"):
            moved.with_name(f"l.db{end}").unlink(missing_ok=True)
        try:
            with pytest.warns(LedgerWarning):
                assert content(moved)[1:] == origin[1:]
        except (DamagedError, pytest.fail.Exception):
            n_refused += 1
    assert n_refused > 5


def test_a_copy_is_a_part_all_the_same(moved: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(moved, tmp_path / "alone.db"))
    for create in (False, True, False):
        with pytest.raises(DamagedError, match="in use when it was copied"):
            Ledger.open(alone, create=create)


@pytest.mark.slow
def test_commands_after_a_killed_run_and_another_program(tmp_path: Path) -> None:
    def type_in(*words: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tunesmith", *words]
        environ = {**os.environ, **({"TUNESMITH_FAULT": fault} if fault else {})}
        return subprocess.run(
            command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True
        )

    make_project(tmp_path, method="random", trials=6)
    assert type_in("run", fault="kill:ledger.committed:6").returncode != 0
    ledger = tmp_path / ".tunesmith/ledger.db"
    assert integrity.has_log(ledger)
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("SELECT count(*) FROM trial").fetchone()
    assert lacks_log(ledger)
    for words, n in (("status",), 1), (("run",), 1), (("status",), 0):
        done = type_in(*words)
        assert (done.returncode, done.stderr.count(MOVED)) == (0, n), done.stderr
        assert "LedgerWarning" not in done.stderr
    with Ledger.open(ledger, create=False) as opened:
        assert opened.load().history.n_completed == 6
