"""What is searched: a grid over an estimator, the rows, and the goal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

FOLDS = 5
SCALES = ("quick", "usual", "full")
Grid = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Goal:
    """What a row should reach: all of it."""

    share: float = 0.0
    """Of the limit."""
    ratio: float = 0.0
    """Of wall times."""

    def __str__(self) -> str:
        share = [f"{self.share:g} of the limit"] if self.share else []
        return ", ".join(share + [f"{self.ratio:g}×"] * bool(self.ratio))

    def is_met(self, ratio: float, limit: float | None) -> bool:
        """Whether a ratio is enough."""
        return ratio >= self.ratio and (limit is None or ratio >= self.share * limit)


@dataclass(frozen=True)
class Case:
    """A grid over an estimator."""

    title: str
    estimator: Any
    grid: Grid
    shape: tuple[int, int]
    """Rows and columns."""
    goal: Goal
    along: str = ""
    """The parameter along which one fit holds the others."""
    is_sized: bool = True
    """Whether the work of a fit grows with the value of that parameter."""
    scoring: str = "accuracy"
    rivals: tuple[str, ...] = ("GridSearchCV",)
    """Of ``sides.RIVALS``."""
    before: Grid = field(default_factory=dict)
    """What an earlier search with the same ledger has scored."""

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """The same rows every time; of few enough digits to survive a CSV file."""
        n_rows, n_columns = self.shape
        if self.scoring == "r2":
            X, y = make_regression(n_rows, n_columns, noise=20, random_state=0)
        else:
            X, y = make_classification(
                n_rows, n_columns, n_informative=8, flip_y=0.1, random_state=0
            )
        return np.round(X, 6), y


def cases(scale: str = "usual") -> list[Case]:
    """The table's rows, at a scale of ``SCALES``."""
    size = SCALES.index(scale)
    return [*forests(size), *boosting(size), *pipelines(size), *others(size)]


def forests(size: int) -> list[Case]:
    """The spec's examples."""
    forest = RandomForestClassifier(random_state=0)
    grid: Grid = {
        "max_depth": [5, 10, None],
        "min_samples_leaf": [1, 5],
        "n_estimators": [50, 100, 200],
    }
    whole = {"max_depth": [*range(3, 21)], "n_estimators": [*range(50, 201)]}
    return [
        Case(
            "random forest, the spec's grid",
            forest,
            grid,
            ((1_000, 4_000, 20_000)[size], 20),
            Goal(share=0.9),
            "n_estimators",
            rivals=("GridSearchCV", "GridSearchCV; ours by tune()"),
        ),
        Case(
            "random forest, the spec's Bayesian example: all configurations",
            forest,
            whole,
            ((300, 1_000, 10_000)[size], 20),
            Goal(ratio=1.0),
            "n_estimators",
            scoring="recall",
            rivals=("Optuna, 30 trials, as the spec writes it", "Optuna, 30 trials, n_jobs=all"),
        ),
    ]


def boosting(size: int) -> list[Case]:
    """Learning rate × depth × ten values of rounds."""
    most = (50, 100, 200)[size]
    ten = [*range(most // 10, most + 1, most // 10)]
    rates, depths = [0.05, 0.1], [4] if size == 0 else [4, 6]
    shapes = [((1_000, 20),), ((4_000, 50),), ((20_000, 50), (100_000, 30))][size]
    return [
        Case(
            f"{title}, ten values of rounds",
            estimator,
            {"learning_rate": rates, depth: depths, rounds: ten},
            shape,
            Goal(share=0.9, ratio=4),
            rounds,
            rivals=("GridSearchCV", "GridSearchCV; ours warm"),
        )
        for shape in shapes
        for title, estimator, depth, rounds in boosters()
    ]


def boosters() -> list[tuple[str, Any, str, str]]:
    """Title, estimator in one thread, its names for depth and rounds."""
    # Imported here, so that the sides of other cases need not carry them.
    from catboost import CatBoostClassifier  # type: ignore[import-untyped]
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    # Early stopping, automatic from 10,000 rows on, would end all runs of a path at one place.
    histogram = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
    cat = CatBoostClassifier(thread_count=1, random_seed=0, verbose=0, allow_writing_files=False)
    return [
        ("HistGradientBoosting", histogram, "max_depth", "max_iter"),
        ("XGBoost", XGBClassifier(n_jobs=1, random_state=0), "max_depth", "n_estimators"),
        (
            "LightGBM",
            LGBMClassifier(n_jobs=1, random_state=0, verbose=-1),
            "max_depth",
            "n_estimators",
        ),
        ("CatBoost", cat, "depth", "iterations"),
    ]


def pipelines(size: int) -> list[Case]:
    """Two transformers before a linear model."""
    steps = [
        ("scale", StandardScaler()),
        ("pca", PCA(random_state=0)),
        ("model", LogisticRegression(max_iter=200)),
    ]
    return [
        Case(
            "Pipeline(scaler, PCA, logistic regression)",
            Pipeline(steps),
            {
                "pca__n_components": [5, 10, 20],
                "model__C": np.logspace(-3, 2, 10).round(6).tolist(),
            },
            ((2_000, 10_000, 50_000)[size], 60),
            Goal(share=0.9, ratio=1),
            rivals=("GridSearchCV", "GridSearchCV, memory=", "dask-ml"),
        )
    ]


def others(size: int) -> list[Case]:
    """Neighbours, cheap candidates, and where nothing can be shared."""
    n_cheap, small = (100, 500, 500)[size], (400, 20)
    svc_shape = ((1_000, 3_000, 8_000)[size], 20)
    return [
        Case(
            "nearest neighbours, 20 values",
            KNeighborsClassifier(),
            {"n_neighbors": [*range(1, 60, 3)]},
            ((4_000, 20_000, 20_000)[size], 20),
            Goal(ratio=10),
            "n_neighbors",
            is_sized=False,
        ),
        Case(
            "decision tree, 20 values of ccp_alpha",
            DecisionTreeClassifier(random_state=0),
            {"ccp_alpha": np.linspace(0, 0.02, 20).round(5).tolist()},
            ((2_000, 5_000, 20_000)[size], 30),
            Goal(ratio=4),
            "ccp_alpha",
            is_sized=False,
        ),
        Case(
            f"{n_cheap} cheap candidates: ridge",
            Ridge(),
            {"alpha": np.logspace(-4, 4, n_cheap).tolist()},
            small,
            Goal(ratio=2),
            scoring="r2",
        ),
        Case(
            f"{n_cheap} cheap candidates: logistic regression",
            LogisticRegression(max_iter=200),
            {"C": np.logspace(-4, 2, n_cheap).tolist()},
            small,
            Goal(ratio=2),
        ),
        Case(
            "nothing to share: SVC",
            SVC(),
            {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.05, 0.2]},
            svc_shape,
            Goal(ratio=0.98),
        ),
        Case(
            "a space widened by 20 %, with a ledger: SVC",
            SVC(),
            {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.03, 0.05, 0.07, 0.09, 0.12]},
            svc_shape,
            Goal(share=0.9),
            rivals=("GridSearchCV, from scratch",),
            before={"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.03, 0.05, 0.07, 0.09]},
        ),
    ]
