"""The two sides of every row: each prepares outside the clock, and returns what is measured."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV as TheirGridSearchCV
from sklearn.model_selection import cross_val_score

import tunesmith
from benchmarks.cases import FOLDS, Case, Goal
from tunesmith.execute.choose import n_cores
from tunesmith.sklearn import GridSearchCV

FOLD_COLUMNS = [f"split{fold}_test_score" for fold in range(FOLDS)]
COLUMNS = ["params", *FOLD_COLUMNS, "mean_test_score", "std_test_score", "rank_test_score"]
N_TRIALS = 30
DASK = "TUNESMITH_BENCH_DASK"
"""Environment variable that names the folder of dask-ml."""


@dataclass(frozen=True)
class Found:
    """What a side has found."""

    results: dict[str, Any]
    """Of ``cv_results_``: the columns that are compared."""
    n_fits: int


Run = Callable[[], Found]
Prepare = Callable[[Case, Path], Run]


def found(results: Any, n_fits: int | None = None) -> Found:
    """What a search has found; by default one fit for each candidate and fold."""
    kept = {name: results[name] for name in COLUMNS if name in results}
    return Found(kept, len(kept["params"]) * FOLDS if n_fits is None else n_fits)


# -- Tunesmith -----------------------------------------------------------------------------------


def ours(case: Case, place: Path, ledger: Path | None = None) -> Run:
    """The face of scikit-learn, in memory or with a ledger."""
    X, y = case.data()
    search = GridSearchCV(
        clone(case.estimator),
        case.grid,
        cv=FOLDS,
        scoring=case.scoring,
        n_jobs=n_cores(),
        refit=False,
        ledger=ledger,
    )

    def run() -> Found:
        search.fit(X, y)
        return found(search.cv_results_, search.n_fits_)

    return run


def continued(case: Case, place: Path) -> Run:
    """The same over a ledger in which an earlier search, made in another process, is found."""
    return ours(case, place, place / "ledger.db")


def warm(case: Case, place: Path) -> Run:
    """The same over a ledger that knows that this kind of sharing has passed its check."""
    X, y = case.data()
    ledger = place / "warm.db"
    few = {name: values[: 2 if name == case.along else 1] for name, values in case.grid.items()}
    # Other rows of the same kind: no score of theirs is found again.
    GridSearchCV(
        clone(case.estimator), few, cv=FOLDS, scoring=case.scoring, refit=False, ledger=ledger
    ).fit(X * (1 + 1e-9), y)
    return ours(case, place, ledger)


def by_file(case: Case, place: Path) -> Run:
    """``tune``, which the command line uses: a CSV file, a ledger, a report."""
    X, y = case.data()
    columns = [f"x{i}" for i in range(X.shape[1])]
    pd.DataFrame(X, columns=columns).assign(y=y).to_csv(place / "data.csv", index=False)
    cls = type(case.estimator)
    definition = tunesmith.define(
        {
            "study": "bench",
            "objective": {
                "estimator": f"{cls.__module__.rsplit('._', 1)[0]}.{cls.__name__}",
                "params": changed(case.estimator),
                "data": {"path": "data.csv", "target": "y"},
                "cv": FOLDS,
                "metric": case.scoring,
            },
            "space": dict(case.grid),
            "search": {"method": "grid"},
            "execution": {"workers": n_cores()},
        },
        root=place,
    )

    def run() -> Found:
        result = tunesmith.tune(definition)
        return found(result.cv_results_, result.n_fits)

    return run


def changed(estimator: Any) -> dict[str, Any]:
    """Parameters that differ from the defaults."""
    defaults = type(estimator)().get_params()
    return {k: v for k, v in estimator.get_params().items() if v != defaults[k]}


# -- the rivals ----------------------------------------------------------------------------------


def theirs(case: Case, place: Path, memory: Path | None = None) -> Run:
    """Scikit-learn's search with as many processes; a pipeline may get a ``memory``."""
    X, y = case.data()
    estimator = clone(case.estimator)
    if memory is not None:
        estimator.set_params(memory=str(memory))
    search = TheirGridSearchCV(
        estimator, case.grid, cv=FOLDS, scoring=case.scoring, n_jobs=n_cores(), refit=False
    )

    def run() -> Found:
        return found(search.fit(X, y).cv_results_)

    return run


def with_memory(case: Case, place: Path) -> Run:
    """Scikit-learn's search over a pipeline that keeps its fitted transformers on disk."""
    return theirs(case, place, place / "memory")


def dask(case: Case, place: Path) -> Run:
    """dask-ml's search, by processes."""
    sys.path += filter(None, [os.environ.get(DASK)])
    from dask_ml.model_selection import (  # type: ignore[import-not-found]
        GridSearchCV as DaskGridSearchCV,
    )

    X, y = case.data()
    search = DaskGridSearchCV(
        clone(case.estimator),
        dict(case.grid),
        cv=FOLDS,
        scoring=case.scoring,
        n_jobs=n_cores(),
        refit=False,
        scheduler="processes",
    )

    def run() -> Found:
        results = search.fit(X, y).cv_results_
        # Its means are summed in another order than scikit-learn's.
        return found({name: results[name] for name in ["params", *FOLD_COLUMNS]})

    return run


def trials(case: Case, place: Path, n_jobs: int | None = None) -> Run:
    """The spec's Optuna study: each trial is the mean of ``cross_val_score``."""
    import optuna

    X, y = case.data()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ranges = {name: (min(values), max(values)) for name, values in case.grid.items()}
    kept: list[tuple[dict[str, Any], np.ndarray]] = []

    def objective(trial: Any) -> float:
        params = {name: trial.suggest_int(name, *ends) for name, ends in ranges.items()}
        model = clone(case.estimator).set_params(**params)
        scores = cross_val_score(model, X, y, cv=FOLDS, scoring=case.scoring, n_jobs=n_jobs)
        kept.append((params, scores))
        return float(scores.mean())

    def run() -> Found:
        sampler = optuna.samplers.TPESampler(seed=0)
        optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, N_TRIALS)
        columns = zip(FOLD_COLUMNS, np.array([scores for _, scores in kept]).T, strict=True)
        return found({"params": [params for params, _ in kept], **dict(columns)})

    return run


def trials_in_parallel(case: Case, place: Path) -> Run:
    """The same with the folds of a trial in parallel."""
    return trials(case, place, n_cores())


# -- who meets whom ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rival:
    """Whom Tunesmith is measured against, and through which door."""

    prepare: Prepare
    ours: Prepare = ours
    goal: Goal | None = None
    """In place of the case's."""
    is_alike: bool = True
    """Whether it makes every fit by itself, with as many processes: the limit holds."""


FASTER = Goal(ratio=1)
RIVALS = {
    "GridSearchCV": Rival(theirs),
    "GridSearchCV; ours by tune()": Rival(theirs, by_file),
    "GridSearchCV; ours warm": Rival(theirs, warm),
    "GridSearchCV, from scratch": Rival(theirs, continued),
    "GridSearchCV, memory=": Rival(with_memory, goal=FASTER, is_alike=False),
    "dask-ml": Rival(dask, goal=FASTER, is_alike=False),
    "Optuna, 30 trials, as the spec writes it": Rival(trials, is_alike=False),
    "Optuna, 30 trials, n_jobs=all": Rival(trials_in_parallel),
}
