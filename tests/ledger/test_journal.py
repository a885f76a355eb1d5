"""Workers' journals."""

import os
from pathlib import Path

import pytest

from tunesmith.history import Failure, FoldResult
from tunesmith.ledger import journal
from tunesmith.ledger.journal import Journal, RunMark, replay
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, result

GOOD = {"k0": result(0), "k1": FoldResult(1, {}, failure=Failure("ValueError", "no ☃\n", "x"))}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "l.db"


@pytest.fixture
def folder(path: Path) -> Path:
    found = journal.prepare(journal.folder_of(path, "s"))
    assert found is not None
    return found


def mark_of(ledger: Ledger, run: int) -> RunMark:
    return RunMark(run, ledger.started(run))


def test_what_was_noted_is_taken_in_once(path: Path, folder: Path) -> None:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        ledger.record(head.id, run, results={"k0": GOOD["k0"]})
        written = Journal(folder, mark_of(ledger, run))
        for key, one in GOOD.items():
            written.note({key: one})
        assert replay(ledger, folder) == 1
        assert replay(ledger, folder) == 0
        assert ledger.known(GOOD) == GOOD
        journal.remove(folder)
        assert replay(ledger, folder) == 0


def test_every_cut_of_a_journal_leaves_the_lines_before_it(path: Path, folder: Path) -> None:
    with Ledger.open(path) as ledger:
        _, run = begin(ledger)
        Journal(folder, mark_of(ledger, run)).note(GOOD)
        (file,) = folder.iterdir()
        content = file.read_bytes()
        ends = [content.index(b"\n", start + 1) for start in (0, content.index(b"\n", 1))]
        for size in range(0, len(content), 7):
            file.write_bytes(content[:size])
            n_before = len(ledger.known(GOOD))
            replay(ledger, folder)
            wanted = sum(size >= end for end in (ends[1], len(content)))
            assert len(ledger.known(GOOD)) == max(wanted, n_before)


def test_a_torn_line_spoils_no_other(path: Path, folder: Path) -> None:
    with Ledger.open(path) as ledger:
        _, run = begin(ledger)
        written = Journal(folder, mark_of(ledger, run))
        written.note({"k0": GOOD["k0"]})
        (file,) = folder.iterdir()
        with file.open("ab") as torn:
            torn.write(b'\n00000000 {"key":"k9","fo')
        written.note({"k1": GOOD["k1"]})
        flipped = file.read_bytes().replace(b'"k0"', b'"k8"')
        file.write_bytes(flipped)
        assert replay(ledger, folder) == 1
        assert ledger.known(["k0", "k1", "k8", "k9"]).keys() == {"k1"}


def test_a_journal_of_another_ledger_gives_nothing(path: Path, folder: Path) -> None:
    with Ledger.open(path) as ledger:
        _, run = begin(ledger)
        Journal(folder, RunMark(run, "2001-01-01T00:00:00+00:00")).note(GOOD)
        Journal(folder, RunMark(run + 7, ledger.started(run))).note(GOOD)
        assert replay(ledger, folder) == 0
        assert ledger.known(GOOD) == {}


def test_its_two_files_take_turns_and_keep_the_last_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 4000)
    written = Journal(folder, RunMark(1, ""))
    for number in range(4 * journal.MIN_ANSWERS):
        written.note({f"k{number}": result(0)})
    text = "".join(file.read_text() for file in folder.iterdir())
    newest = range(4 * journal.MIN_ANSWERS - 1, 3 * journal.MIN_ANSWERS, -1)
    assert all(f'"k{number}"' in text for number in newest)
    assert '"k0"' not in text
    assert sorted(file.suffix for file in folder.iterdir()) == [".0", ".1"]


def test_it_is_private_and_no_secret_reaches_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "canary-of-the-journal")
    failure = Failure("ValueError", "cannot log in: canary-of-the-journal")
    Journal(folder, RunMark(1, "")).note({"k": FoldResult(0, {}, failure=failure)})
    (file,) = folder.iterdir()
    assert "cannot log in" in file.read_text()
    assert "canary" not in file.read_text()
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    Journal(tmp_path / "elsewhere", RunMark(1, "")).note(GOOD)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - only the names
    (tmp_path / "file").touch()
    assert journal.prepare(tmp_path / "file" / "folder") is None


def test_the_folder_stands_beside_the_ledger(tmp_path: Path) -> None:
    file, url = tmp_path / "l.db", "postgresql://ann@db/x"
    assert journal.folder_of(file, "s") == tmp_path / "l.db.s.journal"
    assert journal.folder_of(f"sqlite:///{file}", "s") == tmp_path / "l.db.s.journal"
    assert journal.folder_of(url, "s", tmp_path) == tmp_path / ".tunesmith" / "s.journal"
    assert journal.folder_of(url, "s") is None
