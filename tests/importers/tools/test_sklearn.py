from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.importers.convert import find
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
import numpy as np
import pandas as pd
from scipy.stats import loguniform, randint, uniform
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

rows = pd.read_csv("rows.csv")
y = rows["kind"]
X_train, X_test, y_train, y_test = train_test_split(rows, y, test_size=0.2, random_state=3)
grid = {"svc__C": loguniform(1e-2, 1e2), "svc__gamma": uniform(0.1, 0.4)}
grid["svc__degree"] = randint(2, 5)
grid.update({"svc__tol": np.logspace(-4, -2, 3), "svc__shrinking": [True, False]})
model = Pipeline([("scale", StandardScaler()), ("svc", SVC(kernel="poly"))])
search = RandomizedSearchCV(
    model, grid, n_iter=25, cv=StratifiedKFold(4, shuffle=True, random_state=1),
    scoring=["f1_macro", "accuracy"], refit="accuracy", random_state=5, n_jobs=2,
)
search.fit(X_train, y_train)
"""


class TestSklearn(ImporterContract):
    tool, file, sample = "sklearn", "search.py", SAMPLE
    space = {
        "svc__C": {"float": [0.01, 100.0], "log": True},
        "svc__gamma": {"float": [0.1, 0.5]},
        "svc__degree": {"int": [2, 4]},
        "svc__tol": [0.0001, 0.001, 0.01],
        "svc__shrinking": [True, False],
    }
    settings = {
        "search": {"method": "random", "seed": 5},
        "stop": {"trials": 25},
        "execution": {"workers": 2},
        "objective": {
            "steps": [
                {"name": "scale", "estimator": "sklearn.preprocessing.StandardScaler"},
                {"name": "svc", "estimator": "sklearn.svm.SVC", "params": {"kernel": "poly"}},
            ],
            "metric": "accuracy",
            "also": ["f1_macro"],
            "cv": {"method": "stratified", "folds": 4, "shuffle": True, "seed": 1},
            "data": {
                "path": "rows.csv",
                "target": "kind",
                "holdout": {"fraction": 0.2, "seed": 3, "shuffle": True},
            },
        },
    }
    refused = {
        "known only if the script runs": "[True, False] -> list(open('options'))",
        "has no `gama` today": "svc__gamma -> svc__gama",
        "scikit-learn does not take it today": '[True, False] -> ["yes"]',
        "names no step": "svc__gamma -> clf__gamma",
        "have no equal": "StratifiedKFold(4, shuffle=True, random_state=1) -> MySplits(4)",
        "has no name": '["f1_macro", "accuracy"] -> [my_scorer()]',
        "is an object of Python": "np.logspace(-4, -2, 3) -> [SVC()]",
    }


def test_what_the_grid_varies_is_not_fixed(tmp_path: Path) -> None:
    text = """\
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
GridSearchCV(SVC(C=2.0, tol=0.1), [{"C": [1.0]}, {"gamma": [0.1]}], refit=lambda results: 0)
"""
    draft = TestSklearn().converted(tmp_path, text)
    assert draft.content["objective"]["params"] == {"tol": 0.1}
    assert draft.content["space"] == [{"C": [1.0]}, {"gamma": [0.1], "C": [2.0]}]
    assert any("chooses the winner" in note for note in draft.notes["objective", "metric"])
    TestSklearn().loaded(tmp_path, draft)


def test_auto_has_an_equal(tmp_path: Path) -> None:
    text = """\
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import GridSearchCV
GridSearchCV(KIND(), {"max_features": ["auto", "sqrt", "log2"], "max_depth": [3, 3, None]})
"""
    test = TestSklearn()
    draft = test.converted(tmp_path, text.replace("KIND", "RandomForestClassifier"))
    assert draft.content["space"] == {"max_features": ["sqrt", "log2"], "max_depth": [3, None]}
    assert any("listed" in n or "lists" in n for n in draft.notes["space", "max_depth"])
    draft = test.converted(tmp_path, text.replace("KIND", "RandomForestRegressor"))
    assert draft.content["space"]["max_features"] == [1.0, "sqrt", "log2"]
    twice = text.replace("Grid", "Randomized").replace(", 3, None", ", None")
    draft = test.converted(tmp_path, twice.replace("KIND", "RandomForestClassifier"))
    assert draft.content["space"]["max_features"] == ["sqrt", "log2"]
    assert any("twice as often" in note for note in draft.notes["space", "max_features"])


def test_tuples_of_scikit_learns_are_lists(tmp_path: Path) -> None:
    text = """\
