"""Packs in a folder: whole, recognised by their digest, and never trusted further than that."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import StorageError
from tunesmith.history import FoldResult
from tunesmith.ledger.exchange import packs
from tunesmith.ledger.exchange.packs import FolderPlace
from tunesmith.ledger.exchange.tables import LedgerPlace
from tunesmith.ledger.exchange.transfer import transfer
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, result


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "one.db"
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        reading = {"data.csv": "file 1"}
        read = FoldResult(0, {"accuracy": 1.0, "loss": 0.0}, reading=reading)
        results = {"read": read, **{f"k{n}": result(0) for n in range(5)}}
        ledger.record(head.id, run, results=results)
    return path


def pushed(source: Path, folder: Path) -> FolderPlace:
    place = FolderPlace(folder)
    with Ledger.open(source, create=False) as ledger:
        transfer(LedgerPlace(ledger), place)
    return FolderPlace(folder)


def forged(folder: Path, pack: Path, **changes: Any) -> None:
    """Replace a pack by one with other values, as somebody would who knows its form."""
    lines = [json.loads(line) for line in gzip.decompress(pack.read_bytes()).splitlines()]
    pack.unlink()
    lines[-1] |= changes
    content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    name = f"{'0' * 32}-{hashlib.sha256(content).hexdigest()}{packs.ENDING}"
    (folder / name).write_bytes(gzip.compress(content))


def keys(place: FolderPlace) -> set[str]:
    return {one.row["key"] for batch in place.batches() for one in batch}


def test_the_same_evaluations_make_the_same_files(source: Path, tmp_path: Path) -> None:
    one, two = pushed(source, tmp_path / "a"), pushed(source, tmp_path / "b")
    assert [p.read_bytes() for p in one.packs()] == [p.read_bytes() for p in two.packs()]
    assert [p.name for p in one.packs()] == [p.name for p in two.packs()]


def test_a_full_pack_is_written_at_once(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "MOST_ROWS", 2)
    place = pushed(source, tmp_path / "a")
    assert len(place.packs()) == 3
    assert len(keys(place)) == 6


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "other"])
def test_a_damaged_pack_is_left_out_and_pushed_again(
    source: Path, tmp_path: Path, change: str
) -> None:
    (pack,) = pushed(source, tmp_path / "a").packs()
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    changed = {
        "flip": bytes(content),
        "cut": bytes(content[:40]),
        "empty": b"",
        "other": gzip.compress(b'{"kind": "x"}\n'),
    }
    pack.write_bytes(changed[change])
    place = FolderPlace(tmp_path / "a")
    assert keys(place) == set()
    assert list(place.damaged) == [pack.name]
    assert all(place.damaged.values())
    pack.unlink()
    assert len(keys(pushed(source, tmp_path / "a"))) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": '{"accuracy": NaN}'},
        {"scores": "[]"},
        {"scores": "no"},
        {"scores": "[" * 100_000},
        {"key": "k" * 65},
        {"key": 5},
        {"fold": True},
        {"fit_time_s": float("inf")},
        {"warning": "\0"},
        {"made": "\ud800"},
        {"more": 1},
        {"stopped_at": "1"},
    ],
    ids=lambda changes: str(changes)[:30],
)
def test_what_no_run_records_is_refused(
    source: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    place = pushed(source, tmp_path / "a")
    forged(place.folder, place.packs()[0], **changes)
    again = FolderPlace(tmp_path / "a")
    assert keys(again) == set()
    assert len(again.damaged) == 1


def test_a_pack_of_a_newer_version_is_refused(source: Path, tmp_path: Path) -> None:
    (pack,) = pushed(source, tmp_path / "a").packs()
    text = gzip.decompress(pack.read_bytes()).replace(b'"schema_version":1', b'"schema_version":2')
    pack.write_bytes(gzip.compress(text))
    with pytest.raises(StorageError, match="newer Tunesmith"):
        FolderPlace(tmp_path / "a").runs()


def test_other_files_of_the_folder_are_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".gitignore").write_text("*")
    (tmp_path / "a" / "notes.evaluations.gz").write_text("mine")
    assert len(pushed(source, tmp_path / "a").packs()) == 1


def test_packs_are_chosen_by_study_and_age(source: Path, tmp_path: Path) -> None:
    place = pushed(source, tmp_path / "a")
    assert len(place.chosen(lambda name: name == "study", lambda _: True)) == 1
    assert place.chosen(lambda name: name == "other", lambda _: True) == []
    assert place.chosen(lambda _: True, lambda moment: moment < "2020") == []
