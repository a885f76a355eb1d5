"""``init`` takes over what a folder already says: estimator, grid, metric, folds."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith.config.load import load_definition
from tunesmith.objective.crossval import build_objective
from tunesmith.scaffold.existing import existing_in

TABLE = "a,b,y\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(60))
GRID = {"max_depth": [3, None], "n_estimators": [10, 20]}
SCRIPT = """\
import json
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

param_grid = {"max_depth": [3, None], "n_estimators": [10, 20]}
model = RandomForestClassifier(random_state=1993, class_weight="balanced")
data = pd.read_csv("data.csv")
search = GridSearchCV(estimator=model, param_grid=param_grid, cv=4, scoring="recall", n_jobs=-1)
search.fit(data[["a", "b"]], data["y"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "data.csv").write_text(TABLE)
    return folder


def test_a_search_in_a_script_becomes_the_configuration(tunesmith: Run, folder: Path) -> None:
    (folder / "tuning.py").write_text(SCRIPT)
    done = tunesmith("init", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (
        "Taken from tuning.py:9: the estimator, its parameters, the grid, the metric" in done.stderr
    )
    definition = load_definition(folder / "tuning.yaml")
    section = definition.file.objective
    assert section.estimator == "sklearn.ensemble.RandomForestClassifier"
    assert section.params == {"random_state": 1993, "class_weight": "balanced"}
    assert (section.metric[0].name, section.cv.folds, section.cv.shuffle) == ("recall", 4, False)
    assert definition.file.search.method == "grid"
    assert definition.space.to_json()["boxes"] == [GRID]
    assert build_objective(definition).n_folds == 4
    assert tunesmith("check", cwd=folder).returncode == 0


def test_the_specs_grid_in_a_file_is_named(tunesmith: Run, folder: Path) -> None:
    (folder / "config").mkdir()
    (folder / "config/parameters.json").write_text(json.dumps(GRID))
    assert tunesmith("init", cwd=folder).returncode == 0
    assert "space: config/parameters.json\n" in (folder / "tuning.yaml").read_text()
    assert tunesmith("check", cwd=folder).returncode == 0


LOADED = SCRIPT.replace("param_grid=param_grid", 'param_grid=json.load(open("grid.json"))')
IMPORT = "from sklearn.ensemble import RandomForestClassifier"
BY_MODULE = SCRIPT.replace(IMPORT, "import sklearn.ensemble as e")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOADED, "file"),
        (SCRIPT.replace("GridSearchCV(estimator=model", "GridSearchCV(model"), "literal"),
        (BY_MODULE.replace("model = R", "model = e.R"), "literal"),
        (SCRIPT.replace('"max_depth": [3, None]', '"max_depth": list(range(n))'), "nothing"),
        (SCRIPT.replace("random_state=1993", "random_state=SEED"), "no estimator"),
        # The second value is the one at the call; one that depends on a branch is not certain.
        (SCRIPT.replace("param_grid = {", "param_grid = {}\nparam_grid = {"), "literal"),
        (SCRIPT.replace("data =", "if x:\n    param_grid = {}\ndata ="), "nothing"),
        ("def broken(:\n", "nothing"),
    ],
)
def test_only_what_is_certain_counts(folder: Path, text: str, expected: str) -> None:
    (folder / "grid.json").write_text(json.dumps(GRID))
    (folder / "x.py").write_text(text)
    found = existing_in(folder)
    assert (found.grid == GRID) is (expected in ("literal", "no estimator"))
    if expected == "file":
        assert found.grid_file == "grid.json"
    if expected == "no estimator":
        assert found.estimator is None
        assert found.params == {}
    elif expected != "nothing":
        assert found.estimator == "sklearn.ensemble.RandomForestClassifier"


def test_a_grid_of_another_estimator_is_told_and_not_used(tunesmith: Run, folder: Path) -> None:
    (folder / "param_grid.json").write_text('{"clf__C": [1, 2]}')
    done = tunesmith("init", cwd=folder)
    assert "param_grid.json is not used: `clf__C` is no parameter" in done.stderr
    assert tunesmith("check", cwd=folder).returncode == 0


def test_scripts_are_never_run(folder: Path) -> None:
    (folder / "x.py").write_text(f"{SCRIPT}\nopen('ran', 'w')\n")
    existing_in(folder)
    assert not (folder / "ran").exists()


def test_columns_that_look_like_groups_are_asked_about(tunesmith: Run, folder: Path) -> None:
    rows = "".join(f"{i},{i // 4},{i % 5},{i % 2}\n" for i in range(60))
    (folder / "data.csv").write_text(f"record_id,patientId,a,y\n{rows}")
    done = tunesmith("init", cwd=folder)
    assert "`patientId` repeats: if its rows belong together" in done.stderr
    assert "`record_id` has another value in every row" in done.stderr
    text = (folder / "tuning.yaml").read_text()
    assert "    # groups: patientId" in text
    assert "    drop: [record_id]" in text
    assert tunesmith("check", cwd=folder).returncode == 0
    assert tunesmith("init", "--force", "--groups", "patientId", cwd=folder).returncode == 0
    data = load_definition(folder / "tuning.yaml").file.objective.data
    assert data is not None
    assert data.groups == "patientId"
    assert tunesmith("init", "--force", "--groups", "patient", cwd=folder).returncode == 2


def test_a_search_in_a_notebook(folder: Path) -> None:
    first, second = SCRIPT.split("param_grid =", 1)
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "source": "# def"},
        {"cell_type": "code", "source": [f"%matplotlib inline\n{first}"]},
        {"cell_type": "code", "source": "this is no Python"},
        {"cell_type": "code", "source": f"!pip install x\nparam_grid ={second}\nsearch?"},
    ]
    (folder / "search.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    (folder / "broken.ipynb").write_text('{"cells": 3}')
    existing = existing_in(folder)
    assert existing.source == "search.ipynb"
    assert (existing.grid, existing.metric, existing.folds) == (GRID, "recall", 4)


def test_a_pipeline_is_told_as_such(tunesmith: Run, folder: Path) -> None:
    text = SCRIPT.replace("model = Random", "model = make_pipeline(Scaler(), Random")
    (folder / "tuning.py").write_text(text.replace('"balanced")', '"balanced"))'))
    done = tunesmith("init", cwd=folder)
    assert done.returncode == 0
    assert "tuning.py:9 is not used: its estimator is not made by one call" in done.stderr


def test_the_command_that_reads_pipelines_is_named(tunesmith: Run, folder: Path) -> None:
    (folder / "tuning.py").write_text(
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        + SCRIPT.replace("model = Random", "model = make_pipeline(StandardScaler(), Random")
        .replace('"balanced")', '"balanced"))')
        .replace('{"max_depth": [3, None], "n_estimators": [10, 20]}', "{STEP: [3, None]}")
        .replace("{STEP", '{"randomforestclassifier__max_depth"')
    )
    told = tunesmith("init", cwd=folder).stderr
    command = "tunesmith import tuning.py -o imported.yaml"
    assert f"`{command}` reads pipelines, too." in told
    done = tunesmith(*command.split()[1:], cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "sklearn.preprocessing.StandardScaler" in (folder / "imported.yaml").read_text()


def test_a_target_with_one_value_is_told(tunesmith: Run, folder: Path) -> None:
    (folder / "data.csv").write_text("a,y\n1,no\n2,no\n")
    told = tunesmith("init", cwd=folder).stderr
    assert "all rows of `y` have one value, no: nothing can be learned." in told
