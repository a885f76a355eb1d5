import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from tunesmith import per_row, tune
from tunesmith.config.load import load_definition
from tunesmith.errors import ConfigError, UsageError
from tunesmith.models.prediction_files import read_predictions
from tunesmith.runs.plan.planner import plan_run
from tunesmith.testing.projects import TUNING, make_project

SERIAL = f"{TUNING}execution: {{executor: serial}}\n"
PARALLEL = f"{TUNING}execution: {{workers: 2}}\n"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def project(folder: Path, outputs: str = "outputs/oof.csv", text: str = SERIAL) -> Path:
    return make_project(folder / "p", text=f"{text}outputs: {{predictions: {outputs}}}\n")


def exact(table: pd.DataFrame, params: dict[str, Any]) -> bool:
    """Compare the table with fits that know nothing of Tunesmith."""
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True, as_frame=True)
    splits = list(StratifiedKFold(3).split(X, y))
    for fold, rows in table.groupby("fold"):
        train, test = splits[int(fold)]
        assert rows["row"].tolist() == test.tolist()
        assert rows["target"].tolist() == y[test].tolist()
        model = DecisionTreeClassifier(**params, random_state=3).fit(X.iloc[train], y[train])
        told = rows[[f"probability_{one}" for one in range(3)]].to_numpy()
        if not np.array_equal(told, model.predict_proba(X.iloc[test])):
            return False
    return True


@pytest.mark.parametrize("text", [SERIAL, PARALLEL])
@pytest.mark.parametrize("name", ["oof.csv", "oof.parquet"])
def test_the_winner_is_predicted_exactly_without_further_fits(
    tmp_path: Path, name: str, text: str
) -> None:
    definition = load_definition(project(tmp_path, f"outputs/{name}", text))
    said: list[str] = []
    result = tune(definition, progress=False, say=said.append)
    table = read_predictions(definition.root / "outputs" / name)
    assert result.n_fits <= 36
    assert not said
    assert list(table.columns[:6]) == ["trial", "row", "fold", "file_row", "target", "prediction"]
    chosen = result.summary.chosen
    assert chosen is not None
    assert set(table["trial"]) == {chosen.number}
    assert exact(table, dict(chosen.params))
    assert len(per_row(definition.root / "outputs" / name)) == 150
    scores = (table["target"] == table["prediction"]).groupby(table["fold"]).mean()
    trial = result.record.history[chosen.number]
    assert np.allclose(scores, trial.scores("accuracy"), atol=1e-12)
    assert definition.root / "outputs" / name in [item.path for item in result.written]


def test_what_was_not_kept_is_fitted_again_and_counted(tmp_path: Path) -> None:
    definition = load_definition(project(tmp_path, text=PARALLEL))
    first = tune(definition, progress=False)
    file = definition.root / "outputs/oof.csv"
    content = file.read_bytes()
    said: list[str] = []
    # Nothing is to be done, not even if the answers are gone.
    shutil.rmtree(definition.root / ".tunesmith/answers")
    again = tune(definition, progress=False, say=said.append)
    assert (again.n_fits, said) == (0, [])
    file.unlink()
    again = tune(definition, progress=False, say=said.append)
    assert again.n_fits == 3
    assert said == [
        "outputs.predictions: 3 fits were repeated, whose predictions had not been kept"
    ]
    assert file.read_bytes() == content
    assert again.best_params == first.best_params
    assert again.record.runs[-1].n_fits == 3


def test_an_edited_file_is_written_again(tmp_path: Path) -> None:
    definition = load_definition(project(tmp_path))
    tune(definition, progress=False)
    file = definition.root / "outputs/oof.csv"
    content = file.read_bytes()
    file.write_bytes(content.replace(b",1.0,", b",0.9,"))
    assert file.read_bytes() != content
    tune(definition, progress=False)
    assert file.read_bytes() == content


def test_the_next_best_trials_and_columns_are_written_on_request(tmp_path: Path) -> None:
    wanted = "{path: outputs/oof.csv, trials: 3, columns: [petal width (cm)]}"
    definition = load_definition(project(tmp_path, wanted))
    result = tune(definition, progress=False)
    table = read_predictions(definition.root / "outputs/oof.csv")
    trials = list(dict.fromkeys(table["trial"]))
    assert trials == [one.number for one in result.summary.ranking[:3]]
    assert table["evaluation"].nunique() == 3
    data = pd.read_csv(definition.root / "data.csv")["petal width (cm)"]
    assert (table["petal width (cm)"].to_numpy() == data[table["file_row"]].to_numpy()).all()


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    config = project(tmp_path)
    (config.parent / "outputs").mkdir()
    (config.parent / "outputs/oof.csv").write_text("trial,row,mine\n")
    with pytest.raises(UsageError, match=r"outputs.predictions: .*did not write it"):
        tune(load_definition(config), progress=False)
    (config.parent / "outputs/oof.csv").write_text("")
    tune(load_definition(config), progress=False)


def test_repeats_give_a_row_for_every_split(tmp_path: Path) -> None:
    text = SERIAL.replace("cv: 3", "cv: {folds: 3, repeats: 2}")
    definition = load_definition(project(tmp_path, text=text))
    tune(definition, progress=False)
    table = read_predictions(definition.root / "outputs/oof.csv")
    assert len(table) == 300
    assert (per_row(table)["n_predictions"] == 2).all()


@pytest.mark.parametrize(
    ("outputs", "error"),
    [
        ("outputs/oof.pkl", "a name that ends in .csv or .parquet"),
        ("{path: oof.csv, columns: [petal]}", "no column `petal`. Known: petal length"),
        ("{path: oof.csv, columns: [target]}", "`target` is a column of predictions"),
        ("{path: oof.csv, trials: 0}", "trials"),
        ("data.csv", "would replace the data"),
    ],
)
def test_impossible_outputs_are_refused_before_the_search(
    tmp_path: Path, outputs: str, error: str
) -> None:
    config = project(tmp_path, outputs)
    for act in (plan_run, tune):
        with pytest.raises((ConfigError, UsageError), match=error):
            act(load_definition(config))
    assert not (config.parent / ".tunesmith/ledger.db").exists()


def test_models_that_predict_nothing_are_refused(tmp_path: Path) -> None:
    text = SERIAL.replace("sklearn.tree.DecisionTreeClassifier", "sklearn.neighbors.KernelDensity")
    text = text.replace("max_depth: {int: [1, 6]}", "bandwidth: [0.5, 1.0]")
    text = text.replace("  criterion: [gini, entropy]\n", "").replace(
        "metric: accuracy", "metric: {name: mine, scorer: density:score, direction: maximize}"
    )
    config = project(tmp_path, text=text)
    scorer = "def score(model, X, y):\n    return model.score(X)\n"
    (config.parent / "density.py").write_text(scorer)
    with pytest.raises(UsageError, match="KernelDensity predicts nothing"):
        tune(load_definition(config), progress=False)


def test_studies_without_predictions_are_stored_as_before(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path / "p", text=SERIAL))
    file = definition.as_json()["file"]
    assert "predictions" not in file["outputs"]
    assert "predictions" not in file["objective"]
