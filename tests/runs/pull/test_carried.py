import os
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import UsageError
from tunesmith.runs.pull import carried
from tunesmith.runs.pull.carried import CarriedFileError, pack, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "inner" / "empty").mkdir(parents=True)
    (made / "inner" / "a.bin").write_bytes(bytes(range(256)) * 9)
    os.utime(made / "inner" / "a.bin", ns=(1, 1_234_567_890_123_456_789))
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    (made / "inner" / "last").symlink_to("a.bin")
    (made / "inner" / "top").symlink_to("../run.sh")
    return made


def test_folders_arrive_unchanged(folder: Path, tmp_path: Path) -> None:
    entries = pack(folder, "files")
    other = tmp_path / "other"
    unpack(entries, other)
    # The same entries, so that a fit that is offered again has its address again.
    assert pack(other, "files") == entries
    assert (other / "inner" / "last").read_bytes() == bytes(range(256)) * 9
    assert (other / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (other / "inner" / "a.bin").stat().st_mtime_ns == 1_234_567_890_123_456_789
    assert (other / "inner" / "empty").is_dir()


@pytest.mark.parametrize("to", ["/etc/passwd", "../../elsewhere", "a/../../.."])
def test_links_that_lead_out_do_not_travel(folder: Path, tmp_path: Path, to: str) -> None:
    (folder / "inner" / "out").symlink_to(to)
    with pytest.raises(UsageError, match="files: the link inner/out leads elsewhere"):
        pack(folder, "files")
    entry = {"name": "inner/out", "kind": "link", "to": to}
    with pytest.raises(CarriedFileError, match="the link 'inner/out'"):
        unpack([entry], tmp_path / "other")


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "", "a\\..\\out", "link/x"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    entries: list[dict[str, Any]] = [
        {"name": "link", "kind": "link", "to": "inner"},
        {"name": name, "kind": "folder"},
    ]
    with pytest.raises(CarriedFileError, match="is called"):
        unpack(entries, tmp_path / "other")
    assert not (tmp_path / "out").exists()


def test_what_is_too_large_is_refused_at_both_ends(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = pack(folder, "files")
    monkeypatch.setattr(carried, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match=r"files are more than 0 MB(.|\n)*--executor dask"):
        pack(folder, "files")
    with pytest.raises(CarriedFileError, match="more than 0 MB"):
        unpack(entries, tmp_path / "other")


@pytest.mark.parametrize("data", ['no base 85: "', "00000", 7])
def test_other_forms_are_refused(tmp_path: Path, data: Any) -> None:
    entry = {"name": "a", "kind": "file", "mode": 0o600, "time_ns": 1, "data": data}
    with pytest.raises(CarriedFileError, match="another form"):
        unpack([entry], tmp_path / "other")
    with pytest.raises(CarriedFileError, match="another form"):
        unpack([{"name": "a"}], tmp_path / "other")
