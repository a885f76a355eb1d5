"""Predictions of training programs, which real runs of a program have written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith import per_row, tune
from tunesmith.config.load import load_definition
from tunesmith.errors import ConfigError
from tunesmith.models.prediction_files import read_predictions
from tunesmith.runs.plan.planner import plan_run

# The shell, since a Python that imports a library would take most of the time of the test.
PROGRAM = """\
echo "row,target,prediction,group,other" > predictions.csv
while read row; do echo "$row,$row,${1#q=}.$2,g$((row % 2)),x"; done < "$3" >> predictions.csv
echo "score: ${1#q=}"
"""
OBJECTIVE = {
    "command": ["sh", "train.sh", "q={q}", "{fold}", "{test}"],
    "metrics_pattern": r"score: (\S+)",
    "metric": {"name": "score", "direction": "maximize"},
    "data": {"path": "data.csv", "target": "y"},
    "cv": {"method": "kfold", "folds": 3},
    "predictions": "predictions.csv",
}


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    def make(program: str = PROGRAM, outputs: Any = "oof.csv", **objective: Any) -> Path:
        whole = {
            "study": "s",
            "objective": {**OBJECTIVE, **objective},
            "space": {"q": [3, 1, 5, 2]},
            "search": {"method": "grid"},
            "execution": {"workers": 2},
            **({} if outputs is None else {"outputs": {"predictions": outputs}}),
        }
        lines = "".join(f"{row},{row % 3}\n" for row in range(12))
        (tmp_path / "data.csv").write_text(f"x,y\n{lines}")
        (tmp_path / "train.sh").write_text(program)
        config = tmp_path / "tuning.yaml"
        config.write_text(yaml.safe_dump(whole))
        return config

    return make


@pytest.mark.slow
def test_files_of_the_winner_are_collected(project: Callable[..., Path]) -> None:
    config = project(outputs={"path": "oof.csv", "trials": 2, "columns": ["group"]})
    said: list[str] = []
    result = tune(config, progress=False, say=said.append)
    table = read_predictions(config.parent / "oof.csv")
    assert list(table.columns) == [
        *("trial", "row", "fold", "group", "target", "prediction", "evaluation")
    ]
    assert list(dict.fromkeys(table["trial"])) == [2, 0]
    best = table[table["trial"] == 2]
    assert sorted(best["row"]) == list(range(12))
    assert best["prediction"].tolist() == [float(f"5.{fold}") for fold in best["fold"]]
    assert best["group"].tolist() == [f"g{row % 2}" for row in best["row"]]
    assert result.n_fits == 12
    assert not any("predictions" in one for one in said)
    # The project is as it was, and only the best trials keep files.
    assert not (config.parent / "predictions.csv").exists()
    assert len(per_row(table)) == 24


@pytest.mark.slow
def test_runs_whose_files_are_gone_are_repeated_and_counted(project: Callable[..., Path]) -> None:
    config = project()
    tune(config, progress=False)
    file = config.parent / "oof.csv"
    content = file.read_bytes()
    file.unlink()
    kept = sorted((config.parent / ".tunesmith/runs").rglob("predictions/*"))
    # Row numbers come from the fold if the program writes none.
    for one in kept[:6]:
        one.unlink()
    said: list[str] = []
    result = tune(config, progress=False, say=said.append)
    assert file.read_bytes() == content
    assert 0 < result.n_fits <= 3
    assert any("repeated" in one for one in said)
    assert tune(config, progress=False).n_fits == 0


@pytest.mark.slow
def test_rows_come_from_the_fold_if_a_program_numbers_none(project: Callable[..., Path]) -> None:
    program = PROGRAM.replace('"row,target,', '"target,').replace('"$row,$row,', '"$row,')
    config = project(program)
    tune(config, progress=False)
    table = read_predictions(config.parent / "oof.csv")
    assert table["row"].tolist() == table["target"].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ('echo "score: 1"\n', "left no file"),
        ('echo a > predictions.csv; echo "score: 1"\n', "has no column `prediction`; it has a"),
        (
            'echo prediction > predictions.csv; echo 1 >> predictions.csv; echo "score: 1"\n',
            "has no column `row`",
        ),
        ('touch predictions.csv; echo "score: 1"\n', "cannot be read"),
    ],
)
def test_files_that_do_not_serve_are_told_and_cost_no_result(
    project: Callable[..., Path], program: str, said: str
) -> None:
    config = project(program)
    heard: list[str] = []
    result = tune(config, progress=False, say=heard.append)
    assert result.best_score == 1
    assert any(said in one and "oof.csv was not written" in one for one in heard)
    assert not (config.parent / "oof.csv").exists()


def test_impossible_files_are_named_by_check(project: Callable[..., Path]) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"outputs": None}, "nothing collects the files"),
        ({"predictions": None}, "the program's predictions are nowhere to be found"),
        ({"predictions": "../p.csv"}, "leads out of the project"),
        ({"predictions": "p.txt"}, "a name that ends in .csv or .parquet"),
        ({"workspace": "shared"}, "would be shared by all runs"),
    ]
    for given, words in cases:
        with pytest.raises(ConfigError, match=words):
            plan_run(load_definition(project(**given)))
    plan = plan_run(load_definition(project()))
    assert "the files of the best 10 trials are kept" in plan.predictions
