"""Searches that stand in a folder, read as ``tunesmith import`` reads them."""

from pathlib import Path

import pytest

from tunesmith.scaffold.existing import Existing, existing_in

HEAD = """\
# -*- coding: latin-1 -*-
# Prüfung
from scipy.stats import loguniform
from sklearn.experimental import enable_halving_search_cv
from sklearn.model_selection import HalvingGridSearchCV, RandomizedSearchCV
from sklearn.metrics import make_scorer, f1_score
from sklearn.ensemble import BaggingClassifier
from sklearn.svm import SVC
"""


def found(folder: Path, text: str) -> Existing:
    (folder / "a.py").write_bytes(f"{HEAD}{text}".encode("latin-1"))
    return existing_in(folder)


def test_a_declared_encoding_arguments_by_position_and_distributions(tmp_path: Path) -> None:
    existing = found(
        tmp_path,
        "space = {'C': loguniform(1e-3, 10)}\n"
        "space['kernel'] = ['rbf'] + ['linear']\n"
        "model = BaggingClassifier(None, 2 + 3, n_jobs=1)\n"
        "RandomizedSearchCV(model, space, n_iter=2 * 5, scoring=make_scorer(f1_score))",
    )
    assert existing.estimator == "sklearn.ensemble.BaggingClassifier"
    assert existing.params == {"estimator": None, "n_estimators": 5, "n_jobs": 1}
    assert existing.grid == {
        "C": {"float": [0.001, 10.0], "log": True},
        "kernel": ["rbf", "linear"],
    }
    assert (existing.metric, existing.n_trials, existing.method) == ("f1", 10, "random")
    assert existing.source == "a.py:12"


def test_parts_count_one_by_one(tmp_path: Path) -> None:
    existing = found(tmp_path, "HalvingGridSearchCV(make(), {'C': [1, 2]}, scoring=own, cv=3)")
    assert existing.is_unknown
    assert (existing.grid, existing.folds, existing.method) == ({"C": [1, 2]}, 3, "grid")
    assert existing.metric is None


@pytest.mark.parametrize(
    "text",
    ["RandomizedSearchCV(*parts)", "RandomizedSearchCV(**parts)", "SVC(C=1)", "print 'x'"],
)
def test_what_only_a_run_would_tell_is_no_search(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == Existing()


def test_folders_and_files_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "b.py").write_bytes(b"# coding: none-such\n\xff")
    assert existing_in(tmp_path) == Existing()
