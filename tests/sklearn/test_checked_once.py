"""Checks of shared fits that one worker makes for all of them."""

import pickle
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection as theirs
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tests.sharing.test_ahead import counted

from tunesmith.execute.executor import WorkerDiedError
from tunesmith.objective.live import LiveObjective
from tunesmith.sharing.submodels.forest import Forest
from tunesmith.sklearn import GridSearchCV, engine
from tunesmith.sklearn.checked_once import CheckedOnce
from tunesmith.types import EndsWithBlock, Fit

X, Y = make_classification(150, 8, n_informative=4, flip_y=0.2, random_state=0)
FOREST = RandomForestClassifier(random_state=0)
SIZES = {"n_estimators": [1, 2, 7]}
DEEP = {**SIZES, "max_depth": [2, 3]}


class Copies(EndsWithBlock):
    """Workers in this process: copies of an objective, which take calls in turns.

    Args:
        objective: what they evaluate.
        late: number of calls that end before the first one does.
        deadly: numbers of calls that their worker does not survive.
    """

    n_workers = 2

    def __init__(
        self, objective: LiveObjective, *, late: int = 0, deadly: Sequence[int] = ()
    ) -> None:
        self._copies = [pickle.loads(pickle.dumps(objective)) for _ in range(2)]
        self._late, self._deadly = late, deadly
        self._queue: deque[tuple[int, Fit, Future[Any]]] = deque()
        self._running: list[tuple[int, Fit, Future[Any]]] = []
        self.made: list[Fit] = []
        self._n = 0

    def submit(self, item: Fit) -> Future[Any]:
        future: Future[Any] = Future()
        self._queue.append((self._n, item, future))
        self._n += 1
        return future

    def completed(self, timeout_s: float | None = None) -> list[Future[Any]]:
        while self._queue and len(self._running) < 2:
            number, item, future = self._queue.popleft()
            if future.set_running_or_notify_cancel():
                self._running.append((number, item, future))
        if not self._running:
            return []
        first = self._running[0][0] == 0 and len(self._running) > 1 and self._late > 0
        self._late -= first
        number, item, future = self._running.pop(1 if first else 0)
        self.made.append(item)
        if number in self._deadly:
            future.set_exception(WorkerDiedError("killed"))
        else:
            future.set_result(self._copies[number % 2].evaluate(item))
        return [future]

    def cancel(self, future: Future[Any]) -> None:
        future.cancel()

    def close(self) -> None:
        self._queue.clear()


def compare(
    monkeypatch: pytest.MonkeyPatch, estimator: Any, grid: Any, **given: Any
) -> tuple[GridSearchCV, Copies]:
    """Search with copies as workers; every score is scikit-learn's."""
    made: list[Copies] = []

    def choose(self: engine.Engine, call: Any) -> Any:
        made.append(Copies(self.objective, **given))
        return made[0]

    monkeypatch.setattr(engine.Engine, "_executor", choose)
    # What is compared ahead would take the small part from the workers.
    monkeypatch.setattr(LiveObjective, "check_ahead", lambda self, candidates: None)
    ours = GridSearchCV(estimator, grid, cv=3, n_jobs=2, refit=False).fit(X, Y)
    same_as_theirs(ours, estimator, grid)
    return ours, made[0]


def same_as_theirs(ours: Any, estimator: Any, grid: Any) -> None:
    expected = theirs.GridSearchCV(estimator, grid, cv=3, refit=False).fit(X, Y)
    for name, value in expected.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], value, err_msg=name)


@pytest.mark.parametrize("late", [0, 1, 4])
def test_one_worker_checks_for_all(monkeypatch: pytest.MonkeyPatch, late: int) -> None:
    small, full = (counted(monkeypatch, name) for name in ("small_agree", "fresh_answers"))
    found, workers = compare(monkeypatch, FOREST, DEEP, late=late)
    assert (small, len(full), found.n_fits_) == ([True], 1, 6)
    # Nothing is made again, whichever ends first.
    assert [fit.is_checked_elsewhere for fit in workers.made].count(False) == 1
    assert len(workers.made) == 6


