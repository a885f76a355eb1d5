from pathlib import Path

import pytest

from tunesmith.objective.program.observing import walking
from tunesmith.objective.program.observing.private_files import Privates
from tunesmith.objective.program.observing.walking import Walker


@pytest.fixture
def walker(tmp_path: Path) -> Walker:
    root, place = tmp_path / "project", tmp_path / "run"
    for name in ("data/one", "env/pyvenv.cfg", "sub/.git", "big.bin"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("12345")
    (root / "own").symlink_to("data")
    place.mkdir()
    for name in ("data", "env", "sub", "big.bin"):
        (place / name).symlink_to(root / name)
    (place / "own").symlink_to("data")

    def is_shared(real: str) -> bool:
        return real.startswith(str(root))

    return Walker(str(place), str(root), is_shared, Privates(str(place), is_shared))


def links(walker: Walker) -> set[str]:
    return {path.name for path in Path(walker.place).iterdir() if path.is_symlink()}


def test_only_data_is_opened_up_and_files_for_programs_that_tell_links(walker: Walker) -> None:
    walker.list(walker.place, "python3.11")
    assert links(walker) == {"env", "sub", "own", "big.bin"}
    assert Path(walker.place, "data", "one").is_symlink()
    walker.list(walker.place, "find")
    assert links(walker) == {"env", "sub", "own"}
    assert Path(walker.place, "big.bin").read_text() == "12345"


def test_files_that_are_too_large_are_told(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_BYTES", 4)
    walker.list(walker.place, "tar")
    assert [*walker.hidden] == ["big.bin"]
    assert "big.bin" in links(walker)
