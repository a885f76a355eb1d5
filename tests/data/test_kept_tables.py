"""Large tables are parsed once, and come back bit by bit as they were read."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tunesmith.config.objective import DataSection
from tunesmith.data import file_identity, read
from tunesmith.data.table import load_table

TEXT = (
    "i,f,b,t,m,e,y\n"
    "1,0.1,True,x,,,0\n"
    "-2,1e-300,False,,True,,1\n"
    "9007199254740993,0.30000000000000004,True,ü,False,,0\n"
)


@pytest.fixture(autouse=True)
def _small_files_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_identity, "LEAST_BYTES", 3)
    monkeypatch.setattr(file_identity, "SETTLED_S", 0.0)


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    calls: list[Path] = []
    read_csv = read._read_csv

    def watched(path: Path, name: str, separator: str) -> pd.DataFrame:
        calls.append(path)
        return read_csv(path, name, separator)

    monkeypatch.setattr(read, "_read_csv", watched)
    return calls


def frame_of(folder: Path) -> pd.DataFrame:
    return read.read_files(["t.csv"], folder, ",", keeps=True)[0]


def test_a_table_comes_back_as_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the column of booleans with gaps, which is not kept.
    lines = [line.split(",") for line in TEXT.splitlines()]
    text = "\n".join(",".join(line[:4] + line[5:]) for line in lines)
    (tmp_path / "t.csv").write_text(text)
    calls = parsed(monkeypatch)
    first, again = frame_of(tmp_path), frame_of(tmp_path)
    assert len(calls) == 1
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    pd.testing.assert_frame_equal(again, pd.read_csv(tmp_path / "t.csv", low_memory=False))
    section = DataSection(path=("t.csv",), target="y")
    digest = load_table(section, tmp_path).digest
    kept_tables_folder = tmp_path / ".tunesmith/tables"
    assert [path.stat().st_mode & 0o777 for path in kept_tables_folder.iterdir()] == [0o600]
    for path in kept_tables_folder.iterdir():
        path.unlink()
    assert load_table(section, tmp_path).digest == digest


def test_a_table_with_other_values_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    calls = parsed(monkeypatch)
    pd.testing.assert_frame_equal(frame_of(tmp_path), frame_of(tmp_path))
    assert len(calls) == 2


def test_a_changed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,0\n2,1\n")
    status, before = path.stat(), frame_of(tmp_path)
    path.write_text("a,y\n1,0\n3,1\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert before["a"].tolist() == [1, 2]
    assert frame_of(tmp_path)["a"].tolist() == [1, 3]


@pytest.mark.parametrize("cut", [0, 1, 10, -1, -8])
def test_a_damaged_copy_is_not_used(tmp_path: Path, cut: int) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1.5,0\n2.5,1\n")
    frame_of(tmp_path)
    (place,) = (tmp_path / ".tunesmith/tables").iterdir()
    place.write_bytes(place.read_bytes()[:cut])
    assert frame_of(tmp_path)["a"].tolist() == [1.5, 2.5]
    (place,) = (tmp_path / ".tunesmith/tables").iterdir()
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(bytes(content))
    assert frame_of(tmp_path)["y"].tolist() == [0, 1]


def test_another_separator_is_another_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;y\n1;0\n2;1\n")
    assert frame_of(tmp_path).shape == (2, 1)
    assert read.read_files(["t.csv"], tmp_path, ";", keeps=True)[0].shape == (2, 2)


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,0\n2,1\n")
    (tmp_path / ".tunesmith").write_text("")
    assert frame_of(tmp_path).shape == (2, 2)


# -- parts ---------------------------------------------------------------------------------------


def column(kind: str, rng: np.random.Generator, n: int) -> list[str]:
    half = n // 2
    numbers = [repr(float(x)) for x in rng.normal(size=n)]
    made = {
        "floats": numbers,
        "whole, then floats": [str(k) for k in range(half)] + numbers[half:],
        "long, then floats": ["9007199254740993"] * half + numbers[half:],
        "floats, then long": numbers[:half] + ["12345678901234567891"] * (n - half),
        "whole, then text": [str(k) for k in range(half)] + ["x"] * (n - half),
        "gaps, then text": [""] * half + ["x"] * (n - half),
        "gaps, then truth": [""] * half + ["True"] * (n - half),
        "truth, then numbers": ["True"] * half + ["1"] * (n - half),
        "negative, then unsigned": ["-1"] * half + ["18446744073709551615"] * (n - half),
    }
    return made[kind]


KINDS = (
    "floats",
    "whole, then floats",
    "long, then floats",
    "floats, then long",
    "whole, then text",
    "gaps, then text",
    "gaps, then truth",
    "truth, then numbers",
    "negative, then unsigned",
)


@pytest.mark.parametrize("kind", KINDS)
def test_parsing_in_parts_gives_what_parsing_at_once_does(tmp_path: Path, kind: str) -> None:
    # Longer than the parts of pandas' parser, which are of 256 KiB.
    n, rng = 60_000, np.random.default_rng(0)
    values, filler = column(kind, rng, n), "0.123456789"
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{value},{filler}\n" for value in values))
    made = read.read_files(["t.csv"], tmp_path, ",")[0]
    whole = pd.read_csv(path, low_memory=False)
    pd.testing.assert_frame_equal(made, whole, check_exact=True)
    if made["x"].dtype == object:
        assert list(map(type, made["x"])) == list(map(type, whole["x"]))


@pytest.mark.skipif(pd.__version__ < "3", reason="missing texts are `None`: read each time")
@pytest.mark.parametrize("name", ["t.parquet", "t.feather"])
def test_tables_of_arrow_come_back_as_they_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    frame = pd.DataFrame(
        {
            "i": np.arange(3, dtype="int8"),
            "f": np.array([0.1, np.nan, -0.0], dtype="float32"),
            "t": ["x", None, "ü"],
            "d": pd.to_datetime(["2024-01-31", None, "1999-12-31"]),
            "y": [0, 1, 0],
        }
    )
    monkeypatch.setattr(file_identity, "LEAST_PACKED", 3)
    write = frame.to_parquet if name == "t.parquet" else frame.to_feather
    write(tmp_path / name)
    first, again = (read.read_files([name], tmp_path, ",", keeps=True)[0] for _ in range(2))
    assert len([*(tmp_path / ".tunesmith/tables").iterdir()]) == 1
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first["t"].array[1] != again["t"].array[1]
    assert type(first["t"].array[1]) is type(again["t"].array[1])


def test_a_table_of_categories_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_identity, "LEAST_PACKED", 3)
    pd.DataFrame({"c": pd.Categorical(["a", "b"]), "y": [0, 1]}).to_parquet(tmp_path / "t.pq")
    first, again = (read.read_files(["t.pq"], tmp_path, ",", keeps=True)[0] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert not (tmp_path / ".tunesmith/tables").exists()