def test_first_steps_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    full = counted(monkeypatch, "fresh_answers")
    steps = make_pipeline(PCA(random_state=0), LogisticRegression())
    grid = {"pca__n_components": [2, 5], "logisticregression__C": [0.1, 1.0]}
    _, workers = compare(monkeypatch, steps, grid)
    assert (len(full), len(workers.made)) == (1, 12)


def test_what_fails_the_check_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Forest, "submodels", lambda self, fitted, values, X: [fitted] * len(values))
    found, workers = compare(monkeypatch, FOREST, DEEP, late=2)
    # Two were held back, and one was under way; those that waited in the queue are made but once.
    assert (found.n_fits_, len(workers.made)) == (18, 6 + 3)


def test_without_a_verdict_each_worker_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    full = counted(monkeypatch, "fresh_answers")
    _, workers = compare(monkeypatch, FOREST, DEEP, late=1, deadly=[0])
    assert len(full) == 2
    # One result was held back, and one fit was under way; what waited is made with a check.
    assert sum(fit.is_checked_elsewhere for fit in workers.made) == 2


def test_kinds_of_another_prototype_are_checked_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = counted(monkeypatch, "fresh_answers")
    grid = [{"max_depth": [2], **SIZES}, {"max_leaf_nodes": [4], **SIZES}]
    _, workers = compare(monkeypatch, FOREST, grid)
    assert (len(full), len(workers.made)) == (2, 6)


def test_results_wait_for_the_check() -> None:
    objective = objective_of(FOREST)
    workers = Copies(objective, late=2)
    with CheckedOnce(workers, objective.likeness) as executor:
        candidates = tuple({"n_estimators": n} for n in (1, 7))
        futures = [executor.submit(Fit(fold, candidates)) for fold in (0, 1, 2, 0)]
        assert list(executor.completed(0)) == []
        assert not futures[1].done()
        assert not futures[1].cancel()
        assert futures[3].cancel()
        assert list(executor.completed()) == futures[:3]
        assert list(executor.completed()) == []
    assert [future.result()[0].n_sharing for future in futures[:3]] == [2, 2, 2]


def objective_of(estimator: Any) -> LiveObjective:
    search = GridSearchCV(estimator, SIZES, cv=3)
    return search._engine(search._checked(X, Y, {}), search._plan().objects).objective


@pytest.mark.parametrize("kind", ["forest", "boosting"])
def test_worker_processes(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    estimator: Any = FOREST
    if kind == "boosting":
        estimator = pytest.importorskip("xgboost").XGBClassifier(n_jobs=1, random_state=0)
    trusted: list[frozenset[str]] = []
    take_in = CheckedOnce._take_in

    def noting(self: CheckedOnce, call: Any, inner: Future[Any]) -> None:
        trusted.extend(r.trusted for r in inner.result() if r.trusted)
        take_in(self, call, inner)

    monkeypatch.setattr(CheckedOnce, "_take_in", noting)
    found = GridSearchCV(estimator, DEEP, cv=3, n_jobs=2, refit=False).fit(X, Y)
    assert (len(trusted), found.n_fits_) == (1, 6)
    assert "One process does this for all." in str(found.plan_)
    same_as_theirs(found, estimator, DEEP)


def test_what_cannot_be_taken_back_is_checked_by_each(tmp_path: Any) -> None:
    given: dict[str, Any] = {"cv": 3, "n_jobs": 2, "ledger": tmp_path / "ledger.db"}
    found = GridSearchCV(FOREST, SIZES, refit=False, **given).fit(X, Y)
    assert "Each process that makes fits does this." in str(found.plan_)


def test_a_long_queue_is_not_looked_through_after_every_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[object] = []
    cancelled = Future.cancelled

    def counted_look(self: Future[Any]) -> bool:
        looks.append(self)
        return cancelled(self)

    monkeypatch.setattr(Future, "cancelled", counted_look)
    _, workers = compare(monkeypatch, LogisticRegression(), {"C": np.logspace(-3, 1, 60).tolist()})
    assert len(workers.made) == 180
    assert len(looks) < 10 * len(workers.made)
