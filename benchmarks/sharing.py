"""Grid search against ``GridSearchCV``: wall time, what sharing could give at most, and equality.

    python -m benchmarks.sharing [--only NAME] [--scale 1.0]

Both search the same grid on the same folds with the same number of processes, in turns. The limit
is the ratio of all fits' work to the work that is left when every shareable fit is made once,
counted by the size of the submodel parameter. Equality is bitwise, fold by fold.
"""

import argparse
import os
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import tunesmith

os.environ.setdefault("OMP_NUM_THREADS", "1")
FOLDS = 5


@dataclass(frozen=True)
class Case:
    """A grid over an estimator."""

    estimator: Any
    objective: dict[str, Any]
    grid: dict[str, list[Any]]
    shape: tuple[int, int]
    limit: float
    """All work over the work that remains."""


def steps(*named: tuple[str, Any]) -> dict[str, Any]:
    """The objective's steps for a pipeline."""
    return {
        "steps": [
            {"name": name, "estimator": path(step), "params": changed(step)} for name, step in named
        ]
    }


def path(estimator: Any) -> str:
    """Its public import path."""
    cls = type(estimator)
    return f"{cls.__module__.rsplit('._', 1)[0]}.{cls.__name__}"


def changed(estimator: Any) -> dict[str, Any]:
    """Parameters that differ from the defaults."""
    defaults = type(estimator)().get_params()
    return {k: v for k, v in estimator.get_params().items() if v != defaults[k]}


def single(estimator: Any) -> dict[str, Any]:
    """The objective's estimator."""
    return {"estimator": path(estimator), "params": changed(estimator)}


def path_limit(values: list[int]) -> float:
    """Work of all sizes over the largest one's."""
    return sum(values) / max(values)


def cases(scale: float) -> dict[str, Case]:
    """The table's rows."""
    rows = int(4000 * scale)
    forest = RandomForestClassifier(random_state=0)
    boosting = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
    ten = list(range(20, 201, 20))
    quantile = [("spread", QuantileTransformer(n_quantiles=100, random_state=0))]
    pca = [("scale", StandardScaler()), ("pca", PCA(random_state=0))]
    logistic = LogisticRegression(max_iter=200)
    front = [*quantile, *pca, ("model", logistic)]
    return {
        "random forest, the spec's grid": Case(
            forest,
            single(forest),
            {
                "max_depth": [5, 10, None],
                "min_samples_leaf": [1, 5],
                "n_estimators": [50, 100, 200],
            },
            (rows, 20),
            path_limit([50, 100, 200]),
        ),
        "hist gradient boosting, 10 values of max_iter": Case(
            boosting,
            single(boosting),
            {"learning_rate": [0.05, 0.1], "max_iter": ten, "max_leaf_nodes": [15, 31]},
            (rows, 20),
            path_limit(ten),
        ),
        "nearest neighbours, 20 values, 2 weights": Case(
            KNeighborsClassifier(algorithm="brute"),
            single(KNeighborsClassifier(algorithm="brute")),
            {"n_neighbors": list(range(1, 60, 3)), "weights": ["uniform", "distance"]},
            (2 * rows, 20),
            40.0,
        ),
        "decision tree, 20 values of ccp_alpha": Case(
            DecisionTreeClassifier(random_state=0),
            single(DecisionTreeClassifier(random_state=0)),
            {"ccp_alpha": np.round(np.linspace(0, 0.02, 20), 5).tolist()},
            (3 * rows, 30),
            20.0,
        ),
        "pipeline: quantiles, scaler, PCA, logistic regression": Case(
            Pipeline(front),
            steps(*front),
            {"model__C": np.logspace(-3, 2, 10).round(6).tolist(), "pca__n_components": [5, 10]},
            (3 * rows, 40),
            float("nan"),
        ),
        "500 values of C, logistic regression": Case(
            logistic,
            single(logistic),
            {"C": np.logspace(-4, 2, 500).round(8).tolist()},
            (rows // 10, 20),
            1.0,
        ),
        "nothing to share: SVC": Case(
            SVC(),
            single(SVC()),
            {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.05, 0.2]},
            (rows, 20),
            1.0,
        ),
    }


def ours(case: Case, folder: Path, n_jobs: int) -> tuple[float, Any]:
    """Seconds, and the result."""
    definition = tunesmith.define(
        {
            "study": "bench",
            "objective": {
                **case.objective,
                "data": {"path": "data.csv", "target": "y"},
                "cv": FOLDS,
                "metric": "accuracy",
            },
            "space": case.grid,
            "search": {"method": "grid"},
            "execution": {"workers": n_jobs},
            "ledger": f".tunesmith/{time.monotonic_ns()}.db",
        },
        root=folder,
    )
    began = time.perf_counter()
    result = tunesmith.tune(definition)
    return time.perf_counter() - began, result


def theirs(case: Case, table: pd.DataFrame, n_jobs: int) -> tuple[float, Any]:
    """Seconds, and ``cv_results_``."""
    search = GridSearchCV(
        case.estimator, case.grid, cv=FOLDS, scoring="accuracy", n_jobs=n_jobs, refit=False
    )
    began = time.perf_counter()
    search.fit(table.drop(columns="y"), table["y"])
    return time.perf_counter() - began, search.cv_results_


def is_equal(result: Any, expected: Any) -> bool:
    """Every fold's score, the means, their deviations and ranks."""
    names = [f"split{fold}_test_score" for fold in range(FOLDS)]
    names += ["mean_test_score", "std_test_score", "rank_test_score"]
    found = result.cv_results_
    same = all(np.array_equal(found[name], expected[name]) for name in names)
    return same and list(found["params"]) == list(expected["params"])


def row(name: str, case: Case, n_jobs: int) -> str:
    """One measured row."""
    X, y = make_classification(*case.shape, n_informative=8, flip_y=0.1, random_state=0)
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(y=y)
    with tempfile.TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "data.csv", index=False)
        table = pd.read_csv(Path(folder) / "data.csv")
        their_s, expected = theirs(case, table, n_jobs)
        our_s, result = ours(case, Path(folder), n_jobs)
    equal = "yes" if is_equal(result, expected) else "NO"
    n_candidates = len(expected["params"])
    return (
        f"| {name} | {n_candidates} | {result.n_fits} of {n_candidates * FOLDS} | {their_s:.1f} |"
        f" {our_s:.1f} | {their_s / our_s:.2f} | {case.limit:.2f} | {equal} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rows")
    options, _ = parser.parse_known_args()
    warnings.simplefilter("ignore")
    n_jobs = len(os.sched_getaffinity(0))
    print(f"{n_jobs} processes, {FOLDS} folds; seconds of wall time, start of workers included\n")
    print("| grid | candidates | fits made | GridSearchCV | Tunesmith | ratio | limit | equal |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for name, case in cases(options.scale).items():
        if options.only in name:
            print(row(name, case, n_jobs), flush=True)


if __name__ == "__main__":
    main()
