import pytest

from tunesmith.execute.portable import LokyStarter
from tunesmith.execute.starter import kept, starter


def test_the_switch_chooses_loky(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
    made = starter(n_threads=3)
    try:
        assert isinstance(made, LokyStarter)
        assert made.environment()["OMP_NUM_THREADS"] == "3"
        assert made.folder.is_dir()
    finally:
        made.close()
    assert not made.folder.exists()


def test_a_starter_is_kept_for_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
    monkeypatch.setattr("tunesmith.execute.starter._kept", {})
    first = kept(["json"], is_forked=True)
    try:
        assert kept() is first
    finally:
        first.close()
