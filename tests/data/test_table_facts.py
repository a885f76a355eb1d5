"""Facts about large tables are found once, and anew if a file changes in any way."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tunesmith.config.objective import DataSection
from tunesmith.data import file_identity, table
from tunesmith.data.table import Table, load_table
from tunesmith.data.table_facts import TableFacts

SECTION = DataSection(path=("t.csv",), target="y")
TEXT = "a,b,y\n1,x,0\n2,z,1\n3,x,0\n"


@pytest.fixture(autouse=True)
def _small_files_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_identity, "LEAST_BYTES", 3)
    monkeypatch.setattr(file_identity, "LEAST_PACKED", 3)
    monkeypatch.setattr(file_identity, "SETTLED_S", 0.0)


def loaded(folder: Path, section: DataSection = SECTION, *, is_auto: bool = True) -> Table:
    return load_table(section, folder, is_auto=is_auto)


def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def watched(name: str, of: Callable[[pd.Series], object]) -> Callable[[pd.Series], object]:
        def look(column: pd.Series) -> object:
            seen.append(name)
            return of(column)

        return look

    for name in ("column_digest", "kind_of", "odd_values"):
        monkeypatch.setattr(table, name, watched(name, getattr(table, name)))
    return seen


def test_columns_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    seen = looks(monkeypatch)
    first = loaded(tmp_path)
    assert {*seen} == {"column_digest", "kind_of", "odd_values"}
    seen.clear()
    again = loaded(tmp_path)
    assert not seen
    assert (again.digest, again.kinds, again.notes) == (first.digest, first.kinds, first.notes)
    pd.testing.assert_frame_equal(again.rows.X, first.rows.X)
    assert again.rows.take(again.rows.y == 1).digest != again.digest


def test_the_digest_is_that_of_a_table_of_which_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    remembered = [loaded(tmp_path).digest for _ in range(2)]
    monkeypatch.setattr(file_identity, "LEAST_BYTES", 10**9)
    assert {*remembered, loaded(tmp_path).digest} == {remembered[0]}


@pytest.mark.parametrize(
    "change",
    [
        DataSection(path=("t.csv",), target="y", drop=("b",)),
        DataSection(path=("t.csv",), target="b"),
        DataSection(path=("t.csv",), target="y", rows="a > 1"),
        DataSection(path=("t.csv",), target="y", categorical=("a",)),
        DataSection(path=("t.csv", "t.csv"), target="y"),
    ],
    ids=["drop", "target", "rows", "categorical", "twice"],
)
def test_other_sections_have_facts_of_their_own(tmp_path: Path, change: DataSection) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    digests = [loaded(tmp_path).digest, loaded(tmp_path, change).digest]
    assert [loaded(tmp_path).digest, loaded(tmp_path, change).digest] == digests
    assert digests[0] != digests[1]


def test_a_changed_file_is_looked_at_though_size_and_date_are_as_before(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    status, before = path.stat(), loaded(tmp_path)
    path.write_text(TEXT.replace("2,z", "2,9"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert loaded(tmp_path).digest != before.digest


def test_a_file_that_changes_while_it_is_read_leaves_no_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    before = loaded(tmp_path)
    read_files = getattr(table, "read_files")  # noqa: B009 - it is imported there

    def writing(*args: object, **options: object) -> object:
        path.write_text(TEXT.replace("3,x", "4,x"))
        return read_files(*args, **options)

    monkeypatch.setattr(table, "read_files", writing)
    during = loaded(tmp_path)
    assert during.digest != before.digest
    assert not during.facts.is_remembered
    monkeypatch.undo()
    assert during.rows.X["a"].tolist() == [1, 2, 4]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"facts": {"digest": "0"}}', None])
def test_damaged_facts_are_found_anew(tmp_path: Path, damage: str | None) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    digest = loaded(tmp_path).digest
    (place,) = (tmp_path / ".tunesmith/facts").iterdir()
    if damage is None:
        content = json.loads(place.read_text())
        content["facts"]["digest"] = "0" * 32
        damage = json.dumps(content)
    place.write_text(damage)
    assert loaded(tmp_path).digest == digest


def test_small_files_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_identity, "LEAST_BYTES", 10**9)
    (tmp_path / "t.csv").write_text(TEXT)
    assert not loaded(tmp_path).facts.is_remembered
    assert not (tmp_path / ".tunesmith").exists()


def test_an_error_is_no_fact(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,0\ninf,1\n")
    for _ in range(2):
        with pytest.raises(Exception, match="infinite in row 2"):
            loaded(tmp_path)


def test_facts_of_a_folder_that_cannot_be_written_to_are_found_each_time(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    (tmp_path / ".tunesmith").write_text("in the way")
    assert loaded(tmp_path).digest == loaded(tmp_path).digest
    facts = TableFacts()
    assert facts.get("one", lambda: 1) == facts.get("one", lambda: 2) == 1
