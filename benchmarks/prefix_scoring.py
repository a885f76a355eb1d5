"""What scoring a path of submodels costs: quick scores against scikit-learn's scorers.

    python -m benchmarks.prefix_scoring [--rows 2000] [--only NAME]

A forest of 200 trees holds those of 50 and more. All 151 are scored on the same rows, first by
scikit-learn's scorer, then by ours; predictions alone are the floor, the forest's fit is
the scale. Equality is bitwise, submodel by submodel.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import check_scoring, get_scorer

from tunesmith.objective.quick_scores import QuickScorers
from tunesmith.sharing.submodels.forest import Forest

os.environ.setdefault("OMP_NUM_THREADS", "1")
SIZES = list(range(50, 201))
TWO = ["accuracy", "recall", "f1_macro", "roc_auc", "average_precision", "neg_log_loss"]
FIVE = ["balanced_accuracy", "f1_weighted", "roc_auc_ovr", "neg_brier_score"]
NUMBERS = ["r2", "neg_mean_squared_error", "neg_mean_absolute_error", "neg_median_absolute_error"]


@dataclass(frozen=True)
class Case:
    """A fitted forest and rows to score it on."""

    title: str
    metrics: list[list[str]]
    forest: Any
    X: np.ndarray
    y: np.ndarray
    fit_s: float

    @classmethod
    def of(cls, title: str, metrics: list[str], forest: Any, X: Any, y: Any) -> "Case":
        """Fitted on four fifths of the rows."""
        n = len(y) * 4 // 5
        began = time.perf_counter()
        forest.set_params(n_estimators=max(SIZES), max_depth=8, random_state=0).fit(X[:n], y[:n])
        held = y[n:].copy()
        held.flags.writeable = False
        each = [[name] for name in metrics]
        return cls(title, [*each, metrics], forest, X[n:], held, time.perf_counter() - began)

    def along(self, score: Callable[[Any], Mapping[str, float]]) -> tuple[float, list[Any]]:
        """Seconds, and the scores of every submodel."""
        began = time.perf_counter()
        found = [score(model) for model in Forest().submodels(self.forest, SIZES, self.X)]
        return time.perf_counter() - began, found


def cases(rows: int) -> list[Case]:
    """Classes and numbers."""

    def classes(n_classes: int) -> Any:
        return make_classification(
            rows, 20, n_informative=8, n_classes=n_classes, flip_y=0.1, random_state=0
        )

    numbers = make_regression(rows, 20, noise=20, random_state=0)
    return [
        Case.of("2 classes", TWO, RandomForestClassifier(), *classes(2)),
        Case.of("5 classes", FIVE, RandomForestClassifier(), *classes(5)),
        Case.of("numbers", NUMBERS, RandomForestRegressor(), *numbers),
    ]


def row(case: Case, metrics: list[str]) -> str:
    """One measured row."""
    own = check_scoring(scoring=metrics)
    quick = QuickScorers({name: get_scorer(name) for name in metrics})
    floor_s, _ = case.along(lambda model: {"n": len(model.predict(case.X))})
    their_s, expected = case.along(lambda model: own(model, case.X, case.y))
    our_s, found = case.along(lambda model: quick(model, case.X, case.y))
    title = metrics[0] if len(metrics) == 1 else "all of these"
    return (
        f"| {case.title} | {title} | {case.fit_s * 1e3:.0f} | {floor_s * 1e3:.0f} |"
        f" {their_s * 1e3:.0f} | {our_s * 1e3:.0f} | {their_s / our_s:.1f} |"
        f" {'yes' if found == expected else 'NO'} |"
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2000, help="of which a fifth is scored")
    parser.add_argument("--only", default="", help="metrics whose name contains this")
    options = parser.parse_args(arguments)
    print(f"{len(SIZES)} submodels, {options.rows // 5} rows scored; milliseconds a path\n")
    print("| truth | metric | fit | predictions alone | scikit-learn | Tunesmith | ratio | equal |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for case in cases(options.rows):
        for metrics in case.metrics:
            if options.only in " ".join(metrics):
                print(row(case, metrics), flush=True)


if __name__ == "__main__":
    main()
