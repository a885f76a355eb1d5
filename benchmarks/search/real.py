"""Tuning problems with real noise: scikit-learn models on data that scikit-learn ships.

A trial sees the folds of one split of the rows, and each study has a split of its own. The true
loss of a point is its mean over many other splits, so that a sampler that follows the noise of its
folds pays for it.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks.search.references import stored_ends
from tunesmith.space import Box, Categorical, Condition, Float, Int, Parameter, SearchSpace
from tunesmith.types import Params

N_FOLDS = 5
N_TRUE_SPLITS = 4
N_POINTS = 60
"""Number of random points whose true losses set the ends of the scale."""
DATA: Mapping[str, Callable[..., Any]] = {
    "breast cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "iris": load_iris,
    "wine": load_wine,
}
TREE: Mapping[str, Parameter] = {
    "max_depth": Int(1, 20),
    "min_samples_leaf": Int(1, 30),
    "max_features": Float(0.1, 1.0),
    "ccp_alpha": Float(1e-5, 0.1, log=True),
}


def tree_classifier(params: Params) -> Any:
    """A decision tree."""
    return DecisionTreeClassifier(**params, random_state=0)


def tree_regressor(params: Params) -> Any:
    """A decision tree; its complexity is measured in units of the target."""
    given = {**params, "ccp_alpha": 1e4 * float(str(params["ccp_alpha"]))}
    return DecisionTreeRegressor(**given, random_state=0)


def vector_machine(params: Params) -> Any:
    """Scaled support vectors; iterations are limited, as in any search that has to end."""
    return make_pipeline(StandardScaler(), SVC(**params, max_iter=5000))


def neighbours(params: Params) -> Any:
    """Nearest neighbours of scaled rows."""
    return make_pipeline(StandardScaler(), KNeighborsClassifier(**params))


def logistic(params: Params) -> Any:
    """Logistic regression on scaled rows."""
    return make_pipeline(StandardScaler(), LogisticRegression(**params, max_iter=200))


def elastic(params: Params) -> Any:
    """A linear model, on products of the features if asked."""
    given = dict(params)
    degree = given.pop("degree")
    steps = (StandardScaler(), PolynomialFeatures(degree), ElasticNet(**given, max_iter=300))
    return make_pipeline(*steps)


def booster(params: Params) -> Any:
    """A short gradient boosting."""
    return HistGradientBoostingRegressor(**params, max_iter=25, random_state=0)


VECTORS = SearchSpace(
    (
        Box(
            {
                "kernel": Categorical(("linear", "poly", "rbf", "sigmoid")),
                "C": Float(1e-3, 1e3, log=True),
                "gamma": Float(1e-4, 10, log=True),
                "degree": Int(2, 4),
            },
            {
                "gamma": (Condition("kernel", ("poly", "rbf", "sigmoid")),),
                "degree": (Condition("kernel", ("poly",)),),
            },
        ),
    )
)
NEIGHBOURS = SearchSpace.of(
    {
        "n_neighbors": Int(1, 60),
        "weights": Categorical(("uniform", "distance")),
        "p": Float(1.0, 4.0),
    }
)
ELASTIC = SearchSpace.of(
    {
        "alpha": Float(1e-3, 1e3, log=True),
        "l1_ratio": Float(0.0, 1.0),
        "degree": Int(1, 2),
    }
)
BOOSTER = SearchSpace.of(
    {
        "learning_rate": Float(0.01, 0.6, log=True),
        "max_leaf_nodes": Int(2, 40, log=True),
        "min_samples_leaf": Int(2, 80, log=True),
        "l2_regularization": Float(1e-3, 100, log=True),
        "max_features": Float(0.1, 1.0),
    }
)


@dataclass(frozen=True)
class Validated:
    """A model on a table, as a noisy loss to minimise."""

    name: str
    space: SearchSpace = field(compare=False)
    make: Callable[[Params], Any] = field(compare=False)
    data: str
    scoring: str
    n_folds: int = N_FOLDS

    @cached_property
    def _table(self) -> tuple[Any, Any]:
        rows, target = DATA[self.data](return_X_y=True)
        return rows, target

    def folds(self, params: Params, seed: int) -> list[float]:
        """Loss of each fold of the split with this seed."""
        is_class = self.scoring != "r2"
        kind = StratifiedKFold if is_class else KFold
        cv = kind(self.n_folds, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = cross_val_score(self.make(params), *self._table, cv=cv, scoring=self.scoring)
        return [-float(score) for score in scores]

    def truth(self, params: Params) -> float:
        """Mean loss over many splits that no study sees."""
        return true_loss(self, self.space.key(params), tuple(sorted(params.items())))

    @property
    def ends(self) -> tuple[float, float]:
        """Least and median true loss of random points; worked out once and stored."""
        return stored_ends(self.name, lambda: ends_of(self))


@cache
def true_loss(problem: Validated, _key: str, items: tuple[tuple[str, Any], ...]) -> float:
    """True loss of a point; remembered."""
    seeds = range(1000, 1000 + N_TRUE_SPLITS)
    return float(np.mean([problem.folds(dict(items), seed) for seed in seeds]))


@cache
def ends_of(problem: Validated) -> tuple[float, float]:
    """Least and median true loss of random points."""
    rng = np.random.default_rng(5)
    losses = [problem.truth(problem.space.sample(rng)) for _ in range(N_POINTS)]
    return min(losses), float(np.median(losses))


PROBLEMS = (
    Validated(
        "tree, breast cancer",
        SearchSpace.of({**TREE, "criterion": Categorical(("gini", "entropy"))}),
        tree_classifier,
        "breast cancer",
        "accuracy",
    ),
    Validated("tree, diabetes", SearchSpace.of(TREE), tree_regressor, "diabetes", "r2"),
    Validated("tree, wine", SearchSpace.of(TREE), tree_classifier, "wine", "accuracy"),
    Validated("SVC, breast cancer", VECTORS, vector_machine, "breast cancer", "accuracy"),
    Validated("SVC, iris", VECTORS, vector_machine, "iris", "accuracy"),
    Validated("neighbours, wine", NEIGHBOURS, neighbours, "wine", "accuracy"),
    Validated("elastic net, diabetes", ELASTIC, elastic, "diabetes", "r2"),
    Validated("boosting, diabetes", BOOSTER, booster, "diabetes", "r2"),
)
