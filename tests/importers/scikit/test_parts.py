"""Copied parts do what the script's own do: same scores of the same candidates."""

import json
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run, finished, finished_once, project, tunesmith

from tunesmith.errors import ConfigError
from tunesmith.importers.convert import convert, find
from tunesmith.importers.draft import Draft
from tunesmith.importers.scikit.parts import module_name
from tunesmith.importers.source import Source

__all__ = ["finished", "finished_once", "project", "tunesmith"]

HEAD = """\
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

SHIFT = 2
rows = pd.read_csv("rows.csv")
"""
MIXED = """\
X = rows.drop(columns=["kind"])
y = rows["kind"]
numbers = X.select_dtypes(include="number").columns.tolist()

def shifted(table):
    return table + SHIFT

scaled = Pipeline([("shift", FunctionTransformer(shifted)), ("scale", StandardScaler())])
front = ColumnTransformer([("n", scaled, numbers), ("c", OneHotEncoder(), ["color"])])
tree = DecisionTreeClassifier(max_depth=1, random_state=0)
model = Pipeline([("front", front), ("boost", AdaBoostClassifier(tree, random_state=0))])
model.set_params(boost__learning_rate=0.5)
grid = {"boost__n_estimators": [2, 5], "boost__estimator__max_depth": [1, 2]}
search = GridSearchCV(model, grid, cv=3, scoring=make_scorer(fbeta_score, beta=2, pos_label="b"))
search.fit(X, y)
"""
TEXTS = """\
words = FeatureUnion([("one", TfidfVectorizer()), ("two", TfidfVectorizer(ngram_range=(2, 2)))])
model = Pipeline([("words", words), ("clf", LogisticRegression(random_state=0))])
search = GridSearchCV(model, {"words__one__use_idf": [True, False], "clf__C": [1.0, 9.0]}, cv=3)
search.fit(rows["text"], rows["kind"])
"""


def drafted(text: str) -> Draft:
    source = Source(Path("mine.py"), HEAD + text)
    (setup,) = find(source, "sklearn")
    return convert(source, setup)


def write_rows(folder: Path) -> None:
    lines = ["size,color,text,kind"]
    for i in range(60):
        word = ["good fine", "bad poor", "so so"][i * i % 3]
        lines.append(f"{i * 37 % 11},{'rgb'[i % 3]},{word} thing {i % 7},{'ab'[i * 37 % 11 > 5]}")
    (folder / "rows.csv").write_text("\n".join(lines))


@pytest.mark.slow
@pytest.mark.parametrize("text", [MIXED, TEXTS], ids=["mixed", "texts"])
def test_scores_are_those_of_the_script(
    text: str, tunesmith: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rows(tmp_path)
    (tmp_path / "mine.py").write_text(HEAD + text)
    done = tunesmith("import", "mine.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tuning.yaml and mine_search.py are written" in done.stderr
    assert tunesmith("check", cwd=tmp_path).returncode == 0
    ran = tunesmith("run", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    trials = json.loads(tunesmith("trials", "--json", cwd=tmp_path).stdout)["trials"]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "script"}
    exec(compile(HEAD + text, "mine.py", "exec"), names)  # noqa: S102 - the script itself
    results = names["search"].cv_results_  # type: ignore[attr-defined]
    own = {
        json.dumps(p, sort_keys=True): s
        for p, s in zip(results["params"], results["mean_test_score"], strict=True)
    }
    ours = {json.dumps(t["params"], sort_keys=True): t["mean_test_score"] for t in trials}
    assert ours == own


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("max_depth=1", "max_depth=rows.shape[1]", "known only if the script runs"),
        ("OneHotEncoder()", "OneHotEncoder(spares=True)", "has no `spares` today"),
        (
            "AdaBoostClassifier(tree, random_state=0)",
            "MultiOutputClassifier(tree)",
            "several targets",
        ),
        ("table + SHIFT", "table + len(rows)", "known only if the script runs"),
        ('include="number").columns.tolist()', "include='number').columns[1:]", "script runs"),
        ("X.select", "rows.select", "script runs"),
        ('beta=2, pos_label="b"', "beta=X.shape[1]", "known only if the script runs"),
    ],
)
def test_what_cannot_be_copied_is_refused(old: str, new: str, reason: str) -> None:
    assert old in MIXED
    with pytest.raises(ConfigError) as caught:
        drafted(MIXED.replace(old, new))
    assert any(reason in str(v) for v in caught.value.violations), caught.value


def test_nothing_is_copied_without_need() -> None:
    draft = drafted('search = GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]})')
    assert draft.files == {}
    assert "factory" not in draft.content["objective"]


def test_a_module_of_that_name_is_left_alone(tunesmith: Run, tmp_path: Path) -> None:
    write_rows(tmp_path)
    (tmp_path / "mine.py").write_text(HEAD + MIXED)
    (tmp_path / "mine_search.py").write_text("own = 1\n")
    done = tunesmith("import", "mine.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "with other content; nothing was written" in done.stderr
    assert not (tmp_path / "tuning.yaml").exists()
    assert (tmp_path / "mine_search.py").read_text() == "own = 1\n"
    shown = tunesmith("import", "mine.py", "-o", "-", cwd=tmp_path)
    assert "It needs mine_search.py as well" in shown.stderr
    data = json.loads(tunesmith("import", "mine.py", "--json", cwd=tmp_path).stdout)
    assert "def make_estimator" in data["files"]["mine_search.py"]


def test_the_module_lies_in_the_folder_of_the_project(tunesmith: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HEAD + MIXED)
    done = tunesmith("import", "mine.py", "-o", "config/tuning.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine_search.py").exists()


def test_names_of_modules_can_be_imported() -> None:
    assert module_name("train model", "grid-svc") == "train_model_grid_svc"
    assert module_name("train", "x") not in sys.modules
