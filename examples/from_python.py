"""A study without a configuration file: scipy distributions in, ``cv_results_`` out."""

import tempfile
from pathlib import Path

import pandas as pd
from scipy.stats import loguniform, randint
from sklearn.datasets import load_iris

import tunesmith


def main(folder: Path) -> None:
    """Tune a support vector machine on the iris data."""
    load_iris(as_frame=True).frame.to_csv(folder / "iris.csv", index=False)
    definition = tunesmith.define(
        {
            "study": "iris",
            "objective": {
                "estimator": "sklearn.svm.SVC",
                "data": {"path": "iris.csv", "target": "target"},
                "cv": 5,
                "metric": "accuracy",
            },
            "space": [
                {"kernel": ["rbf"], "C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-4, 1)},
                {"kernel": ["poly"], "C": loguniform(1e-2, 1e3), "degree": randint(2, 5)},
            ],
            "search": {"method": "random", "seed": 0},
            "stop": {"trials": 30},
        },
        root=folder,
    )
    result = tunesmith.tune(definition)
    columns = ["params", "mean_test_score", "std_test_score", "rank_test_score"]
    table = pd.DataFrame(result.cv_results_)[columns].sort_values("rank_test_score")
    print(table.head().to_string(index=False))
    best = table.iloc[0]
    print(f"best C = {best.params['C']:.4g}, mean accuracy {best.mean_test_score:.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
