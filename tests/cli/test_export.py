"""``export``: trials as a file."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith.runs.exchange.storage import opened


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "deep/t.csv"])
def test_export_writes_by_the_name(tunesmith: Run, finished: Path, name: str) -> None:
    done = tunesmith("export", "-o", name)
    assert done.stderr == f"12 trials written to {name}\n"
    assert done.stdout == ""
    assert (finished / name).stat().st_size > 0


def test_export_by_a_wrong_name_says_which_are_right(tunesmith: Run, finished: Path) -> None:
    done = tunesmith("export", "-o", "t.parquet")
    assert done.returncode == 2
    assert "End it in .csv, .json, .jsonl, or add --format." in done.stderr
    assert tunesmith("export", "-o", "t.parquet", "--format", "csv").returncode == 0


def test_optuna_opens_what_is_exported(tunesmith: Run, finished: Path) -> None:
    import optuna

    assert tunesmith("export").returncode == 2
    assert tunesmith("export", "-o", "t.csv", "--optuna", "sqlite:///s.db").returncode == 2
    done = tunesmith("export", "--optuna", "sqlite:///s.db", "--as", "mine")
    assert done.stderr == "12 trials written to study `mine` in sqlite:///s.db\n"
    with opened(f"sqlite:///{finished}/s.db") as storage:
        trials = optuna.load_study(study_name="mine", storage=storage).trials
    assert len(trials) == 12
    assert all(len(trial.user_attrs["fold_scores"]["accuracy"]) == 3 for trial in trials)
    done = tunesmith("export", "--optuna", "sqlite:///s.db", "--as", "mine")
    assert (done.returncode, "there is a study `mine`" in done.stderr) == (2, True)
