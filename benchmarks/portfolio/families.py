"""Well-known estimators, and the spaces from which their configurations are drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR

from tunesmith.space import Categorical, Float, Int, Parameter

N_TREES = 30
"""Trees of a forest; they are no part of its configurations, since more of them are never worse."""
FOREST: Mapping[str, Parameter] = {
    "max_features": Float(0.1, 1.0),
    "min_samples_leaf": Int(1, 20, log=True),
    "min_samples_split": Int(2, 20, log=True),
    "max_depth": Categorical((None, 4, 8, 16)),
    "bootstrap": Categorical((True, False)),
}
ROUNDS = Categorical((40, 80, 160))
HISTOGRAM: Mapping[str, Parameter] = {
    "learning_rate": Float(0.02, 0.4, log=True),
    "max_iter": ROUNDS,
    "max_leaf_nodes": Int(4, 64, log=True),
    "min_samples_leaf": Int(2, 50, log=True),
    "l2_regularization": Float(1e-4, 10.0, log=True),
    "max_features": Float(0.2, 1.0),
}
XGBOOST: Mapping[str, Parameter] = {
    "learning_rate": Float(0.02, 0.4, log=True),
    "n_estimators": ROUNDS,
    "max_depth": Int(2, 9),
    "min_child_weight": Float(0.5, 20.0, log=True),
    "subsample": Float(0.5, 1.0),
    "colsample_bytree": Float(0.3, 1.0),
    "reg_lambda": Float(1e-2, 30.0, log=True),
    "reg_alpha": Float(1e-3, 3.0, log=True),
}
LIGHTGBM: Mapping[str, Parameter] = {
    "learning_rate": Float(0.02, 0.4, log=True),
    "n_estimators": ROUNDS,
    "num_leaves": Int(4, 64, log=True),
    "min_child_samples": Int(2, 50, log=True),
    "colsample_bytree": Float(0.3, 1.0),
    "reg_lambda": Float(1e-3, 30.0, log=True),
    "reg_alpha": Float(1e-3, 3.0, log=True),
}
CATBOOST: Mapping[str, Parameter] = {
    "learning_rate": Float(0.02, 0.4, log=True),
    "iterations": Categorical((40, 80)),
    "depth": Int(2, 7),
    "l2_leaf_reg": Float(0.3, 30.0, log=True),
    "random_strength": Float(0.1, 10.0, log=True),
}
VECTORS: Mapping[str, Parameter] = {
    "C": Float(0.03, 300.0, log=True),
    "gamma": Float(1e-4, 1.0, log=True),
    "kernel": Categorical(("rbf", "linear", "poly", "sigmoid")),
}
NETWORK: Mapping[str, Parameter] = {
    "hidden_layer_sizes": Categorical(([32], [64], [128], [64, 32])),
    "alpha": Float(1e-5, 1.0, log=True),
    "learning_rate_init": Float(3e-4, 0.03, log=True),
    "activation": Categorical(("relu", "tanh")),
    "batch_size": Categorical((16, 32, 64)),
}
LOGISTIC: Mapping[str, Parameter] = {
    "C": Float(1e-3, 300.0, log=True),
    "class_weight": Categorical((None, "balanced")),
}


@dataclass(frozen=True)
class Family:
    """An estimator, its space, and what all its fits have in common."""

    make: Callable[..., Any]
    space: Mapping[str, Parameter]
    fixed: Mapping[str, Any]
    is_scaled: bool = False
    is_classifier: bool = True

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.make.__name__


def families() -> list[Family]:
    """All estimators; libraries are imported here."""
    from catboost import CatBoostClassifier, CatBoostRegressor
    from lightgbm import LGBMClassifier, LGBMRegressor
    from xgboost import XGBClassifier, XGBRegressor

    seeded = {"random_state": 0}
    forest = {**seeded, "n_estimators": N_TREES}
    one = {**seeded, "n_jobs": 1}
    quiet = {**seeded, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    # Ordered boosting, the default for small tables, takes several times as long.
    quiet |= {"boosting_type": "Plain"}
    network = {**seeded, "max_iter": 40}
    pairs: list[tuple[Any, Any, Mapping[str, Parameter], Mapping[str, Any], bool]] = [
        (RandomForestClassifier, RandomForestRegressor, FOREST, forest, False),
        (ExtraTreesClassifier, ExtraTreesRegressor, FOREST, forest, False),
        (
            HistGradientBoostingClassifier,
            HistGradientBoostingRegressor,
            HISTOGRAM,
            {**seeded, "early_stopping": False},
            False,
        ),
        (XGBClassifier, XGBRegressor, XGBOOST, one, False),
        (LGBMClassifier, LGBMRegressor, LIGHTGBM, {**one, "verbose": -1}, False),
        (SVC, SVR, VECTORS, {"max_iter": 20000}, True),
        (MLPClassifier, MLPRegressor, NETWORK, network, True),
        (CatBoostClassifier, CatBoostRegressor, CATBOOST, quiet, False),
    ]
    found = [Family(LogisticRegression, LOGISTIC, {"max_iter": 300}, is_scaled=True)]
    for classifier, regressor, space, fixed, is_scaled in pairs:
        found.append(Family(classifier, space, fixed, is_scaled))
        found.append(Family(regressor, space, fixed, is_scaled, is_classifier=False))
    return found
