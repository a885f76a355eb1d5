"""The small part of a check, compared once in the process of a search."""

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.tables import Define

from tunesmith.history import Check
from tunesmith.ledger.ledger import Ledger
from tunesmith.objective.crossval import build_objective
from tunesmith.objective.live import LiveObjective
from tunesmith.sharing.ahead import first_groups, may_go_ahead
from tunesmith.sharing.submodels.forest import Forest
from tunesmith.sklearn import GridSearchCV
from tunesmith.system.fingerprint import digest
from tunesmith.types import Fit, Params

FOREST = "sklearn.ensemble.RandomForestClassifier"
SIZES: list[Params] = [{"n_estimators": 1}, {"n_estimators": 30}]


def test_only_what_cannot_end_the_process_goes_ahead() -> None:
    trees = RandomForestClassifier(random_state=0)
    assert may_go_ahead(trees)
    assert may_go_ahead(BaggingClassifier(trees))
    assert not may_go_ahead(make_pipeline(StandardScaler(), trees))
    boosting = pytest.importorskip("lightgbm").LGBMClassifier()
    assert not may_go_ahead(boosting)
    assert not may_go_ahead(BaggingClassifier(boosting))


def test_the_first_group_of_each_prototype_and_names() -> None:
    a: list[Params] = [{"name": "a", "k": 1}, {"name": "a", "k": 2}]
    b: list[Params] = [{"name": "b", "k": 1}, {"name": "b", "k": 2}]
    more: list[Params] = [{"name": "a", "k": 1, "p": 1}, {"name": "a", "k": 2, "p": 1}]
    groups = [a[:1], a, a[::-1], b, more]

    def name_of(params: Params) -> str:
        return str(params["name"])

    assert list(first_groups(groups, name_of, 9.0)) == [a, b, more]
    assert list(first_groups(groups, name_of, -1.0)) == [a]


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """Have a function of the checks note its results."""
    from tunesmith.sharing import kernel

    results: list[Any] = []
    function = getattr(kernel, name)

    def noting(*given: Any) -> Any:
        results.append(function(*given))
        return results[-1]

    monkeypatch.setattr(kernel, name, noting)
    return results


def test_other_processes_compare_at_full_size_alone(
    define: Define, binary: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = build_objective(define(binary, {"n_estimators": [1, 30]}, estimator=FOREST))
    small, full = (counted(monkeypatch, name) for name in ("small_agree", "fresh_answers"))
    objective._kernel.check_ahead([SIZES])
    objective._kernel.check_ahead([SIZES[:1]])
    assert (small, len(full)) == ([True], 0)
    elsewhere = pickle.loads(pickle.dumps(objective))
    results = elsewhere.evaluate(Fit(0, tuple(SIZES)))
    assert [result.n_sharing for result in results] == [2, 2]
    assert (small, len(full)) == ([True], 1)
    # A whole check: the ledger remembers it.
    (check,) = results[0].checks
    assert check == Check(check.kind, is_passed=True)
    assert elsewhere._kernel.begun == {digest(check.kind)}


def test_what_is_refuted_ahead_is_refuted_in_other_processes(
    define: Define, binary: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = build_objective(define(binary, {"n_estimators": [1, 30]}, estimator=FOREST))
    monkeypatch.setattr(Forest, "submodels", lambda self, fitted, values, X: [fitted] * len(values))
    objective._kernel.check_ahead([SIZES])
    assert objective._kernel.begun == set()
    elsewhere = pickle.loads(pickle.dumps(objective))
    results = elsewhere.evaluate(Fit(0, tuple(SIZES)))
    assert [result.n_sharing for result in results] == [1, 1]
    assert [check.is_passed for check in results[0].checks] == [False]


def test_workers_know_the_kind_that_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[set[str]] = []
    check_ahead = LiveObjective.check_ahead

    def noting(objective: LiveObjective, candidates: Any) -> None:
        check_ahead(objective, candidates)
        begun.append(set(objective._kernel.begun))

    monkeypatch.setattr(LiveObjective, "check_ahead", noting)
    X, y = make_classification(200, random_state=0)
    for rows in (X, X + 1):
        ledger = tmp_path / "ledger.db"
        search = GridSearchCV(
            KNeighborsClassifier(), {"n_neighbors": [1, 5]}, n_jobs=2, ledger=ledger, refit=False
        )
        search.fit(rows, y)
    with Ledger.open(ledger) as kept:
        # Known from the ledger the second time, so that nothing is compared.
        assert begun == [set(kept.passed_checks()), set()]
