"""Damage to a ledger's file is recognised, or harmless."""

import os
import random
import shutil
import signal
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import DamagedError, StorageError
from tunesmith.ledger import integrity
from tunesmith.ledger.integrity import CHECKSUM, MARK, log_of
from tunesmith.ledger.ledger import Ledger, empty
from tunesmith.ledger.rows import CHECKED, LATER
from tunesmith.system import faults
from tunesmith.testing.ledger import begin, tell

N_TRIALS = 40


def fill(path: Path) -> None:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        for number in range(N_TRIALS):
            tell(ledger, head, run, number)


def fill_and_die(path: Path) -> None:
    """As a run that is killed: the last commits stand in the log."""
    if (process := os.fork()) == 0:
        ledger = Ledger.open(path)
        head, run = begin(ledger)
        for number in range(N_TRIALS):
            tell(ledger, head, run, number)
            if number == N_TRIALS - 3:
                with ledger._engine.connect() as connection:
                    raw: Any = connection.connection.driver_connection
                    raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(process, 0)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("originals")
    found = {"rest": folder / "rest" / "l.db", "killed": folder / "killed" / "l.db"}
    fill(found["rest"])
    fill_and_die(found["killed"])
    return found


@pytest.fixture
def at_rest(originals: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals["rest"].parent, tmp_path / "rest")) / "l.db"


@pytest.fixture
def killed(originals: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals["killed"].parent, tmp_path / "killed")) / "l.db"


def content(path: Path) -> list[Any]:
    """All rows that matter."""
    with Ledger.open(path, create=False) as ledger, ledger._reading() as connection:
        rows = [
            sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {table}")))  # noqa: S608
            for table in CHECKED
        ]
        keys = [f"study-{n}-{fold}" for n in range(N_TRIALS) for fold in range(3)]
        return [rows, ledger.known(keys), list(ledger.load("study").history)]


def test_a_ledger_at_rest_is_one_whole_file(at_rest: Path) -> None:
    assert [file.name for file in at_rest.parent.iterdir()] == ["l.db"]
    before = at_rest.read_bytes()
    assert before[MARK] == integrity.AT_REST.to_bytes(4, "big")
    assert len(content(at_rest)[2]) == N_TRIALS
    assert at_rest.read_bytes() == before
    head = bytearray(before)
    for part in integrity.VARYING:
        head[part] = bytes(part.stop - part.start)
    assert struct.unpack(">i", before[CHECKSUM])[0] % 2**32 == zlib.crc32(head)


def test_after_a_kill_everything_is_there_and_the_next_one_brings_it_to_rest(
    killed: Path, originals: dict[str, Path]
) -> None:
    assert log_of(killed).stat().st_size > 0
    assert content(killed)[1:] == content(originals["rest"])[1:]
    assert log_of(killed).stat().st_size > 0, "a reader has cleared up"
    Ledger.open(killed).close()
    assert not log_of(killed).exists()
    assert content(killed)[1:] == content(originals["rest"])[1:]


def test_a_killed_run_of_a_version_without_notes_has_left_no_damage(killed: Path) -> None:
    with closing(sqlite3.connect(killed)) as connection, connection:
        connection.execute("DROP TABLE note")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        integrity.check_rows(connection)
        connection.execute("ALTER TABLE study RENAME COLUMN generation TO generatioo")
        with pytest.raises(DamagedError, match="the table `study` lacks generation"):
            integrity.check_rows(connection)


