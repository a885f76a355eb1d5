"""``holdout: {shuffle: true}`` is ``train_test_split`` followed by a search, row for row."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.tree import DecisionTreeClassifier

from tunesmith import define, tune
from tunesmith.config.model import Definition
from tunesmith.config.objective import DataSection, HoldoutSection
from tunesmith.data.table import load_table
from tunesmith.errors import DataError

GRID = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 9]}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    bunch = load_breast_cancer(as_frame=True)
    table: pd.DataFrame = bunch.frame.iloc[:150, [0, 1, 2, 3, -1]]
    return table


def study(root: Path, frame: pd.DataFrame, **holdout: object) -> Definition:
    frame.to_csv(root / "data.csv", index=False)
    return define(
        {
            "study": "s",
            "objective": {
                "estimator": "sklearn.tree.DecisionTreeClassifier",
                "random_state": 0,
                "data": {"path": "data.csv", "target": "target", "holdout": holdout},
                "cv": 5,
                "metric": "accuracy",
            },
            "space": GRID,
            "search": {"method": "grid"},
            "execution": {"executor": "serial"},
        },
        root=root,
    )


@pytest.mark.parametrize(
    ("holdout", "split"),
    [
        ({}, {}),
        ({"seed": 42}, {"random_state": 42}),
        ({"fraction": 0.2, "seed": 7}, {"test_size": 0.2, "random_state": 7}),
        ({"fraction": 0.33, "stratify": True}, {"test_size": 0.33, "stratify": True}),
    ],
)
def test_same_rows_same_order_same_winner(
    tmp_path: Path, frame: pd.DataFrame, holdout: dict[str, object], split: dict[str, object]
) -> None:
    X, y = frame.drop(columns="target"), frame["target"]
    stratify = y if split.pop("stratify", False) else None
    given = {"random_state": 0, **split}
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=stratify, **given)
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), GRID, cv=5)
    search.fit(X_train, y_train)
    result = tune(study(tmp_path, frame, shuffle=True, **holdout))
    ours = {str(p): s for p, s in _folds(result.cv_results_)}
    theirs = {str(p): s for p, s in _folds(search.cv_results_)}
    assert ours == theirs
    assert result.best_params == search.best_params_
    assert result.summary.holdout is not None
    assert result.summary.holdout["accuracy"] == search.score(X_test, y_test)


def _folds(found: dict[str, object]) -> list[tuple[object, list[float]]]:
    columns = [np.asarray(found[f"split{fold}_test_score"]) for fold in range(5)]
    params = [dict(sorted(p.items())) for p in found["params"]]  # type: ignore[attr-defined]
    return [(p, [float(c[row]) for c in columns]) for row, p in enumerate(params)]


def test_rows_in_time_or_in_groups_are_not_shuffled(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(tmp_path / "data.csv", index=False)
    given = DataSection(path=("data.csv",), target="target", holdout=HoldoutSection(shuffle=True))
    with pytest.raises(DataError, match="does not go with rows in order of time"):
        load_table(given, tmp_path, in_time=True)
    with pytest.raises(DataError, match="does not go with groups"):
        load_table(given.model_copy(update={"groups": "mean area"}), tmp_path)
