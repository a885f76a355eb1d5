"""How much faster sharing could be at most: all fits' work over that of the unique ones."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, StratifiedKFold
from sklearn.pipeline import Pipeline

from benchmarks.cases import FOLDS, Case
from benchmarks.measure import measure

Params = Mapping[str, Any]


def limit(case: Case, theirs: Mapping[str, Any]) -> float:
    """The ratio of wall times that exact sharing allows, overhead aside.

    Args:
        case: what both sides search.
        theirs: the rival's results; its candidates are the work that was asked for.
    """
    if isinstance(case.estimator, Pipeline):
        total, unique = measure(seconds_by_steps, case, Path()).found
        return float(total / unique)
    return sum(work(case, params) for params in theirs["params"]) / unique_work(case)


def work(case: Case, params: Params) -> float:
    """Of one fit: the value of the parameter along which it grows, or 1."""
    return float(params[case.along]) if case.along and case.is_sized else 1.0


def unique_work(case: Case) -> float:
    """Of the fits that are left: the widest one of all that differ in the path's value alone."""
    known = list(ParameterGrid(case.before)) if case.before else []
    widest: dict[Any, float] = defaultdict(float)
    for params in ParameterGrid(dict(case.grid)):
        if params not in known:
            rest = tuple((name, v) for name, v in sorted(params.items()) if name != case.along)
            widest[rest] = max(widest[rest], work(case, params))
    return sum(widest.values())


def seconds_by_steps(case: Case, place: Path) -> Callable[[], tuple[float, float]]:
    """For ``measure``: CPU seconds of a pipeline's candidates on one fold, one after the other.

    Returns:
        A function that gives (all work, work with each transformer fitted once).
    """
    X, y = case.data()
    train, test = next(StratifiedKFold(FOLDS).split(X, y))

    def run() -> tuple[float, float]:
        made: dict[Any, tuple[Any, Any, float]] = {(): (X[train], X[test], 0.0)}
        total = unique = 0.0
        for params in ParameterGrid(dict(case.grid)):
            place: tuple[str, ...] = ()
            *front, (_, last) = clone(case.estimator).set_params(**params).steps
            for _, step in front:
                before, place = made[place][:2], (*place, repr(step))
                if place not in made:
                    began = time.process_time()
                    rows = step.fit_transform(before[0], y[train]), step.transform(before[1])
                    made[place] = *rows, time.process_time() - began
                    unique += made[place][2]
                total += made[place][2]
            began = time.process_time()
            last.fit(made[place][0], y[train]).predict(made[place][1])
            taken = time.process_time() - began
            total, unique = total + taken, unique + taken
        return total, unique

    return run