from sklearn.preprocessing import MinMaxScaler
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

pipe = Pipeline([("scale", MinMaxScaler(feature_range=(1, 3))), ("clf", LogisticRegression())])
GridSearchCV(pipe, {"scale__feature_range": [(0, 1), (1, 2)], "clf__C": [1, 2]}, cv=5).fit(x, y)
"""
    draft = TestSklearn().converted(tmp_path, text)
    assert draft.content["space"]["scale__feature_range"] == [[0, 1], [1, 2]]
    plain = text.replace('"scale__feature_range": [(0, 1), (1, 2)], ', "")
    steps = TestSklearn().converted(tmp_path, plain).content["objective"]["steps"]
    assert steps[0]["params"] == {"feature_range": [1, 3]}


def test_what_changes_an_estimator_counts(tmp_path: Path) -> None:
    text = """\
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
model = SVC()
model.set_params(kernel="poly")
grid = {"C": [1, 2], "tol": [0.1]}
CHANGE
GridSearchCV(model, grid, scoring="accuracy")
"""
    test = TestSklearn()
    draft = test.converted(tmp_path, text.replace("CHANGE", ""))
    (module,) = draft.files.values()
    assert "SVC().set_params(kernel='poly')" in module
    for change in ("left = grid.pop('tol')", "print(grid.pop('tol'))"):
        with pytest.raises(ConfigError, match="is changed in line 6"):
            test.converted(tmp_path, text.replace("CHANGE", change))


def test_functions_that_return_parts_are_followed(tmp_path: Path) -> None:
    text = """\
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.svm import SVC
def model():
    kernel = "poly"
    return SVC(kernel=kernel)
def grid():
    return [{"C": rates()}, {"tol": [0.1]}]
def rates(): return [1, 2]
X, y = make_moons(50)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
search = GridSearchCV(model(), grid(), cv=3)
search.fit(X_train, y_train)
"""
    draft = TestSklearn().converted(tmp_path, text)
    assert draft.content["space"] == [{"C": [1, 2]}, {"tol": [0.1]}]
    assert draft.content["objective"]["params"] == {"kernel": "poly"}
    assert draft.content["objective"]["data"]["holdout"]["stratify"] is True
    either = text.replace("    return SVC", "    if kernel: return SVC()\n    return SVC")
    with pytest.raises(ConfigError, match="equals the `score` of the estimator"):
        TestSklearn().converted(tmp_path, either)
    draft = TestSklearn().converted(tmp_path, either.replace("cv=3", "cv=3, scoring='f1'"))
    (module,) = draft.files.values()
    assert "    return model()" in module


def test_a_helper_is_one_search_for_each_call(tmp_path: Path) -> None:
    text = """\
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC, SVR
def run(model, grid, X, y, cv=3):
    search = GridSearchCV(model, grid, cv=cv)
    return search.fit(X, y)
run(SVC(), {"C": [1, 2]}, X, y)
run(SVR(), {"tol": [0.1, 0.2]}, X, y, cv=4)
"""
    setups = find(TestSklearn().source(tmp_path, text), "sklearn")
    assert [setup.name for setup in setups] == ["search-SVC", "search-SVR"]
    drafts = [setup.draft().content for setup in setups]
    assert [draft["objective"]["cv"] for draft in drafts] == [3, 4]
    assert [draft["space"] for draft in drafts] == [{"C": [1, 2]}, {"tol": [0.1, 0.2]}]
