"""What curves are worth: studies of a forest, with and without them, for the same seeds.

    python -m benchmarks.curves [--trials 20] [--seeds 5] [--trees 100]

Every trial makes the same number of fits either way. Regret is the best score of the whole grid
minus the best of the study; 0 is the limit. Times are from one process, one study after the other.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_classification

from tunesmith import define, tune
from tunesmith.runs.result import Result

FOLDS = 5


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("trials", 20), ("seeds", 5), ("trees", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args(arguments)
    print("| search | curves | regret, mean | regret, worst | fits | scores | seconds |")
    print("|---|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table(folder)
        grid = study(folder, given.trees, search={"method": "grid"}, ledger="grid.db")
        limit = best(grid)
        for method in ("random", "bayesian"):
            for has_submodel_candidates in (False, True):
                row = compared(
                    folder, given, method, limit, has_submodel_candidates=has_submodel_candidates
                )
                print(
                    f"| {method} | {'yes' if has_submodel_candidates else 'no'} | {row} |",
                    flush=True,
                )


def compared(
    folder: Path,
    given: argparse.Namespace,
    method: str,
    limit: float,
    *,
    has_submodel_candidates: bool,
) -> str:
    """Cells of a row: means over the seeds."""
    regrets, fits, scores, seconds = [], [], [], []
    for seed in range(given.seeds):
        began = time.perf_counter()
        found = study(
            folder,
            given.trees,
            search={
                "method": method,
                "seed": seed,
                "curves": has_submodel_candidates,
                "start_with": [],
            },
            stop={"trials": given.trials},
            ledger=f"{method}-{has_submodel_candidates}-{seed}.db",
        )
        seconds.append(time.perf_counter() - began)
        regrets.append(limit - best(found))
        fits.append(found.n_fits)
        scores.append(found.n_evaluated)
    cells = f"{np.mean(regrets):.5f} | {max(regrets):.5f} | {np.mean(fits):.0f}"
    return f"{cells} | {np.mean(scores):,.0f} | {np.mean(seconds):.1f}"


def table(folder: Path) -> None:
    """400 rows of two classes that are hard to tell apart."""
    X, y = make_classification(400, 12, n_informative=5, flip_y=0.15, random_state=0)
    rows = np.column_stack([X, y])
    head = ",".join([*(f"x{i}" for i in range(X.shape[1])), "y"])
    np.savetxt(folder / "data.csv", rows, delimiter=",", header=head, comments="", fmt="%.12g")


def study(folder: Path, n_trees: int, **sections: Any) -> Result:
    """A run over up to ``n_trees`` trees of 18 depths."""
    objective = {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "params": {"random_state": 0},
        "data": {"path": "data.csv", "target": "y"},
        "cv": FOLDS,
        "metric": "roc_auc",
    }
    space = {"n_estimators": {"int": [10, n_trees]}, "max_depth": {"int": [3, 20]}}
    written = {"study": "curves", "objective": objective, "space": space, **sections}
    return tune(define({**written, "execution": {"workers": 1}}, root=folder))


def best(result: Result) -> float:
    """The best mean score."""
    found = result.record.history.best()
    assert found is not None
    return found.mean("roc_auc")


if __name__ == "__main__":
    main()
