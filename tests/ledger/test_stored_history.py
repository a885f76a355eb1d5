import gc
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tunesmith.errors import StorageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.testing.ledger import begin_with, check_same, tell_some


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        head = begin_with(ledger, 1)
        run = ledger.begin_run(head.id, {})
        for number in range(8):
            tell_some(ledger, head, run, number, Random(number))
    return path


@pytest.fixture
def records(path: Path) -> Iterator[tuple[StudyRecord, StudyRecord]]:
    with Ledger.open(path, create=False) as ledger:
        yield ledger.load(), ledger.load(is_whole=False)


def test_it_answers_after_its_ledger_was_closed(records: tuple[StudyRecord, StudyRecord]) -> None:
    check_same(*records)


def test_trials_that_were_dropped_meanwhile_are_an_error(path: Path) -> None:
    with Ledger.open(path) as ledger:
        record = ledger.load(is_whole=False)
        assert isinstance(record.history, StoredHistory)
        ledger.forget_from(record.head.id, 3)
        with pytest.raises(StorageError, match="Try again"):
            record.history[5]
        with pytest.raises(StorageError, match="Try again"):
            list(record.history.completed)


def test_a_reader_of_a_large_file_checks_what_it_reads(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = content.rindex(b'{"n":5}')
    content[place : place + 7] = b'{"n":6}'
    path.write_bytes(content)
    with Ledger.open(path, create=False, most_bytes=1) as ledger:
        history = ledger.load(is_whole=False).history
        assert history[4].number == 4
        with pytest.raises(StorageError, match="not as it was written"):
            history[5]
    with pytest.raises(StorageError, match="damaged"):
        Ledger.open(path)


def test_all_of_a_large_file_at_rest_is_checked_as_a_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not(*_: object) -> int:
        raise AssertionError

    content = bytearray(path.read_bytes())
    with Ledger.open(path, create=False, most_bytes=1) as ledger:
        history = ledger.load(is_whole=False).history
        monkeypatch.setattr("tunesmith.ledger.queries.checksum", must_not)
        assert [trial.number for trial in history.completed] == list(range(8))
    monkeypatch.undo()
    place = content.rindex(b'{"n":5}')
    content[place : place + 7] = b'{"n":6}'
    path.write_bytes(content)
    with Ledger.open(path, create=False, most_bytes=1) as ledger:
        history = ledger.load(is_whole=False).history
        with pytest.raises(StorageError, match="checksum differs"):
            list(history.completed)


def test_rows_are_checked_one_by_one_while_a_run_is_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(path), Ledger.open(path, create=False, most_bytes=1) as reader:
        history = reader.load(is_whole=False).history
        monkeypatch.setattr("tunesmith.ledger.queries.checksum", lambda *_: 0)
        with pytest.raises(StorageError, match="not as it was written"):
            list(history.completed)


def test_completed_trials_are_counted_without_reading_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(path) as ledger:
        study = ledger.load().head.id
        assert ledger.n_completed(study) == len(ledger.log(study).completed) == 8
        monkeypatch.setattr("tunesmith.ledger.queries.completed_trial", None)
        assert ledger.n_completed(study) == 8
        monkeypatch.undo()
        # A gap, which only the trials themselves tell.
        ledger.forget_from(study, 5)
        assert ledger.n_completed(study) == len(ledger.log(study).completed) == 5


def test_the_search_for_cycles_goes_on_after_loading(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.load()
    assert gc.isenabled()
