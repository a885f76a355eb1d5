"""A package of somebody else's adds a family of submodels: a class and an entry point."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection as theirs
from sklearn.datasets import make_regression

from tunesmith import registry
from tunesmith.sklearn import GridSearchCV
from tunesmith.system.installed_packages import packages, providers
from tunesmith.testing.submodels import FamilyContract

PACKAGE = '''
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from tunesmith.sharing.proved import Proved, Versions, among
from tunesmith.sharing.submodels.family import Counted, are_counts, resized


class Pursuit(RegressorMixin, BaseEstimator):
    """Matching pursuit: round after round, the column that explains most of what is left."""

    def __init__(self, n_rounds=5, pause=None, shrink=1.0):
        self.n_rounds, self.pause, self.shrink = n_rounds, pause, shrink

    def fit(self, X, y):
        X, left = np.asarray(X, dtype=float), np.asarray(y, dtype=float).copy()
        self.rounds_ = []
        for _ in range(self.n_rounds):
            gains = X.T @ left / (X * X).sum(axis=0)
            column = int(np.argmax(np.abs(gains)))
            gain = self.shrink * gains[column]
            left -= gain * X[:, column]
            self.rounds_.append((column, gain))
        return self

    def predict(self, X):
        X = np.asarray(X, dtype=float)
        return sum((gain * X[:, column] for column, gain in self.rounds_), np.zeros(len(X)))


class PursuitFamily(Counted):
    """Later rounds know nothing of how many will follow."""

    parameter = "n_rounds"
    proved = Proved(
        ("pursuits.Pursuit",), Versions("pursuits", "1.0", "1.1"), {"shrink": among(0.5, 0.9)}
    )

    def can_share(self, estimator, values):
        return are_counts(values)

    def submodels(self, fitted, values, X):
        for n in values:
            yield resized(fitted, n_rounds=n, rounds_=fitted.rounds_[:n])


class UnlistedFamily(Counted):
    """The same without a list."""

    parameter = "n_rounds"
    can_share, submodels = PursuitFamily.can_share, PursuitFamily.submodels
'''
CACHED = (registry._all, registry.outside, packages, providers)
ENTRY_POINTS = "[tunesmith.submodels]\npursuit = pursuits:PursuitFamily\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "pursuits.py").write_text(PACKAGE)
    about = tmp_path / "pursuits-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pursuits\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    for cached in CACHED:
        cached.cache_clear()
    yield import_module("pursuits")
    for cached in CACHED:
        cached.cache_clear()


def test_its_candidates_share_fits(package: Any) -> None:
    X, y = make_regression(80, 8, noise=10.0, random_state=0)
    grid = {"n_rounds": [1, 8, 4, 2]}
    ours = GridSearchCV(package.Pursuit(), grid, cv=4).fit(X, y)
    expected = theirs.GridSearchCV(package.Pursuit(), grid, cv=4).fit(X, y)
    assert ours.n_fits_ == 4
    for fold in range(4):
        name = f"split{fold}_test_score"
        np.testing.assert_array_equal(ours.cv_results_[name], expected.cv_results_[name])


def test_it_is_held_to_the_contract(package: Any) -> None:
    class TestPursuit(FamilyContract):
        family = package.PursuitFamily()
        values = (1, 6, 3)

        def estimators(self) -> list[Any]:
            return [package.Pursuit()]

    contract = TestPursuit()
    contract.test_submodels_are_fresh_fits(0)
    contract.test_what_cannot_be_shared_is_not()
    contract.test_other_rows_are_answered_too()
    contract.test_whatever_is_listed_keeps_it(0)
    contract.test_what_is_not_listed_is_not_shared()


def test_what_it_does_not_list_is_not_shared(package: Any) -> None:
    contract = FamilyContract()
    contract.family = package.PursuitFamily()
    assert not contract.blocker(package.Pursuit(shrink=0.5), [1, 2])
    assert "`pause` is set" in contract.blocker(package.Pursuit(pause=3), [1, 2])
    assert "`shrink=0.7`" in contract.blocker(package.Pursuit(shrink=0.7), [1, 2])
    contract.family = package.UnlistedFamily()
    assert "does not list" in contract.blocker(package.Pursuit(), [1, 2])
