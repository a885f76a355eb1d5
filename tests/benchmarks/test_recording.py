"""The benchmark of recording writes what it says."""

from pathlib import Path

from benchmarks.recording import N_FOLDS, in_tunesmith, ways

from tunesmith.ledger.ledger import Ledger


def test_every_fold_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    for turn in ("1", "2"):
        in_tunesmith(str(path), 3, turn)
    with Ledger.open(path) as ledger:
        for turn in ("1", "2"):
            folds = [len(trial.folds) for trial in ledger.load(turn).history.completed]
            assert folds == [N_FOLDS] * 3


def test_all_ways_record(tmp_path: Path) -> None:
    assert ways(tmp_path, 0, "postgresql://x").keys() - ways(tmp_path, 0, None).keys() == {
        "Tunesmith, PostgreSQL"
    }
    for record in ways(tmp_path, 0, None).values():
        record(2)
    assert {path.name for path in tmp_path.iterdir()} >= {"0.db", "o0.db", "0.journal"}
