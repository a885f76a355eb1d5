"""Ctrl-C: what is finished stays."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from tunesmith.sklearn import GridSearchCV

X, Y = np.arange(40.0).reshape(-1, 1), np.tile([0, 1], 20)


class Slowing(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Quick at first; larger values say so and then take for ever."""

    def __init__(self, value: int = 0, mark: str = "") -> None:
        self.value, self.mark = value, mark

    def fit(self, X: Any, y: Any) -> "Slowing":
        if self.value >= 2:
            Path(self.mark).touch()
            time.sleep(60)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.value % 2)


def interrupt_once_there(mark: Path) -> None:
    while not mark.exists():
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_finished_candidates_are_there_after_ctrl_c(n_jobs: int | None, tmp_path: Path) -> None:
    mark = tmp_path / "slow"
    handler = signal.getsignal(signal.SIGINT)
    threading.Thread(target=interrupt_once_there, args=(mark,), daemon=True).start()
    search = GridSearchCV(Slowing(mark=str(mark)), {"value": [0, 1, 2, 3]}, cv=2, n_jobs=n_jobs)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert [params["value"] for params in search.cv_results_["params"]] == [0, 1]
    assert search.best_params_ == {"value": 0}
    assert search.stopped_by_ == "interrupted by SIGINT"
    assert not hasattr(search, "best_estimator_")
    assert signal.getsignal(signal.SIGINT) is handler


def test_only_what_finished_candidates_reused_is_counted(tmp_path: Path) -> None:
    mark = tmp_path / "slow"
    options: Any = {"cv": 2, "ledger": tmp_path / "scores.db", "refit": False}
    estimator = Slowing(mark=str(mark))
    GridSearchCV(estimator, {"value": [0, 1]}, **options).fit(X, Y)
    threading.Thread(target=interrupt_once_there, args=(mark,), daemon=True).start()
    # The last one is known, too, and was never told.
    search = GridSearchCV(estimator, {"value": [0, 2, 1]}, **options)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert [params["value"] for params in search.cv_results_["params"]] == [0]
    assert (search.n_reused_, search.n_fits_) == (2, 0)
