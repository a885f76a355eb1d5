"""The time to go of six studies, against the time that they then took.

    python -m benchmarks.time_to_go

Each study is run once; from a tenth of its trials on, every forecast is compared with what was
left. The quotient is forecast / truth, so that 1 is right.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.datasets import make_classification

import tunesmith
from tunesmith.study.progress import Progress

STUDIES: Mapping[str, tuple[str, str]] = {
    "grid, logistic regression": ("sklearn.linear_model.LogisticRegression", "grid"),
    "random, forest": ("sklearn.ensemble.RandomForestClassifier", "random"),
    "Bayesian, tree (fast fits)": ("sklearn.tree.DecisionTreeClassifier", "bayesian"),
    "Bayesian, forest": ("sklearn.ensemble.RandomForestClassifier", "bayesian"),
    "Bayesian, boosting, 2 workers": (
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "bayesian",
    ),
    "Bayesian, forest, no race": ("sklearn.ensemble.RandomForestClassifier", "bayesian"),
}
SPACES: Mapping[str, Any] = {
    "LogisticRegression": {"C": [10.0**i for i in np.linspace(-3, 2, 30).tolist()]},
    "RandomForestClassifier": {"max_depth": {"int": [2, 12]}, "min_samples_leaf": {"int": [1, 20]}},
    "DecisionTreeClassifier": {"max_depth": {"int": [1, 12]}, "ccp_alpha": {"float": [0.0, 0.05]}},
    "HistGradientBoostingClassifier": {
        "learning_rate": {"float": [0.03, 0.3], "log": True},
        "max_leaf_nodes": {"int": [4, 31]},
    },
}


def main() -> None:
    """Print the table."""
    print("| study | took | quotients from a tenth on: median | smallest | largest | within 30 % |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in STUDIES:
        moments, total_s = watched(name)
        if not moments:
            print(f"| {name} | {total_s:.1f} s | no forecast |  |  |  |", flush=True)
            continue
        quotients = np.array([forecast / (total_s - at) for at, forecast in moments])
        share = float((np.abs(quotients - 1) <= 0.3).mean())
        low, middle, high = np.quantile(quotients, [0, 0.5, 1])
        cells = f"{total_s:.1f} s | {middle:.2f} | {low:.2f} | {high:.2f} | {share:.0%}"
        print(f"| {name} | {cells} |", flush=True)


def watched(name: str) -> tuple[list[tuple[float, float]], float]:
    """Run a study; return (seconds since its begin, forecast) of its moments, and its duration."""
    estimator, method = STUDIES[name]
    X, y = make_classification(400, 12, random_state=0)
    with TemporaryDirectory() as folder:
        table = np.column_stack([X, y])
        header = ",".join([*(f"x{i}" for i in range(12)), "y"])
        np.savetxt(Path(folder) / "d.csv", table, delimiter=",", header=header, comments="")
        config = {
            "study": "s",
            "objective": {
                "estimator": estimator,
                "data": {"path": "d.csv", "target": "y"},
                "metric": "roc_auc",
                "params": {"n_estimators": 40} if "Forest" in estimator else {},
            },
            "space": SPACES[estimator.rpartition(".")[2]],
            "search": {"method": method, **({"race": "off"} if "no race" in name else {})},
            "stop": {"trials": 30},
            "execution": {"workers": 2 if "2 workers" in name else 1, "share": "off"},
        }
        moments: list[tuple[float, float]] = []
        began = time.perf_counter()

        def watch(progress: Progress) -> None:
            eta_s = progress.eta_s()
            is_far = progress.n_completed >= 0.1 * (progress.n_trials or 1)
            # Of the last trials, a forecast is of a fraction of a second.
            if eta_s and is_far and progress.n_completed <= 0.9 * (progress.n_trials or 1):
                moments.append((time.perf_counter() - began, eta_s))

        ended = run(config, Path(folder), watch)
        return moments, ended - began


def run(config: dict[str, Any], folder: Path, observer: Any) -> float:
    """Run a study; return the time of its last trial."""
    ended = [0.0]

    def watch(progress: Progress) -> None:
        if progress.newest is not None:
            ended[0] = time.perf_counter()
        observer(progress)

    path = folder / "tuning.json"
    path.write_text(json.dumps(config))
    tunesmith.tune(path, observer=watch, progress=False, say=lambda _text: None)
    return ended[0]


if __name__ == "__main__":
    main()
