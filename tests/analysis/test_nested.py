"""Nested cross-validation is scikit-learn's: a search inside of ``cross_val_score``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier

from tunesmith import define, tune
from tunesmith.config.model import Definition
from tunesmith.errors import ConfigError
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.factory import outer_records
from tunesmith.runs.result import Result

GRID = {"max_depth": [1, 2, 4], "min_samples_leaf": [1, 5, 20]}


def definition(folder: Path, **changes: Any) -> Definition:
    load_wine(as_frame=True).frame.to_csv(folder / "data.csv", index=False)
    objective: dict[str, Any] = {
        "estimator": "sklearn.tree.DecisionTreeClassifier",
        "params": {"random_state": 0},
        "data": {"path": "data.csv", "target": "target"},
        "cv": 3,
        "metric": "accuracy",
    }
    sections: dict[str, Any] = {
        "study": "s",
        "objective": objective | changes.pop("objective", {}),
        "space": GRID,
        "search": {"method": "grid"},
        "execution": {"workers": 1},
        "outer_folds": 4,
    }
    return define(sections | changes, root=folder)


def scores(result: Result) -> tuple[float, ...]:
    assert result.summary.nested is not None
    return result.summary.nested.scores["accuracy"]


@pytest.mark.parametrize("is_shuffled", [False, True])
def test_it_is_what_scikit_learn_finds(tmp_path: Path, is_shuffled: bool) -> None:
    cv: Any = {"method": "kfold", "folds": 3, "shuffle": True, "seed": 1} if is_shuffled else 3
    result = tune(definition(tmp_path, objective={"cv": cv}))
    frame = pd.read_csv(tmp_path / "data.csv")
    inner, outer = (KFold(n, shuffle=True, random_state=1) if is_shuffled else n for n in (3, 4))
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), GRID, cv=inner)
    X, y = frame.drop(columns="target"), frame["target"]
    np.testing.assert_array_equal(scores(result), cross_val_score(search, X, y, cv=outer))
    report = (tmp_path / "outputs/tuning_results.md").read_text()
    assert (
        f"repeated without each of 4 outer folds and scored on it: `accuracy` {mean(result)}"
        in (report)
    )


def mean(result: Result) -> str:
    return f"{np.mean(scores(result)):.3f}"


def test_a_second_run_makes_no_fit_and_changes_nothing(tmp_path: Path) -> None:
    first = tune(definition(tmp_path))
    report = (tmp_path / "outputs/tuning_results.md").read_bytes()
    again = tune(definition(tmp_path))
    assert again.n_fits == 0
    assert scores(again) == scores(first)
    assert (tmp_path / "outputs/tuning_results.md").read_bytes() == report


def test_estimates_of_other_data_are_not_shown(tmp_path: Path) -> None:
    """Only rows that one of the outer searches held out have changed."""
    found = definition(tmp_path, outer_folds=2)
    first = tune(found)
    with Ledger.open(found.ledger) as ledger:
        assert len(outer_records(ledger, found, first.record)) == 2
    frame = pd.read_csv(tmp_path / "data.csv")
    frame.loc[0, "alcohol"] += 1
    frame.to_csv(tmp_path / "data.csv", index=False)
    file = found.file.model_copy(update={"outer_folds": None})
    alone = tune(replace(found, file=file))
    with Ledger.open(found.ledger) as ledger:
        assert outer_records(ledger, found, alone.record) == ()
    both = tune(found)
    assert both.summary.nested is not None
    with Ledger.open(found.ledger) as ledger:
        assert len(outer_records(ledger, found, both.record)) == 2


def test_the_searches_do_not_begin_with_what_all_rows_have_chosen(tmp_path: Path) -> None:
    found = definition(tmp_path, search={"method": "bayesian"}, stop={"trials": 4})
    (tmp_path / "config").mkdir()
    (tmp_path / "config/best_parameters.yaml").write_text("max_depth: 2\nmin_samples_leaf: 5\n")
    result = tune(found)
    assert "current" in {trial.origin for trial in result.record.history.completed}
    with Ledger.open(found.ledger) as ledger:
        origins = {trial.origin for trial in ledger.load("s.outer1").history.completed}
    assert "current" not in origins


def test_outer_folds_need_rows_of_their_own(tmp_path: Path) -> None:
    data = {"path": "data.csv", "target": "target", "holdout": {"fraction": 0.2}}
    with pytest.raises(ConfigError, match=r"objective.data.holdout"):
        definition(tmp_path, objective={"data": data})
    with pytest.raises(ConfigError, match="fixed"):
        definition(tmp_path, objective={"cv": {"method": "predefined", "column": "fold"}})
