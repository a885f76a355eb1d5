"""Tables of real cross-validation: the fold scores of every point of small grids.

They are computed once and kept in a file, so that thousands of races can be run on them.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tunesmith.types import Params, Value

FOLDS = (5, 10)
N_SPLITS = 2
MAX_ROWS = 400
DATA: Mapping[str, Callable[..., Any]] = {
    "breast cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "digits": load_digits,
    "wine": load_wine,
}
TREE: Mapping[str, Sequence[Value]] = {
    "max_depth": [2, 3, 5, 8, 12],
    "min_samples_leaf": [1, 2, 5, 10, 20],
    "max_features": [0.2, 0.4, 0.7, 1.0],
}


def tree(**params: Any) -> Any:
    """A decision tree."""
    return DecisionTreeClassifier(**params, random_state=0)


def regressor(**params: Any) -> Any:
    """A decision tree for numbers."""
    return DecisionTreeRegressor(**params, random_state=0)


def forest(**params: Any) -> Any:
    """A small forest."""
    return ExtraTreesClassifier(**params, n_estimators=10, random_state=0)


def machine(**params: Any) -> Any:
    """Scaled support vectors."""
    return make_pipeline(StandardScaler(), SVC(**params, max_iter=2000))


def neighbours(**params: Any) -> Any:
    """Nearest neighbours of scaled rows."""
    return make_pipeline(StandardScaler(), KNeighborsClassifier(**params))


def logistic(**params: Any) -> Any:
    """Logistic regression on scaled rows."""
    return make_pipeline(StandardScaler(), LogisticRegression(**params, max_iter=100))


def elastic(**params: Any) -> Any:
    """A linear model."""
    return make_pipeline(StandardScaler(), ElasticNet(**params, max_iter=300))


VECTORS: Mapping[str, Sequence[Value]] = {
    "C": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
    "gamma": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
}
NEIGHBOURS: Mapping[str, Sequence[Value]] = {
    "n_neighbors": [1, 2, 3, 4, 5, 7, 9, 12, 16, 20, 30, 40],
    "weights": ["uniform", "distance"],
    "p": [1.0, 1.5, 2.0, 3.0],
}


@dataclass(frozen=True)
class Problem:
    """A model, its grid, and the data that it learns from."""

    name: str
    data: str
    make: Callable[..., Any]
    grid: Mapping[str, Sequence[Value]]
    scoring: str = "accuracy"

    @property
    def points(self) -> list[Params]:
        """All points of the grid, the last parameter first to change."""
        return [dict(zip(self.grid, one, strict=True)) for one in product(*self.grid.values())]

    def scores(self, n_folds: int, split: int) -> np.ndarray:
        """Scores of all points, ``(n_points, n_folds)``.

        Args:
            n_folds: of the cross-validation.
            split: seed of the split.
        """
        X, y = DATA[self.data](return_X_y=True)
        rows = np.random.default_rng(0).permutation(len(X))[:MAX_ROWS]
        is_classified = self.scoring == "accuracy"
        kind = StratifiedKFold if is_classified else KFold
        cv = kind(n_folds, shuffle=True, random_state=split)
        with warnings.catch_warnings():
            # Some points of a grid do not converge, as in any search.
            warnings.simplefilter("ignore")
            return np.array(
                [
                    cross_val_score(self.make(**one), X[rows], y[rows], cv=cv, scoring=self.scoring)
                    for one in self.points
                ]
            )


PROBLEMS = (
    Problem("tree, breast cancer", "breast cancer", tree, TREE),
    Problem("tree, digits", "digits", tree, TREE),
    Problem("tree, wine", "wine", tree, TREE),
    Problem("tree, diabetes", "diabetes", regressor, TREE, "r2"),
    Problem("forest, breast cancer", "breast cancer", forest, TREE),
    Problem("vectors, breast cancer", "breast cancer", machine, VECTORS),
    Problem("vectors, wine", "wine", machine, VECTORS),
    Problem("neighbours, wine", "wine", neighbours, NEIGHBOURS),
    Problem("neighbours, breast cancer", "breast cancer", neighbours, NEIGHBOURS),
    Problem(
        "logistic, breast cancer",
        "breast cancer",
        logistic,
        {
            "C": [float(f"{c:.3g}") for c in np.logspace(-4, 3, 40)],
            "class_weight": [None, "balanced"],
        },
    ),
    Problem(
        "elastic, diabetes",
        "diabetes",
        elastic,
        {
            "alpha": [float(f"{a:.3g}") for a in np.logspace(-3, 1.5, 24)],
            "l1_ratio": [0.0, 0.25, 0.5, 0.75, 1.0],
        },
        "r2",
    ),
)

Tables = Mapping[tuple[str, int, int], np.ndarray]
"""(problem, folds, split) -> scores ``(n_points, n_folds)``."""


def tables(file: Path, problems: Sequence[Problem] = PROBLEMS, first: int = 0) -> Tables:
    """Read the tables from a file; compute and keep those that it lacks.

    Args:
        file: of JSON.
        problems: all of them, or some.
        first: seed of the first split of the rows.
    """
    known = json.loads(file.read_text()) if file.exists() else {}
    for problem, n_folds, split in product(problems, FOLDS, range(first, first + N_SPLITS)):
        name = f"{problem.name}|{n_folds}|{split}"
        if name not in known:
            known[name] = np.round(problem.scores(n_folds, split), 12).tolist()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(known))
    parts = [(name.split("|"), scores) for name, scores in known.items()]
    return {(n, int(folds), int(split)): np.array(s) for (n, folds, split), s in parts}