def flipped(data: bytes, bit: int) -> bytes:
    found = bytearray(data)
    found[bit // 8] ^= 1 << bit % 8
    return bytes(found)


@pytest.mark.parametrize(("state", "n"), [("rest", 150), ("killed", 100)])
def test_every_flipped_bit_is_recognised_or_harmless(
    request: pytest.FixtureRequest, originals: dict[str, Path], state: str, n: int
) -> None:
    path: Path = request.getfixturevalue("at_rest" if state == "rest" else "killed")
    wanted, data = content(path), path.read_bytes()
    others = {f: f.read_bytes() for f in path.parent.iterdir() if f != path and "shm" not in f.name}
    chance, n_recognised = random.Random(14), 0
    # The head is small and delicate: a fifth of the flips go there.
    bits = [chance.randrange(800 if k % 5 == 0 else 8 * len(data)) for k in range(n)]
    for bit in bits:
        for file in path.parent.iterdir():
            file.unlink()
        path.write_bytes(flipped(data, bit))
        for file, text in others.items():
            file.write_bytes(text)
        try:
            found = content(path)
        except StorageError as error:
            n_recognised += str(path) in str(error)
        else:
            assert found == wanted, f"bit {bit} changed something silently"
    # After a kill, most pages have a newer copy in the log.
    assert n_recognised > (n // 3 if state == "rest" else 3)


def test_a_flipped_bit_in_the_log_is_recognised_or_harmless(killed: Path) -> None:
    wanted, log = content(killed), log_of(killed)
    files = {file: file.read_bytes() for file in (killed, log)}
    chance, n_recognised = random.Random(15), 0
    # The last frame may be one that the kill has cut off: it cannot be told from a damaged one.
    n_ours = sum(is_ours for _, is_ours in integrity._frames(files[log]))
    n_bits = 8 * (integrity.LOG_HEADER + (n_ours - 1) * (integrity.FRAME_HEADER + 4096))
    for bit in [chance.randrange(n_bits) for _ in range(60)]:
        for file in killed.parent.iterdir():
            file.unlink()
        killed.write_bytes(files[killed])
        log.write_bytes(flipped(files[log], bit))
        try:
            found = content(killed)
        except DamagedError as error:
            n_recognised += log.name in str(error)
        else:
            assert found == wanted, f"bit {bit} changed something silently"
    assert n_recognised > 30


@pytest.mark.parametrize("part", ["half", "nothing", "a page", "all but a byte"])
def test_a_truncated_ledger_is_recognised(at_rest: Path, part: str) -> None:
    data = at_rest.read_bytes()
    size = {"half": len(data) // 2, "nothing": 0, "a page": 4096, "all but a byte": len(data) - 1}
    at_rest.write_bytes(data[: size[part]])
    for create in (True, False):
        with pytest.raises(StorageError, match=r"l\.db: damaged: [\s\S]*doctor --repair"):
            Ledger.open(at_rest, create=create)
    assert at_rest.read_bytes() == data[: size[part]]


@pytest.mark.parametrize("start", [0, 100, 4096, 3 * 4096])
def test_a_zeroed_part_is_recognised(at_rest: Path, start: int) -> None:
    data = bytearray(at_rest.read_bytes())
    data[start : start + 4096] = bytes(4096)
    at_rest.write_bytes(data)
    for create in (True, False):
        with pytest.raises(StorageError, match=r"l\.db: damaged: [\s\S]*doctor --repair"):
            Ledger.open(at_rest, create=create)


@pytest.mark.parametrize("n_bytes", [0, 1, 40, 511])
@pytest.mark.parametrize("original", ["rest", "killed"])
def test_a_ledger_of_a_few_bytes_is_recognised(
    originals: dict[str, Path], tmp_path: Path, original: str, n_bytes: int
) -> None:
    path = Path(shutil.copytree(originals[original].parent, tmp_path / "few")) / "l.db"
    os.truncate(path, n_bytes)
    with pytest.raises(DamagedError, match=r"no ledger ever is so small[\s\S]*--repair"):
        Ledger.open(path, create=False)


@pytest.mark.parametrize("create", [False, True])
def test_a_change_that_a_kill_cut_off_is_undone(at_rest: Path, create: bool) -> None:
    before = content(at_rest)
    if (process := os.fork()) == 0:
        # The marks and the switch to a log are written in this way, a page at a time.
        raw = sqlite3.connect(at_rest, isolation_level=None)
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute("PRAGMA cache_size = 1")
        raw.execute("BEGIN")
        raw.execute("PRAGMA application_id = 1")
        raw.execute("UPDATE evaluation SET checksum = 7")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(process, 0)
    assert integrity.has_journal(at_rest)
    with Ledger.open(at_rest, create=create):
        pass
    assert not integrity.has_journal(at_rest)
    assert content(at_rest) == before


def test_a_copy_without_its_log_is_recognised(killed: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.db"
    shutil.copy(killed, alone)
    for create in (False, True, False):
        with pytest.raises(DamagedError, match=r"in use when it was copied.*alone\.db-wal"):
            Ledger.open(alone, create=create)


def test_a_copy_of_a_ledger_in_use_is_recognised(tmp_path: Path) -> None:
    path, alone = tmp_path / "l.db", tmp_path / "alone.db"
    with Ledger.open(path) as ledger:
        begin(ledger)
        shutil.copy(path, alone)
        with pytest.raises(DamagedError, match="in use when it was copied"):
            Ledger.open(alone, create=False)
        assert integrity.copy(path, tmp_path / "whole.db")
        assert not integrity.copy(path, tmp_path / "whole.db")
    with Ledger.open(tmp_path / "whole.db", create=False) as whole:
        assert whole.load().runs


def test_a_log_without_its_ledger_is_not_taken_for_another_ones(killed: Path) -> None:
    killed.unlink()
    with pytest.raises(StorageError, match=r"l\.db-wal is there[\s\S]*remove .*to begin anew"):
        Ledger.open(killed)


def test_a_ledger_that_another_process_made_a_moment_ago_is_not_taken_for_a_lost_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "l.db"
    with Ledger.open(path) as first:
        begin(first)
        assert integrity.has_log(path)
        # Two processes saw that there is no file, and this one is the later of them.
        integrity.make(path, empty())
        assert len(first.studies()) == 1


def test_the_last_of_several_writers_brings_it_to_rest(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    first, second = Ledger.open(path), Ledger.open(path)
    begin(first, "a")
    first.close()
    assert log_of(path).exists()
    begin(second, "b")
    second.close()
    assert not log_of(path).exists()
    with Ledger.open(path, create=False) as ledger:
        assert len(ledger.studies()) == 2


def test_a_reader_keeps_it_from_rest_and_the_file_stays_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "PATIENCE_S", 0.1)
    path = tmp_path / "l.db"
    writer = Ledger.open(path)
    head, run = begin(writer)
    tell(writer, head, run, 0)
    with Ledger.open(path, create=False) as reader, reader._reading() as connection:
        connection.exec_driver_sql("SELECT 1 FROM study")
        writer.close()
    assert log_of(path).exists()
    with Ledger.open(path, create=False) as ledger:
        assert ledger.load().history.n_completed == 1
    Ledger.open(path).close()
    assert not log_of(path).exists()


def test_a_changed_row_is_recognised_where_the_file_is_not_checked_as_a_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "l.db"
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
        for table, change, read in _changes(ledger):
            with closing(sqlite3.connect(path)) as other, other:
                before = other.execute(f"SELECT rowid, * FROM {table}").fetchone()  # noqa: S608
                column = change.split()[0]
                names = [row[1] for row in other.execute(f"PRAGMA table_info({table})")]
                other.execute(f"UPDATE {table} SET {change}")  # noqa: S608
            with Ledger.open(path, create=False) as again, pytest.raises(DamagedError):
                read(again)
            with closing(sqlite3.connect(path)) as other, other:
                value = before[1 + names.index(column)]
                other.execute(f"UPDATE {table} SET {column} = ?", [value])  # noqa: S608


def _changes(ledger: Ledger) -> Iterator[tuple[str, str, Callable[[Ledger], Any]]]:
    yield "study", "identity = 'x'", lambda found: found.previous("study")
    yield "run", "n_evaluated = 9", lambda found: found.load("study")
    yield "trial", "params = '{}'", lambda found: found.load("study")
    yield "evaluation", "score_time_s = 9.5", lambda found: found.known(["study-0-0"])


def test_checksums_cover_every_column_of_the_tables() -> None:
    from tunesmith.ledger import schema

    for name, columns in CHECKED.items():
        declared = {column.name for column in schema.metadata.tables[name].columns}
        assert declared == {*columns, *LATER.get(name, ()), "checksum"}
    # Their keys are digests of what they hold.
    by_content = {schema.sharing_check.name, schema.reading.name}
    # It is derived from the others.
    derived = {schema.standing.name}
    assert schema.metadata.tables.keys() == {*CHECKED, *by_content, *derived, schema.meta.name}


def test_a_reading_that_was_changed_is_recognised(tmp_path: Path) -> None:
    from tunesmith.ledger import schema
    from tunesmith.ledger.queries import readings
    from tunesmith.ledger.rows import reading_row

    row = reading_row({"data.csv": "file 1"})
    with Ledger.open(tmp_path / "l.db") as ledger, ledger._writing() as connection:
        connection.execute(schema.reading.insert().values(row))
        assert readings(connection, [row["digest"]]) == {row["digest"]: {"data.csv": "file 1"}}
        connection.execute(schema.reading.update().values(content='{"data.csv": "file 2"}'))
        with pytest.raises(DamagedError, match="differs from its digest"):
            readings(connection, [row["digest"]])


def test_an_opening_that_fails_on_its_way_leaves_a_whole_file(at_rest: Path) -> None:
    faults.plan({faults.VARIABLE: "fail:ledger.mark:1"})
    try:
        with pytest.raises(StorageError, match=r"by a test|No space"):
            Ledger.open(at_rest)
    finally:
        faults.plan({})
    assert len(content(at_rest)[2]) == N_TRIALS
